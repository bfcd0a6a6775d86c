"""What every layer of the package keeps: dtype and device are passed on, state survives saving."""

import pytest
import torch

from shared_layers import attention

LAYERS = {
    "GPSA": lambda **factory: attention.GPSA(8, 4, **factory),
    "AttentionGate1d": lambda **factory: attention.AttentionGate1d(4, 4, **factory),
    "AttentionGate2d": lambda **factory: attention.AttentionGate2d(4, 4, **factory),
    "AttentionGate3d": lambda **factory: attention.AttentionGate3d(4, 4, **factory),
    "ConvProjectionAttention": lambda **factory: attention.ConvProjectionAttention(8, 2, **factory),
    "ConvTokenEmbed": lambda **factory: attention.ConvTokenEmbed(3, 8, **factory),
    "Hopfield": lambda **factory: attention.Hopfield(8, 2, **factory),
    "HopfieldPooling": lambda **factory: attention.HopfieldPooling(8, **factory),
    "PositionAwareAttention": lambda **factory: attention.PositionAwareAttention(
        8, 6, query_dim=2, **factory
    ),
    "WindowedAttention": lambda **factory: attention.WindowedAttention(8, 2, 4, **factory),
}
WITHOUT_WEIGHTS = {"ContextualAttention", "hopfield_retrieve"}


def test_every_public_layer_is_here():
    assert set(attention.__all__) == set(LAYERS) | WITHOUT_WEIGHTS


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
