import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from shared_layers.conv.padding import pad_axes
from shared_layers.regularizers.orthogonal import orthogonal_conv_loss

CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


def layer_matrix(weight, stride, size):
    """Matrix of the whole circular convolution, column by column from unit inputs."""
    channels, kernel = weight.shape[1], weight.shape[2:]
    inputs = torch.eye(channels * math.prod(size), dtype=weight.dtype).view(-1, channels, *size)
    before = [(k - 1) // 2 for k in kernel]
    padded = pad_axes(inputs, [k - 1 for k in kernel], ["circular"] * len(kernel))
    for axis, (k, b, n) in enumerate(zip(kernel, before, size, strict=True), 2):
        padded = padded.narrow(axis, k - 1 - b, n + k - 1)
    return CONV[len(kernel)](padded, weight, stride=stride).flatten(1).T  # (outputs, inputs)


@pytest.mark.parametrize(
    ("shape", "stride", "outputs"),
    [
        ((3, 4, 3), 1, (6,)),
        ((3, 4, 3, 3), 1, (5, 5)),  # the smallest map without wrap-around overlap
        ((2, 2, 3, 5), 1, (6, 9)),
        ((6, 2, 3, 3), 2, (3, 4)),
        ((3, 2, 4, 4), 2, (4, 3)),
        ((5, 2, 5), 2, (7,)),
        ((2, 1, 3, 3, 1), 1, (5, 6, 2)),
        ((4, 2, 3, 2), (2, 1), (3, 4)),
    ],
)
def test_loss_is_the_distance_of_the_layer_from_orthogonality(shape, stride, outputs):
    weight = torch.randn(shape, dtype=torch.float64)
    strides = (stride,) * len(outputs) if isinstance(stride, int) else stride
    matrix = layer_matrix(weight, stride, [n * s for n, s in zip(outputs, strides, strict=True)])
    distance = (matrix @ matrix.T - torch.eye(len(matrix), dtype=torch.float64)).square().sum()
    surplus = max(shape[0] - shape[1] * math.prod(strides), 0)
    expected = distance / math.prod(outputs) - surplus
    torch.testing.assert_close(orthogonal_conv_loss(weight, stride), expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    ("shape", "surplus", "stride"),
    [((5, 2, 3, 3), 3, 1), ((9, 2, 3, 3), 1, 2), ((5, 3, 3), 2, 1), ((3, 3, 3), 0, 1)],
)
def test_more_outputs_than_inputs_are_orthogonal_by_columns(shape, surplus, stride):
    # column orthogonality: ‖𝒦ᵀ𝒦 − I‖² = ‖𝒦𝒦ᵀ − I‖² − (outputs − inputs)
    weight = torch.randn(shape, dtype=torch.float64)
    size = [6 * stride] * (len(shape) - 2)
    matrix = layer_matrix(weight, stride, size)
    identity = torch.eye(matrix.shape[1], dtype=torch.float64)
    distance = (matrix.T @ matrix - identity).square().sum() / 6 ** len(size)
    torch.testing.assert_close(orthogonal_conv_loss(weight, stride), distance, rtol=1e-12, atol=0)
    assert shape[0] - shape[1] * stride ** len(size) == surplus


@pytest.mark.parametrize("shape", [(4, 4, 3), (3, 5, 3, 3), (2, 4, 3, 3, 3), (6, 4, 3, 3)])
def test_dirac_kernels_are_orthogonal(shape):
    assert orthogonal_conv_loss(nn.init.dirac_(torch.empty(shape))).item() == 0


def test_kernels_orthogonal_slice_by_slice_are_not_an_orthogonal_layer():
    # what torch.nn.utils.parametrizations.orthogonal gives for a 3 × 3 convolution
    weight = torch.linalg.qr(torch.randn(8, 8, 3, 3, dtype=torch.float64)).Q
    assert orthogonal_conv_loss(weight).item() > 100


def test_descent_makes_a_convolution_keep_lengths():
    weight = nn.Parameter(torch.randn(4, 4, 3, dtype=torch.float64) * 0.3)
    optimizer = torch.optim.LBFGS([weight], max_iter=100, tolerance_change=1e-14)

    def closure():
        optimizer.zero_grad()
        loss = orthogonal_conv_loss(weight)
        loss.backward()
        return loss

    optimizer.step(closure)
    assert orthogonal_conv_loss(weight).item() < 1e-8
    x = torch.randn(1, 4, 9, dtype=torch.float64)
    y = F.conv1d(F.pad(x, (1, 1), mode="circular"), weight)
    torch.testing.assert_close(y.norm(), x.norm(), rtol=1e-4, atol=0)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match=r"weight has shape \(4, 4\): expected \(M, C, k…\)"):
        orthogonal_conv_loss(torch.zeros(4, 4))
    with pytest.raises(ValueError, match="stride=0: expected an integer >= 1"):
        orthogonal_conv_loss(torch.zeros(4, 4, 3), 0)
    with pytest.raises(ValueError, match=r"stride=\(1, 2\): .* or 1 of them"):
        orthogonal_conv_loss(torch.zeros(4, 4, 3), (1, 2))
