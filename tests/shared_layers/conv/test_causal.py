"""The causal layer against torch.nn.Conv1d and against causality itself."""

import pytest
import torch
from torch import nn

from shared_layers import CausalDepthwiseConv1d


def test_layer_equals_the_left_padded_convolution():
    layer = CausalDepthwiseConv1d(6, 4, dtype=torch.float64)
    twin = nn.Conv1d(6, 6, 4, padding=3, groups=6, dtype=torch.float64)
    twin.load_state_dict({"weight": layer.weight.detach().unsqueeze(1), "bias": layer.bias})
    x = torch.randn(2, 9, 6, dtype=torch.float64)
    expected = twin(x.transpose(1, 2))[..., :9].transpose(1, 2)
    torch.testing.assert_close(layer(x), expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("is_reversed", [False, True])
def test_an_impulse_reaches_only_its_side_of_time(is_reversed):
    layer = CausalDepthwiseConv1d(1, 3, bias=False, is_reversed=is_reversed)
    impulse = torch.zeros(1, 9, 1)
    impulse[0, 4] = 1
    response = layer(impulse)[0, :, 0]
    weight = layer.weight[0]
    expected = torch.zeros(9)
    if is_reversed:
        expected[2:5] = weight
    else:
        expected[4:7] = weight.flip(0)
    assert torch.equal(response, expected)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="kernel_size=0"):
        CausalDepthwiseConv1d(4, 0)
    with pytest.raises(ValueError, match="channels=-1"):
        CausalDepthwiseConv1d(-1, 3)
    with pytest.raises(ValueError, match=r"\(2, 5, 3\)"):
        CausalDepthwiseConv1d(4, 3)(torch.zeros(2, 5, 3))
