"""Factorised linear systems that are sums of small dense blocks, one for each window.

Legend: M unknowns, R windows, U kinds of windows, K pixels of a window, S right-hand sides.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from scipy.sparse import coo_array, csc_array
from scipy.sparse.linalg import splu
from torch import Tensor

DENSE_UP_TO = 4000
"""Unknowns beyond which a sparse factorisation is faster than a dense one."""

_CHUNK = 20_000  # windows at a time, so that scratch arrays stay small

Solver = Callable[[Tensor], Tensor]


def dense_solver(place: Tensor, blocks: Tensor, kind: Tensor, size: int) -> Solver:
    """Cholesky factorisation of Σ_r E_rᵀ B_kind(r) E_r.

    Args:
        place: unknown at each place of each window, (R, K); M where there is none.
        blocks: B, (U, K, K), symmetric.
        kind: of each window, (R,).
        size: M.

    Returns:
        A function from right-hand sides (S, M) to solutions, float64.
    """
    row = size + 1  # one more for all that is no unknown, dropped
    matrix = torch.zeros(row**2, dtype=torch.float64, device=place.device)
    for start in range(0, len(place), _CHUNK):
        part = place[start : start + _CHUNK]
        entry = part[:, :, None] * row + part[:, None, :]  # (R, K, K)
        values = blocks[kind[start : start + _CHUNK]].double()
        matrix.index_add_(0, entry.flatten(), values.flatten())
    factor = torch.linalg.cholesky(matrix.view(row, row)[:-1, :-1])
    return lambda right: torch.cholesky_solve(right.T, factor).T


def sparse_matrix(place: Tensor, blocks: Tensor, kind: Tensor, size: int) -> csc_array:
    """Σ_r E_rᵀ B_kind(r) E_r, (M, M); arguments as of ``dense_solver``."""
    matrix = csc_array((size, size))
    for start in range(0, len(place), _CHUNK):
        part = place[start : start + _CHUNK].numpy()
        values = blocks[kind[start : start + _CHUNK]].double().numpy()
        row = np.broadcast_to(part[:, :, None], values.shape)
        column = np.broadcast_to(part[:, None, :], values.shape)
        inside = (row < size) & (column < size)
        triplets = (values[inside], (row[inside], column[inside]))
        matrix = matrix + csc_array(coo_array(triplets, shape=(size, size)))
    return matrix


def sparse_solver(place: Tensor, blocks: Tensor, kind: Tensor, size: int) -> Solver:
    """As ``dense_solver``, by sparse LU."""
    matrix = sparse_matrix(place, blocks, kind, size)
    factor = splu(matrix, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    return lambda right: torch.from_numpy(np.ascontiguousarray(factor.solve(right.numpy().T).T))
