"""Normalisation layers."""

from .batch_channel import BatchChannelNorm, EstimatedBatchNorm
from .layer_norm import ChannelLayerNorm, GlobalResponseNorm, MultiHeadLayerNorm

__all__ = [
    "BatchChannelNorm",
    "ChannelLayerNorm",
    "EstimatedBatchNorm",
    "GlobalResponseNorm",
    "MultiHeadLayerNorm",
]
