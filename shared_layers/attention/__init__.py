"""Attention: one paper's idea in each file."""

from .contextual import ContextualAttention
from .convolutional import ConvProjectionAttention, ConvTokenEmbed
from .gate import AttentionGate1d, AttentionGate2d, AttentionGate3d
from .gpsa import GPSA
from .hopfield import Hopfield, HopfieldPooling, hopfield_retrieve
from .temporal import PositionAwareAttention
from .windowed import WindowedAttention

__all__ = [
    "GPSA",
    "AttentionGate1d",
    "AttentionGate2d",
    "AttentionGate3d",
    "ContextualAttention",
    "ConvProjectionAttention",
    "ConvTokenEmbed",
    "Hopfield",
    "HopfieldPooling",
    "PositionAwareAttention",
    "WindowedAttention",
    "hopfield_retrieve",
]
