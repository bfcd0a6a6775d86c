import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from shared_layers.conv.reparam import (
    DILATED_BRANCHES,
    DilatedReparamConv2d,
    dilate_kernel,
    fuse_conv_bn,
)


def randomise_norms(layer):
    """Give every batch normalisation statistics and gains unlike those it starts with."""
    with torch.no_grad():
        for norm in layer.modules():
            if isinstance(norm, nn.BatchNorm2d):
                norm.running_mean.normal_()
                norm.running_var.uniform_(0.3, 3)
                norm.weight.normal_()
                norm.bias.normal_()


@pytest.mark.parametrize("kernel_size", sorted(DILATED_BRANCHES))
@pytest.mark.parametrize(("dtype", "atol"), [(torch.float32, 2e-6), (torch.float64, 1e-14)])
def test_merged_kernel_gives_the_sum_of_the_branches(kernel_size, dtype, atol):
    layer = DilatedReparamConv2d(3, kernel_size, dtype=dtype).eval()
    randomise_norms(layer)
    x = torch.randn(1, 3, 19, 20, dtype=dtype)
    before = layer(x)
    merged = copy.deepcopy(layer).merge_()
    assert len(merged.branches) == len(merged.norms) == 0
    scale = before.abs().max().item()
    torch.testing.assert_close(merged(x), before, rtol=0, atol=atol * scale)


def test_branches_sum_as_the_equation_says():
    layer = DilatedReparamConv2d(2, 7).double().eval()
    randomise_norms(layer)
    x = torch.randn(1, 2, 9, 9, dtype=torch.float64)
    y = layer.norms[0](F.conv2d(x, layer.conv.weight, padding=3, groups=2))
    for (k, r), conv, norm in zip(
        ((5, 1), (3, 2), (3, 3)), layer.branches, layer.norms[1:], strict=True
    ):
        y += norm(F.conv2d(x, conv.weight, padding=r * (k - 1) // 2, dilation=r, groups=2))
    torch.testing.assert_close(layer(x), y)


def test_merge_is_exact_where_a_globe_wraps():
    layer = DilatedReparamConv2d(2, 9, padding_mode=("replicate", "circular")).double().eval()
    randomise_norms(layer)
    x = torch.randn(1, 2, 8, 12, dtype=torch.float64)
    before = layer(x)
    torch.testing.assert_close(layer.merge_()(x), before, rtol=0, atol=1e-12)


def test_branches_fit_into_their_kernel():
    for size, branches in DILATED_BRANCHES.items():
        assert all(r * (k - 1) + 1 <= size for k, r in branches)


def test_merged_weights_load_into_a_merged_layer():
    layer = DilatedReparamConv2d(2, 5).eval()
    randomise_norms(layer)
    merged = layer.merge_()
    other = DilatedReparamConv2d(2, 5, is_merged=True)
    other.load_state_dict(merged.state_dict())
    x = torch.randn(1, 2, 6, 6)
    assert torch.equal(other(x), merged(x))
    assert merged.merge_() is merged


def test_training_moves_the_statistics_of_every_branch():
    layer = DilatedReparamConv2d(2, 7)
    layer(torch.randn(4, 2, 8, 8)).square().mean().backward()
    assert all(norm.num_batches_tracked.item() == 1 for norm in layer.norms)
    assert all(p.grad is not None for p in layer.parameters())


@pytest.mark.parametrize(
    ("conv", "norm", "shape"),
    [
        (nn.Conv1d(3, 4, 3), nn.BatchNorm1d(4), (2, 3, 7)),
        (nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), (2, 3, 7, 6)),
        (nn.Conv3d(2, 4, 3, groups=2), nn.BatchNorm3d(4, affine=False), (2, 2, 5, 4, 6)),
    ],
)
def test_fused_convolution_equals_convolution_and_norm(conv, norm, shape):
    norm = norm.double().eval()
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.3, 3)
    if norm.affine:
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    conv = conv.double()
    x = torch.randn(shape, dtype=torch.float64)
    expected = norm(conv(x))
    fused = copy.deepcopy(conv)
    weight, bias = fuse_conv_bn(conv.weight, conv.bias, norm)
    fused.weight, fused.bias = nn.Parameter(weight), nn.Parameter(bias)
    torch.testing.assert_close(fused(x), expected, rtol=1e-13, atol=1e-13)


def test_dilated_kernel_equals_a_dilated_convolution():
    weight, x = torch.randn(2, 3, 3, 2), torch.randn(1, 3, 9, 9)
    dense = dilate_kernel(weight, (2, 3))
    assert dense.shape == (2, 3, 5, 4)
    torch.testing.assert_close(F.conv2d(x, dense), F.conv2d(x, weight, dilation=(2, 3)))


def test_bad_arguments_are_refused():
    with pytest.raises(
        ValueError, match=r"kernel_size=6: expected one of \[5, 7, 9, 11, 13, 15, 17\]"
    ):
        DilatedReparamConv2d(2, 6)
    with pytest.raises(ValueError, match="channels=0: expected an integer >= 1"):
        DilatedReparamConv2d(0)
    with pytest.raises(ValueError, match=r"expected \(B, 2, S1, S2\)"):
        DilatedReparamConv2d(2, 5)(torch.zeros(1, 3, 8, 8))
    with pytest.raises(ValueError, match=r"dilation=\(1, 2, 3\): expected an integer >= 1, or 2"):
        dilate_kernel(torch.zeros(1, 1, 3, 3), (1, 2, 3))
    with pytest.raises(ValueError, match="num_features=3: expected 4"):
        fuse_conv_bn(torch.zeros(4, 1, 1, 1), None, nn.BatchNorm2d(3))
    with pytest.raises(ValueError, match="track_running_stats=False"):
        fuse_conv_bn(torch.zeros(3, 1, 1, 1), None, nn.BatchNorm2d(3, track_running_stats=False))
