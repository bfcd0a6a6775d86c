"""The constructors are alike: sizes may stand in order, options have names."""

import inspect

import pytest
from torch import nn

import shared_layers

LAYERS = {
    name: kind
    for name in shared_layers.__all__
    if isinstance(kind := getattr(shared_layers, name), type) and issubclass(kind, nn.Module)
}
# They take the arguments of the layer of torch that they stand in for.
AS_TORCH = {"WSConv1d", "WSConv2d", "WSConv3d"}


@pytest.mark.parametrize("name", sorted(LAYERS.keys() - AS_TORCH))
def test_switches_types_and_devices_are_named_by_the_caller(name):
    for parameter in inspect.signature(LAYERS[name]).parameters.values():
        is_option = parameter.name in ("device", "dtype") or isinstance(parameter.default, bool)
        assert not is_option or parameter.kind is parameter.KEYWORD_ONLY, parameter


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_a_direction_has_one_name(name):
    parameters = inspect.signature(LAYERS[name]).parameters
    assert not {"reverse", "reversed", "backward"} & parameters.keys()
