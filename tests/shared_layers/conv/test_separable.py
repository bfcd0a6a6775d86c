import pytest
import torch
from torch.nn import functional as F

from shared_layers.conv.padding import pad_axes
from shared_layers.conv.separable import SeparableConv2d, SeparableConv3d


def test_depthwise_chain_equals_the_outer_product_of_its_filters():
    layer = SeparableConv3d(2, 2, (3, 5, 3), groups=2).double()
    a, b, c = (factor.weight.flatten(1) for factor in layer.factors)
    kernel = torch.stack([torch.einsum("x,y,z->xyz", a[n], b[n], c[n]) for n in range(2)])
    x = torch.randn(1, 2, 6, 7, 5, dtype=torch.float64)
    expected = F.conv3d(x, kernel[:, None], layer.factors[-1].bias, padding=(1, 2, 1), groups=2)
    torch.testing.assert_close(layer(x), expected)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("mode", ["zeros", "circular", "replicate"])
def test_chain_equals_the_convolution_with_its_dense_kernel(groups, mode):
    layer = SeparableConv2d(
        4, 6, (5, 3), dilation=(1, 2), padding_mode=(mode, "circular"), groups=groups
    ).double()
    x = torch.randn(2, 4, 7, 8, dtype=torch.float64)
    kernel = layer.dense_kernel()
    assert kernel.shape == (6, 4 // groups, 5, 3)
    padded = pad_axes(x, (2, 2), (mode, "circular"))
    expected = F.conv2d(padded, kernel, layer.factors[-1].bias, 1, 0, (1, 2), groups)
    torch.testing.assert_close(layer(x), expected)


def test_strides_act_axis_by_axis():
    layer = SeparableConv3d(1, 2, 3, stride=(2, 1, 3), bias=False).double()
    x = torch.randn(1, 1, 6, 5, 7, dtype=torch.float64)
    expected = F.conv3d(x, layer.dense_kernel(), stride=(2, 1, 3), padding=1)
    torch.testing.assert_close(layer(x), expected)


@pytest.mark.parametrize(("layer", "axes"), [(SeparableConv2d, 2), (SeparableConv3d, 3)])
def test_weights_grow_with_the_sum_of_the_kernel_sizes(layer, axes):
    sizes = (3, 5, 7)[:axes]
    weights = sum(p.numel() for p in layer(4, 4, sizes, bias=False).parameters())
    assert weights == 4 * 4 * sum(sizes)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match=r"kernel_size=\(4, 3\): expected odd sizes"):
        SeparableConv2d(2, 2, (4, 3))
    with pytest.raises(ValueError, match="in_channels=3: expected a multiple of groups=2"):
        SeparableConv2d(3, 2, 3, groups=2)
    with pytest.raises(ValueError, match=r"kernel_size=\(3, 3\): .* or 3 of them"):
        SeparableConv3d(2, 2, (3, 3))
    with pytest.raises(ValueError, match=r"expected \(B, 2, S1, S2\)"):
        SeparableConv2d(2, 2, 3)(torch.zeros(1, 2, 8))
