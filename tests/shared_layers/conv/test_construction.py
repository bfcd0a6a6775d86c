import copy

import pytest
import torch
from torch import nn

from shared_layers.conv.aspp import ASPP2d
from shared_layers.conv.bcos import BcosConv2d, BcosLinear
from shared_layers.conv.dilated import DilatedConvBranch3d
from shared_layers.conv.hypercomplex import PHConv1d, PHLinear
from shared_layers.conv.inception import InceptionDWConv2d
from shared_layers.conv.large_kernel import LargeKernelAttention2d
from shared_layers.conv.padded import PaddedConv2d
from shared_layers.conv.rate_adaptive import RateAdaptiveDilatedConv2d
from shared_layers.conv.reparam import DilatedReparamConv2d
from shared_layers.conv.separable import SeparableConv3d
from shared_layers.conv.spatial import SpatialCNN
from shared_layers.conv.standardized import WSConv2d

# a way to build each layer, the shape it takes and what else its call needs
LAYERS = {
    "ASPP2d": (lambda **factory: ASPP2d(8, 8, rates=(1, 2), **factory), (2, 8, 7, 7), ()),
    "BcosConv2d": (lambda **factory: BcosConv2d(8, 8, 3, **factory), (2, 8, 7, 7), ()),
    "BcosLinear": (lambda **factory: BcosLinear(8, 8, **factory), (2, 8), ()),
    "DilatedConvBranch3d": (
        lambda **factory: DilatedConvBranch3d(8, 8, **factory),
        (2, 8, 5, 6, 7),
        (),
    ),
    "DilatedReparamConv2d": (
        lambda **factory: DilatedReparamConv2d(8, 5, **factory),
        (2, 8, 7, 7),
        (),
    ),
    "InceptionDWConv2d": (lambda **factory: InceptionDWConv2d(8, **factory), (2, 8, 7, 7), ()),
    "LargeKernelAttention2d": (
        lambda **factory: LargeKernelAttention2d(8, **factory),
        (2, 8, 7, 7),
        (),
    ),
    "PHConv1d": (lambda **factory: PHConv1d(2, 8, 8, 3, **factory), (2, 8, 7), ()),
    "PHLinear": (lambda **factory: PHLinear(2, 8, 8, **factory), (2, 8), ()),
    "PaddedConv2d": (
        lambda **factory: PaddedConv2d(8, 8, 3, padding_mode=("reflect", "circular"), **factory),
        (2, 8, 7, 7),
        (),
    ),
    "RateAdaptiveDilatedConv2d": (
        lambda **factory: RateAdaptiveDilatedConv2d(8, 8, rates=(1, 2), **factory),
        (2, 8, 7, 7),
        (2,),
    ),
    "SeparableConv3d": (lambda **factory: SeparableConv3d(8, 8, 3, **factory), (2, 8, 5, 6, 7), ()),
    "SpatialCNN": (lambda **factory: SpatialCNN(8, 3, **factory), (2, 8, 4, 4), ()),
    "WSConv2d": (lambda **factory: WSConv2d(8, 8, 3, 1, 1, **factory), (2, 8, 7, 7), ()),
}


@pytest.fixture(params=LAYERS)
def layer_case(request):
    return LAYERS[request.param]


def test_device_and_type_reach_every_parameter(layer_case):
    layer: nn.Module = layer_case[0](device="meta", dtype=torch.float64)
    for name, tensor in layer.state_dict().items():
        assert tensor.device.type == "meta", name
        assert tensor.dtype == (torch.int64 if "num_batches" in name else torch.float64), name


def test_every_parameter_has_a_gradient(layer_case):
    make, shape, more = layer_case
    layer = make(device="cpu", dtype=torch.float64)
    y = layer(torch.randn(shape, dtype=torch.float64), *more)
    assert (y.shape, y.dtype) == (shape, torch.float64)
    y.square().sum().backward()
    without = [name for name, p in layer.named_parameters() if p.grad is None]
    assert without == []


def test_weights_travel_in_the_state_dict(layer_case):
    make, shape, more = layer_case
    first, second = make(device="cpu").eval(), make(device="cpu").eval()
    x = torch.randn(shape)
    assert not torch.allclose(first(x, *more), second(x, *more))
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    assert torch.equal(first(x, *more), second(x, *more))


def test_layer_compiles_into_one_graph(layer_case):
    make, shape, more = layer_case
    layer = make(device="cpu").eval()
    x = torch.randn(shape)
    compiled = torch.compile(layer, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(x, *more), layer(x, *more))
