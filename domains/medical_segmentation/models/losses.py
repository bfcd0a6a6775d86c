"""Soft Dice plus cross-entropy on every resolution of a deeply supervised network.

As nnU-Net (F. Isensee et al. 2021, doi:10.1038/s41592-020-01008-z):

    loss = Σ_k w_k (CE_k + 1 − mean over samples and structures of
                             (2 Σ p·t + 1e-5) / (Σ p + Σ t + 1e-5)),   w_k ∝ 1 / 2^k

softmax over classes that exclude each other (the background has no Dice of its own), or a sigmoid
for each region that may lie inside another (BraTS).

Legend: B batch, K classes, R regions, X Y Z space.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

_SMOOTH = 1e-5  # nnU-Net: keeps an absent structure that is predicted absent from 0 / 0


def segmentation_loss(logits: Sequence[Tensor], target: Tensor, table: Tensor | None) -> Tensor:
    """Loss of all resolutions, a scalar in float32.

    Args:
        logits: (B, K or R, X, Y, Z), and coarser ones, finest first.
        target: (B, X, Y, Z) class index, 0 background.
        table: (K, R), 1 where a class belongs to a region; ``None`` = softmax over classes.
    """
    weights = [0.5**number for number in range(len(logits))]
    losses = [
        weight * _one(answer.float(), _coarser(target, answer), table)
        for weight, answer in zip(weights, logits, strict=True)
    ]
    return torch.stack(losses).sum() / sum(weights)


def _one(logits: Tensor, target: Tensor, table: Tensor | None) -> Tensor:
    # Losses are sums of many small numbers: float32 whatever the network ran in
    with torch.autocast(logits.device.type, enabled=False):
        if table is not None:
            wanted = table.float()[target].movedim(-1, 1)  # (B, R, X, Y, Z)
            entropy = F.binary_cross_entropy_with_logits(logits, wanted)
            return entropy + 1 - soft_dice(logits.sigmoid(), wanted).mean()
        entropy = F.cross_entropy(logits, target)
        wanted = F.one_hot(target, logits.shape[1]).movedim(-1, 1).float()  # (B, K, X, Y, Z)
        return entropy + 1 - soft_dice(logits.softmax(1)[:, 1:], wanted[:, 1:]).mean()


def soft_dice(probability: Tensor, wanted: Tensor) -> Tensor:
    """Dice of each sample and structure, (B, K); both arguments (B, K, X, Y, Z) in 0 … 1."""
    space = tuple(range(2, probability.dim()))
    both = (probability * wanted).sum(space)
    return (2 * both + _SMOOTH) / ((probability + wanted).sum(space) + _SMOOTH)


def _coarser(target: Tensor, logits: Tensor) -> Tensor:
    """Every n-th voxel of ``target``, as many as ``logits`` has."""
    steps = [
        -(-full // coarse) for full, coarse in zip(target.shape[1:], logits.shape[2:], strict=True)
    ]
    return target[(slice(None), *(slice(None, None, step) for step in steps))]
