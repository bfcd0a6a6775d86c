"""Feature equalisation: structure and texture are reweighed by channel, then mixed over space.

Liu, Jiang, Song, Huang, Yang, "Rethinking Image Inpainting via a Mutual Encoder-Decoder with
Feature Equalizations", 2020, arXiv:2007.06929. Squeeze-excitation on the concatenated features,
then bilateral propagation, whose two halves are

    spatial: yˢᵢ = Σ_j g(‖j − i‖) x_j / Σ_j g(‖j − i‖),   g a Gaussian over the whole map
    range:   yʳᵢ = Σ_j a_ij x_j,   a_ij = softmax_j(xᵢᵀ x_j / √C) over the 3 × 3 neighbours j

and y = W(yˢ, yʳ). Written from the paper's description alone. Differs: the range weights are a
softmax of the paper's dot products, so that they are positive and sum to one; places beyond the
border take part in neither half; the Gaussian is applied axis by axis, exactly, in n₁ + n₂ instead
of n₁·n₂ operations per place.
"""

# B batch, C channel, n₁ n₂ the map, k side of the neighbourhood

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from shared_layers.conv.arguments import check_divisible, check_feature_map, check_positive

from .unireplknet import SqueezeExcitation2d


class BilateralPropagation(nn.Module):
    """Mixes each place of a map with near places and with similar neighbours.

    Args:
        channels: channels C.
        sigma: width of the Gaussian in places, > 0.
        kernel_size: odd side k of the neighbourhood that is compared.

    Shape:
        (B, C, n₁, n₂) → (B, C, n₁, n₂)

    Raises:
        ValueError: sigma not positive, an even kernel, a size below 1, an input of another rank or
            width.

    Example:
        >>> BilateralPropagation(4)(torch.zeros(1, 4, 6, 5)).shape
        torch.Size([1, 4, 6, 5])
    """

    def __init__(
        self,
        channels: int,
        *,
        sigma: float = 1.5,
        kernel_size: int = 3,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_positive(channels=channels)
        if sigma <= 0:
            raise ValueError(f"sigma={sigma}: expected a positive number")
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"kernel_size={kernel_size}: expected an odd positive integer")
        self.channels, self.sigma, self.kernel_size = channels, sigma, kernel_size
        self.merge = nn.Conv2d(2 * channels, channels, 1, device=device, dtype=dtype)

    def spatial_weights(self, size: int, like: Tensor) -> Tensor:
        """Return the Gaussian weights along one axis, (size, size), rows sum to one."""
        places = torch.arange(size, device=like.device, dtype=like.dtype)
        distance = (places.unsqueeze(1) - places) / self.sigma
        return (-distance.square() / 2).softmax(dim=1)

    def range_weights(self, x: Tensor) -> Tensor:
        """Return the weights of the k² neighbours of each place, (B, k², n₁·n₂), sum one."""
        similarity = (self._neighbours(x) * x.flatten(2).unsqueeze(2)).sum(1)
        inside = self._neighbours(torch.ones_like(x[:1, :1]))[:, 0] > 0  # (1, k², n₁·n₂)
        logits = similarity * self.channels**-0.5
        return logits.masked_fill(~inside, float("-inf")).softmax(dim=1)

    def forward(self, x: Tensor) -> Tensor:
        check_feature_map(x, self.channels, 2, self.merge.weight.dtype)
        rows, columns = (self.spatial_weights(n, x) for n in x.shape[2:])
        near = rows @ x @ columns.mT  # (B, C, n₁, n₂)
        alike = (self._neighbours(x) * self.range_weights(x).unsqueeze(1)).sum(2)
        return self.merge(torch.cat((near, alike.unflatten(2, x.shape[2:])), dim=1))

    def _neighbours(self, x: Tensor) -> Tensor:
        """Return the k × k neighbourhood of every place, (B, C, k², n₁·n₂), zero outside."""
        unfolded = F.unfold(x, self.kernel_size, padding=self.kernel_size // 2)
        return unfolded.unflatten(1, (x.shape[1], -1))


class FeatureEqualization(nn.Module):
    """Lets structure and texture features of one image inform each other.

    Args:
        channels: channels of the structure and of the texture features, each.
        reduction: squeeze-excitation works in 2·channels // reduction; divides 2·channels.
        sigma, kernel_size: as in `BilateralPropagation`.

    Shape:
        - structure, texture: (B, channels, n₁, n₂)
        - output: (B, 2·channels, n₁, n₂)

    Raises:
        ValueError: what `BilateralPropagation` refuses, a reduction that does not divide
            2·channels, structure and texture of different shape or dtype.

    Example:
        >>> structure, texture = torch.zeros(2, 1, 8, 6, 5)
        >>> FeatureEqualization(8)(structure, texture).shape
        torch.Size([1, 16, 6, 5])
    """

    def __init__(
        self,
        channels: int,
        *,
        reduction: int = 16,
        sigma: float = 1.5,
        kernel_size: int = 3,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_positive(channels=channels)
        check_divisible("2·channels", 2 * channels, "reduction", reduction)
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        self.excitation = SqueezeExcitation2d(2 * channels, 2 * channels // reduction, **factory)
        self.propagation = BilateralPropagation(
            2 * channels, sigma=sigma, kernel_size=kernel_size, **factory
        )

    def forward(self, structure: Tensor, texture: Tensor) -> Tensor:
        if structure.shape != texture.shape or structure.dtype != texture.dtype:
            raise ValueError(
                f"texture is {tuple(texture.shape)} of {texture.dtype}: "
                f"expected {tuple(structure.shape)} of {structure.dtype}, as structure"
            )
        check_feature_map(
            structure, self.propagation.channels // 2, 2, self.propagation.merge.weight.dtype
        )
        return self.propagation(self.excitation(torch.cat((structure, texture), dim=1)))
