"""Networks of MONAI, as peers of ours through the same code.

M. J. Cardoso et al., "MONAI", 2022, arXiv:2211.02701: its residual U-Net, SegResNet (A. Myronenko
2018, arXiv:1810.11654) and Swin UNETR (A. Hatamizadeh et al. 2022, arXiv:2201.01266).

Legend: B batch, C channel, K classes, *n space.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from domains.medical_segmentation.models.stages import Stage, total_stride, widths

_SWIN_STRIDE = 32  # Swin UNETR halves five times


class Peer(nn.Module):
    """A network with one answer, padded to the size that it takes and cut back.

    Shape:
        (B, C, *n) -> [(B, K, *n)]
    """

    def __init__(self, network: nn.Module, stride: Sequence[int]) -> None:
        super().__init__()
        self.network, self.stride = network, tuple(stride)

    def forward(self, x: Tensor) -> list[Tensor]:
        sizes = x.shape[2:]
        extra = [-size % step for size, step in zip(sizes, self.stride, strict=True)]
        x = nn.functional.pad(x, [side for more in reversed(extra) for side in (0, more)])
        y: Tensor = self.network(x)
        for axis, size in enumerate(sizes, start=2):
            y = y.narrow(axis, 0, size)
        return [y]


def monai_unet(
    in_channels: int, num_classes: int, stages: Sequence[Stage], base: int, maximum: int
) -> nn.Module:
    """MONAI's U-Net with one residual unit per stage and instance normalisation."""
    from monai.networks.nets.unet import UNet

    strides = [stage.stride for stage in stages[1:]]
    network = UNet(
        spatial_dims=len(stages[0].kernel),
        in_channels=in_channels,
        out_channels=num_classes,
        channels=widths(base, maximum, len(stages)),
        strides=strides,  # type: ignore[arg-type]  # one tuple per stage is taken too
        num_res_units=1,
        norm="instance",
    )
    return Peer(network, total_stride(stages))


def segresnet(in_channels: int, num_classes: int, stages: Sequence[Stage], base: int) -> nn.Module:
    """SegResNet; it has no limit to its channels and halves all axes alike."""
    from monai.networks.nets.segresnet import SegResNet

    dims = len(stages[0].kernel)
    network = SegResNet(
        spatial_dims=dims,
        init_filters=base,
        in_channels=in_channels,
        out_channels=num_classes,
        blocks_down=(1, 2, 2, 4)[: len(stages)],
        blocks_up=(1, 1, 1)[: len(stages) - 1],
        norm=("GROUP", {"num_groups": next(g for g in (8, 4, 2, 1) if base % g == 0)}),
    )
    return Peer(network, (2 ** (min(len(stages), 4) - 1),) * dims)


def swinunetr(in_channels: int, num_classes: int, stages: Sequence[Stage], base: int) -> nn.Module:
    """Swin UNETR; ``base`` is its feature size, a multiple of 12."""
    from monai.networks.nets.swin_unetr import SwinUNETR

    dims = len(stages[0].kernel)
    network = SwinUNETR(
        in_channels=in_channels, out_channels=num_classes, feature_size=base, spatial_dims=dims
    )
    return Peer(network, (_SWIN_STRIDE,) * dims)
