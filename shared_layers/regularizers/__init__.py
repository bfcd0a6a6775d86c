"""Regularisers of weights and of paths."""

from .drop import DropPath, MultiSampleDropout
from .orthogonal import orthogonal_conv_loss

__all__ = ["DropPath", "MultiSampleDropout", "orthogonal_conv_loss"]
