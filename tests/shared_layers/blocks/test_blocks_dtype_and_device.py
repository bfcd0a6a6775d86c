"""What the layers of the package keep: dtype and device are passed on, state survives saving."""

import pytest
import torch

from shared_layers.blocks.convnext import ConvNeXtBlock, InceptionNeXtBlock
from shared_layers.blocks.equalization import BilateralPropagation, FeatureEqualization
from shared_layers.blocks.istft_head import ISTFTHead
from shared_layers.blocks.modulation import EfficientModulation, FocalModulation
from shared_layers.blocks.text_cnn import TextCNN
from shared_layers.blocks.transformer import TransformerBlock
from shared_layers.blocks.unireplknet import SqueezeExcitation2d, UniRepLKNetBlock

LAYERS = {
    "BilateralPropagation": lambda **factory: BilateralPropagation(4, **factory),
    "ConvNeXtBlock": lambda **factory: ConvNeXtBlock(4, response_norm=True, **factory),
    "EfficientModulation": lambda **factory: EfficientModulation(4, **factory),
    "FeatureEqualization": lambda **factory: FeatureEqualization(8, **factory),
    "FocalModulation": lambda **factory: FocalModulation(4, **factory),
    "ISTFTHead": lambda **factory: ISTFTHead(4, **factory),
    "InceptionNeXtBlock": lambda **factory: InceptionNeXtBlock(16, **factory),
    "SqueezeExcitation2d": lambda **factory: SqueezeExcitation2d(4, 2, **factory),
    "TextCNN": lambda **factory: TextCNN(4, 4, **factory),
    "TransformerBlock": lambda **factory: TransformerBlock(8, 2, **factory),
    "UniRepLKNetBlock": lambda **factory: UniRepLKNetBlock(8, 7, **factory),
}


def floating(layer):
    state = (*layer.named_parameters(), *layer.named_buffers())
    return {name: value for name, value in state if value.is_floating_point()}


@pytest.mark.parametrize("name", LAYERS)
def test_dtype_and_device_reach_every_parameter(name):
    layer = LAYERS[name](device="meta", dtype=torch.float64)
    assert {(str(v.device), v.dtype) for v in floating(layer).values()} == {("meta", torch.float64)}


@pytest.mark.parametrize("name", LAYERS)
def test_saved_state_restores_the_layer(name):
    saved, layer = LAYERS[name](), LAYERS[name]()
    layer.load_state_dict(saved.state_dict())
    values = floating(layer)
    for key, value in floating(saved).items():
        assert torch.equal(values[key], value), key
