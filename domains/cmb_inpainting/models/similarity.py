"""Structural similarity of two skies, face by face.

Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, "Image Quality Assessment: From Error
Visibility to Structural Similarity", IEEE TIP 13, 2004, with a uniform window of 7 × 7:

    SSIM = (2 μ_a μ_b + c₁)(2 σ_ab + c₂) / ((μ_a² + μ_b² + c₁)(σ_a² + σ_b² + c₂)).
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

_WINDOW = 7


def ssim(first: Tensor, second: Tensor, data_range: float | Tensor) -> Tensor:
    """Similarity of skies (S, 12, n, n): 1 where equal, (S,), mean over all windows in faces.

    Args:
        first, second: skies in any one unit.
        data_range: spread of values that c₁ = (0.01·range)², c₂ = (0.03·range)² refer to.
    """
    a, b = (sky.flatten(0, 1)[:, None] for sky in (first, second))  # (S·12, 1, n, n)

    def mean(x: Tensor) -> Tensor:
        return F.avg_pool2d(x, _WINDOW, stride=1)

    mean_a, mean_b = mean(a), mean(b)
    # sample covariances, as skimage has them by default
    bias = _WINDOW**2 / (_WINDOW**2 - 1)
    var_a = bias * (mean(a * a) - mean_a**2)
    var_b = bias * (mean(b * b) - mean_b**2)
    both = bias * (mean(a * b) - mean_a * mean_b)
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    above = (2 * mean_a * mean_b + c1) * (2 * both + c2)
    below = (mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)
    return (above / below).unflatten(0, first.shape[:2]).flatten(1).mean(1)
