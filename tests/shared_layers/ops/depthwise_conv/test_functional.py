"""What the function decides before any form runs: the plan, with and without gradients."""

import pytest
import torch
from torch.nn import functional as F

from shared_layers import depthwise_conv, use_kernels
from shared_layers.ops.depthwise_conv import functional, op


def is_aten(x, weight, **keywords):
    sizes = {"stride": 1, "padding": 0, "dilation": 1, **keywords}
    return functional._plan(x, weight, None, *sizes.values()).is_aten


def test_without_gradients_only_the_forward_pass_decides():
    x, weight = torch.randn(1, 64, 56, 56), torch.randn(64, 1, 7, 7)
    assert op.choose("forward", x, (7, 7), *[[1, 1]] * 3) == "aten"
    assert op.choose("grad_weight", x, (7, 7), *[[1, 1]] * 3) != "aten"
    assert is_aten(x, weight)
    weight.requires_grad_()
    assert not is_aten(x, weight)
    with torch.no_grad():
        assert is_aten(x, weight)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_forward_pass_too_small_for_an_op_goes_to_pytorch_unless_a_form_is_forced(layout):
    x = torch.randn(1, 2, 8, 16).to(memory_format=layout)
    weight = torch.randn(2, 1, 7, 7)
    keywords = {"padding": 9, "dilation": 3}
    assert op.choose("forward", x, (7, 7), [1, 1], [9, 9], [3, 3]) == "cpp"
    assert is_aten(x, weight, **keywords)
    with use_kernels("cpp"):
        assert not is_aten(x, weight, **keywords)
    large = torch.randn(1, 64, 28, 28).to(memory_format=layout)
    assert not is_aten(large, torch.randn(64, 1, 7, 7), **keywords)


def test_a_plan_is_made_once_and_the_number_of_plans_is_bounded(monkeypatch):
    monkeypatch.setattr(functional, "_plans", {})
    monkeypatch.setattr(functional, "_MOST_PLANS", 2)
    weight = torch.randn(2, 1, 3)
    for length in (5, 5, 6, 7):
        depthwise_conv(torch.zeros(1, 2, length), weight)
        depthwise_conv(torch.zeros(1, 2, length), weight)
    assert len(functional._plans) == 1


def test_a_known_plan_does_not_hide_a_bad_argument():
    x, weight = torch.zeros(1, 2, 9), torch.zeros(2, 1, 3)
    depthwise_conv(x, weight, torch.zeros(2))
    for bad in ({"stride": 0}, {"padding": -1}, {"dilation": (1, 1)}):
        with pytest.raises(ValueError, match="expected an integer"):
            depthwise_conv(x, weight, torch.zeros(2), **bad)
    with pytest.raises(ValueError, match=r"bias has shape \(3,\)"):
        depthwise_conv(x, weight, torch.zeros(3))
    with pytest.raises(ValueError, match=r"weight is torch\.float64"):
        depthwise_conv(x, weight.double())


def test_a_tensor_without_values_has_a_shape():
    x, weight = torch.zeros(1, 2, 9, 9, device="meta"), torch.zeros(2, 1, 5, 5, device="meta")
    expected = F.conv2d(x, weight, None, 1, 2, 1, 2)
    assert depthwise_conv(x, weight, padding=2).shape == expected.shape
