"""Blocks of networks: one paper's idea in each file."""

from .convnext import ConvNeXtBlock, InceptionNeXtBlock
from .equalization import BilateralPropagation, FeatureEqualization
from .istft_head import ISTFTHead
from .mbconv import MBConv1d, MBConv2d, MBConv3d
from .modulation import EfficientModulation, FocalModulation
from .reversible import ReversibleBlock, ReversibleSequence
from .text_cnn import TextCNN
from .transformer import TransformerBlock
from .unireplknet import SqueezeExcitation2d, UniRepLKNetBlock

__all__ = [
    "BilateralPropagation",
    "ConvNeXtBlock",
    "EfficientModulation",
    "FeatureEqualization",
    "FocalModulation",
    "ISTFTHead",
    "InceptionNeXtBlock",
    "MBConv1d",
    "MBConv2d",
    "MBConv3d",
    "ReversibleBlock",
    "ReversibleSequence",
    "SqueezeExcitation2d",
    "TextCNN",
    "TransformerBlock",
    "UniRepLKNetBlock",
]
