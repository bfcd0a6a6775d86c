"""Convolutions: one paper's idea in each file."""

from .aspp import ASPP2d
from .bcos import BcosConv2d, BcosLinear
from .causal import CausalDepthwiseConv1d
from .depthwise import DepthwiseConv1d, DepthwiseConv2d, DepthwiseConv3d
from .dilated import DilatedConvBranch1d, DilatedConvBranch2d, DilatedConvBranch3d
from .hypercomplex import PHConv1d, PHConv2d, PHConv3d, PHLinear, quaternion_algebra
from .inception import InceptionDWConv2d, InceptionResidual
from .large_kernel import (
    LargeKernelAttention1d,
    LargeKernelAttention2d,
    LargeKernelAttention3d,
)
from .padded import PaddedConv1d, PaddedConv2d, PaddedConv3d
from .padding import pad_axes
from .rate_adaptive import RateAdaptiveDilatedConv2d
from .reparam import DilatedReparamConv2d, dilate_kernel, fuse_conv_bn
from .separable import SeparableConv2d, SeparableConv3d
from .spatial import SpatialCNN
from .standardized import WSConv1d, WSConv2d, WSConv3d, weight_standardize

__all__ = [
    "ASPP2d",
    "BcosConv2d",
    "BcosLinear",
    "CausalDepthwiseConv1d",
    "DepthwiseConv1d",
    "DepthwiseConv2d",
    "DepthwiseConv3d",
    "DilatedConvBranch1d",
    "DilatedConvBranch2d",
    "DilatedConvBranch3d",
    "DilatedReparamConv2d",
    "InceptionDWConv2d",
    "InceptionResidual",
    "LargeKernelAttention1d",
    "LargeKernelAttention2d",
    "LargeKernelAttention3d",
    "PHConv1d",
    "PHConv2d",
    "PHConv3d",
    "PHLinear",
    "PaddedConv1d",
    "PaddedConv2d",
    "PaddedConv3d",
    "RateAdaptiveDilatedConv2d",
    "SeparableConv2d",
    "SeparableConv3d",
    "SpatialCNN",
    "WSConv1d",
    "WSConv2d",
    "WSConv3d",
    "dilate_kernel",
    "fuse_conv_bn",
    "pad_axes",
    "quaternion_algebra",
    "weight_standardize",
]
