"""Which sky is likely, learned in small windows; the fill is then the most likely one. Ours.

A Gaussian Markov random field on the sphere.  The sky in every k × k window w is judged by a
quadratic form, and the fill x minimises their sum with the observed pixels held:

    E(x) = Σ_w |V K_w^(−1/2) x_w|²,     x_M = −P_MM⁻¹ P_MO x_O,     P = ∂²E/2.

K_w is the covariance of the sky's pixels in w (known from the spectrum); V is learned, from V = 1
on, and the same in all windows and all turns and mirrors of them.  Markov fields as linear
convolutional networks: P. Sidén, F. Lindsten, "Deep Gaussian Markov Random Fields", ICML 2020,
arXiv:2002.07467.  We train on the error of the fill, through the solution of the linear system
(implicit function theorem).

The field is local, and so a few per cent worse than the optimum; ``refined`` goes the rest of the
way with the field as preconditioner (see ``refinement.py``).

The diffusive fill is the special case of squared differences between neighbours.  The fill is
linear in the sky, and V knows no mask: each mask takes one factorisation, as in diffusive filling.

Legend: S skies, N = 12·n² pixels of the flattened faces, M masked ones, R windows that touch the
hole, U kinds of them, k window side, K = k².
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csc_array
from torch import Tensor, nn

from domains.cmb_inpainting.models.refinement import HarmonicCovariance, refine
from domains.cmb_inpainting.models.solvers import (
    DENSE_UP_TO,
    dense_solver,
    sparse_matrix,
    sparse_solver,
)
from domains.cmb_inpainting.models.windows import WindowRoots, kinds, turns, windows
from domains.cmb_inpainting.science.covariance import Covariance


class MaskedSystem:
    """P_MM of one mask, factorised, and what leads to its right-hand side.

    Args:
        observed: (12, n, n), true where observed.
        form: VᵀV, (K, K).
        roots: K_w^(−1/2) of the windows.
    """

    def __init__(self, observed: Tensor, form: Tensor, roots: WindowRoots) -> None:
        side, nside = round(form.shape[0] ** 0.5), observed.shape[-1]
        hole = ~observed.flatten()
        self.masked = hole.nonzero()[:, 0]
        every = windows(nside, side).to(hole.device)
        touching = hole[every].any(1).nonzero()[:, 0]
        self.windows = every[touching]  # (R, K)
        used, self.kind = kinds(nside).to(hole.device)[touching].unique(return_inverse=True)
        self.roots = roots.of(used)  # (U, K, K)
        forms = self.roots @ form.to(self.roots.dtype) @ self.roots
        self.forms = (forms + forms.mT) / 2  # (U, K, K), symmetric in spite of rounding
        number = torch.full(hole.shape, len(self.masked), dtype=torch.long, device=hole.device)
        number[self.masked] = torch.arange(len(self.masked), device=hole.device)
        self._place = number[self.windows]  # (R, K), M where observed
        is_dense = observed.is_cuda or len(self.masked) <= DENSE_UP_TO
        make = dense_solver if is_dense else sparse_solver
        self.solve: Callable[[Tensor], Tensor] = make(
            self._place, self.forms, self.kind, len(self.masked)
        )

    def pull(self, sky: Tensor) -> Tensor:
        """(P x)_M of skies (S, N), (S, M) float64."""
        total = torch.zeros(len(sky), len(self.masked) + 1, dtype=torch.float64, device=sky.device)
        force = self.in_windows(sky, self.forms).double()  # (R, K, S)
        total.index_add_(1, self._place.flatten(), force.flatten(0, 1).T)
        return total[:, :-1]

    def in_windows(self, sky: Tensor, matrices: Tensor) -> Tensor:
        """A matrix of each kind (U, K, K) times the sky (S, N) in each window, (R, K, S)."""
        patches = sky.to(matrices.dtype).T[self.windows]  # (R, K, S)
        return matrices[self.kind] @ patches


class _Fill(torch.autograd.Function):
    """x_M as a function of VᵀV: dL = −λᵀ dP x with P_MM λ = ∂L/∂x_M."""

    @staticmethod
    def forward(context: Any, form: Tensor, sky: Tensor, system: MaskedSystem) -> Tensor:
        start = sky.index_fill(1, system.masked, 0)
        values = -system.solve(system.pull(start))
        context.system = system
        context.save_for_backward(start.index_copy(1, system.masked, values.to(sky.dtype)))
        return values

    @staticmethod
    def backward(context: Any, *gradient: Tensor) -> tuple[Tensor, None, None]:
        system: MaskedSystem = context.system
        (filled,) = context.saved_tensors
        solved = system.solve(gradient[0].double()).to(filled.dtype)
        adjoint = torch.zeros_like(filled).index_copy(1, system.masked, solved)
        left = system.in_windows(adjoint, system.roots)  # (R, K, S)
        right = system.in_windows(filled, system.roots)
        return -torch.einsum("rks,rls->kl", left, right), None, None


class PrecisionNetwork(nn.Module):
    """The fill of a Markov field with learned windows; skies over σ, or any other unit.

    Args:
        window: side k of a window, odd; a pixel depends on others up to k − 1 away.
        nside: of the sky.
        lmax: highest multipole of the spectrum that K_w is made from.
    """

    spectrum: Tensor
    noise: Tensor
    turns: Tensor

    def __init__(self, window: int, nside: int, lmax: int) -> None:
        super().__init__()
        self.window, self.nside = window, nside
        self.factor = nn.Parameter(torch.eye(window**2))
        self.register_buffer("spectrum", torch.ones(lmax + 1, dtype=torch.float64))
        self.register_buffer("noise", torch.ones((), dtype=torch.float64))  # µK per pixel
        self.register_buffer("turns", turns(window), persistent=False)
        self._roots: WindowRoots | None = None
        self._system: tuple[Tensor, Tensor, MaskedSystem] | None = None
        self._matrix: tuple[Tensor, csc_array] | None = None

    def form(self) -> Tensor:
        """VᵀV, (K, K), the same under the eight turns and mirrors of a window."""
        rows = self.factor[:, self.turns]  # (K, 8, K)
        return torch.einsum("rti,rtj->ij", rows, rows) / len(self.turns)

    def forward(self, start: Tensor, observed: Tensor, distance: Tensor) -> Tensor:
        """Filled skies (S, 12, n, n); of ``start`` only observed pixels are read."""
        if bool(observed.all()):
            return start
        with torch.autocast(start.device.type, enabled=False):
            form, flat = self.form(), start.float().flatten(1)
            system = self._prepared(observed, form.detach())
            values = _Fill.apply(form, flat, system)
            return flat.index_copy(1, system.masked, values.to(flat.dtype)).view_as(start)

    @torch.no_grad()
    def refined(self, skies: Tensor, observed: Tensor, steps: int) -> Tensor:
        """Filled skies (S, 12, n, n), led by ``steps`` conjugate gradients to the optimum."""
        form = self.form()
        system = self._prepared(observed, form)
        if self._matrix is None or not torch.equal(self._matrix[0], form):
            self._matrix = (form.clone(), self._sky_matrix(form))
        matrix, seen = self._matrix[1], observed.flatten().cpu().numpy()
        covariance = HarmonicCovariance(self.spectrum.cpu().numpy(), float(self.noise), self.nside)

        def precision(maps: NDArray[np.float64]) -> NDArray[np.float64]:
            return (matrix @ maps.T).T

        def fill(maps: NDArray[np.float64]) -> NDArray[np.float64]:
            filled = np.where(seen, maps, 0.0)
            pull = torch.from_numpy(precision(filled)[:, ~seen]).to(system.masked.device)
            filled[:, ~seen] = -system.solve(pull).cpu().numpy()
            return filled

        flat = skies.flatten(1).double().cpu().numpy()
        found = torch.from_numpy(refine(flat, seen, covariance, precision, fill, steps))
        return found.to(skies).view_as(skies)

    def _sky_matrix(self, form: Tensor) -> csc_array:
        """P of the whole sky, (N, N)."""
        assert self._roots is not None
        used, kind = kinds(self.nside).unique(return_inverse=True)
        roots = self._roots.of(used)
        forms = roots @ form.cpu() @ roots
        every = windows(self.nside, self.window)
        return sparse_matrix(every, (forms + forms.mT) / 2, kind, len(every))

    def _prepared(self, observed: Tensor, form: Tensor) -> MaskedSystem:
        """The factorised system, kept as long as mask and weights stay the same."""
        if self._system is not None:
            known, of_form, system = self._system
            if torch.equal(known, observed) and torch.equal(of_form, form):
                return system
        if self._roots is None:
            covariance = Covariance(self.spectrum.cpu().numpy(), float(self.noise))
            self._roots = WindowRoots(self.nside, self.window, covariance)
        system = MaskedSystem(observed, form, self._roots)
        self._system = (observed.clone(), form.clone(), system)
        return system

    def __getstate__(self) -> dict:
        """Without the caches, so that copies of the network are small."""
        return {**self.__dict__, "_roots": None, "_system": None, "_matrix": None}
