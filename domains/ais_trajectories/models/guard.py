"""How far a forecast is trusted at each horizon: never worse, on validation, than doing without.

The forecast is base + trust·(network − base), where base is the better of persistence and constant
velocity; both are chosen on validation, apart for ships under way and at rest.  Trust is smoothed
over neighbouring horizons, and for ships at rest it rises slowly, so that a path has no jumps.

Legend: B windows, H steps out.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

_SHARES = torch.linspace(0, 1, 11)


class Guard(nn.Module):
    """Holds trust (2, H) and which base is used (2,); row 1 is for ships under way."""

    trust: Tensor
    goes_on: Tensor

    def __init__(self, horizon: int) -> None:
        super().__init__()
        self.register_buffer("trust", torch.ones(2, horizon))
        self.register_buffer("goes_on", torch.ones(2))  # 1 constant velocity, 0 stays

    def forward(self, path: Tensor, straight: Tensor, is_moving: Tensor) -> Tensor:
        """The path held to what validation bears out.

        Args:
            path: (B, H, 2) km, the network's.
            straight: (B, H, 2) km, constant velocity.
            is_moving: (B,) bool.
        """
        row = is_moving.long()
        base = straight * self.goes_on[row][:, None, None]
        return base + self.trust[row][..., None] * (path - base)

    def fit(
        self, path: Tensor, straight: Tensor, is_moving: Tensor, true: Tensor, known: Tensor
    ) -> None:
        """Choose base and trust by the mean error on validation windows.

        Args:
            path, straight, is_moving: as for ``forward``.
            true: (B, H, 2) km.
            known: (B, H) bool; a row of which nothing is known keeps full trust.
        """
        for row in (0, 1):
            mine = is_moving == bool(row)
            if not known[mine].any():
                continue
            wanted, counts = true[mine], known[mine].float()
            ahead = straight[mine]
            plain = [_error(torch.zeros_like(ahead), wanted, counts), _error(ahead, wanted, counts)]
            # every horizon has the same say, whatever its kilometres
            relative = [(error / (plain[0] + plain[1] + 1e-6)).sum() for error in plain]
            self.goes_on[row] = float(relative[1] < relative[0])
            base = ahead * self.goes_on[row]
            shares = _SHARES.to(path.device)
            errors = [
                _error(base + share * (path[mine] - base), wanted, counts) for share in shares
            ]
            best = shares[torch.stack(errors).argmin(0)]
            trust = _smooth(torch.where(counts.sum(0) > 0, best, torch.ones_like(best)))
            self.trust[row] = trust if row else _without_leaps(trust)


def _error(answer: Tensor, true: Tensor, counts: Tensor) -> Tensor:
    """Mean distance in km at each horizon, (H,)."""
    far = torch.linalg.vector_norm(answer - true, dim=-1)
    return (far * counts).sum(0) / counts.sum(0).clamp(min=1)


def _smooth(trust: Tensor) -> Tensor:
    """Mean (H,) over a sixth of the horizons about each."""
    half = len(trust) // 12
    padded = functional.pad(trust[None, None], (half, half), mode="replicate")
    return functional.avg_pool1d(padded, 2 * half + 1, stride=1)[0, 0]


def _without_leaps(trust: Tensor) -> Tensor:
    """Trust (H,) lowered where it would rise by more than 1/H in a step.

    A ship at rest that is believed to sail at the very end alone would leap there at tens of knots.
    Less trust than the best is still no worse than none: the mean distance is convex in it.
    """
    ramp = torch.arange(len(trust), device=trust.device) / len(trust)
    return (trust - ramp).cummin(0).values + ramp
