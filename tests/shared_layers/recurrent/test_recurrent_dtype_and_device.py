"""What the layers of the package keep: dtype and device are passed on, state survives saving."""

import pytest
import torch

from shared_layers.recurrent.auto_conditioned import AutoConditionedLSTM
from shared_layers.recurrent.conv_bilstm import ConvBiLSTM
from shared_layers.recurrent.conv_lstm import TemporalConvLSTM
from shared_layers.recurrent.lssl import LSSL
from shared_layers.recurrent.vil import ViLBlock, ViLLayer

LAYERS = {
    "AutoConditionedLSTM": lambda **factory: AutoConditionedLSTM(4, 8, **factory),
    "ConvBiLSTM": lambda **factory: ConvBiLSTM(4, 8, conv_channels=8, **factory),
    "LSSL": lambda **factory: LSSL(4, 8, **factory),
    "LSSL, trained state": lambda **factory: LSSL(4, 8, train_state=True, **factory),
    "TemporalConvLSTM": lambda **factory: TemporalConvLSTM(4, 8, time_scale=1.0, **factory),
    "ViLBlock": lambda **factory: ViLBlock(8, **factory),
    "ViLLayer": lambda **factory: ViLLayer(8, **factory),
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
