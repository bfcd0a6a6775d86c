import pytest
import torch

from shared_layers.norm import (
    BatchChannelNorm,
    ChannelLayerNorm,
    EstimatedBatchNorm,
    GlobalResponseNorm,
    MultiHeadLayerNorm,
)

NORMS = {
    "BatchChannelNorm": lambda **factory: BatchChannelNorm(2, 8, **factory),
    "BatchChannelNorm, estimated": lambda **factory: BatchChannelNorm(
        2, 8, is_estimated=True, **factory
    ),
    "ChannelLayerNorm": lambda **factory: ChannelLayerNorm(8, **factory),
    "EstimatedBatchNorm": lambda **factory: EstimatedBatchNorm(8, **factory),
    "GlobalResponseNorm": lambda **factory: GlobalResponseNorm(8, **factory),
    "MultiHeadLayerNorm": lambda **factory: MultiHeadLayerNorm(2, 8, **factory),
}


@pytest.fixture(params=NORMS)
def make(request):
    return NORMS[request.param]


def test_device_and_type_reach_every_tensor(make):
    for name, tensor in make(device="meta", dtype=torch.float64).state_dict().items():
        assert (tensor.device.type, tensor.dtype) == ("meta", torch.float64), name


def test_gradient_is_that_of_finite_differences(make):
    norm = make(dtype=torch.float64).eval()
    for parameter in norm.parameters():
        torch.nn.init.normal_(parameter)
    x = torch.randn(2, 8, 8, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(norm, (x,))


def test_norm_compiles_into_one_graph(make):
    norm, other = make(), make()
    x = torch.randn(2, 8, 8)
    compiled = torch.compile(norm, fullgraph=True, backend="eager")
    for _ in range(2):  # in training: the statistics move
        torch.testing.assert_close(compiled(x), other(x))
    for name, tensor in other.state_dict().items():
        torch.testing.assert_close(norm.state_dict()[name], tensor)
