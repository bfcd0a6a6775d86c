import pytest
import torch
from torch.nn import functional as F

from shared_layers.conv.spatial import SpatialCNN


def slice_loop(x, weight, direction):
    """Equation of the paper with in-place slices of a 2-d convolution, moving down the rows."""
    turn = {"down": (0, False), "up": (0, True), "right": (1, False), "left": (1, True)}
    is_sideways, is_backward = turn[direction]
    x = x.transpose(2, 3) if is_sideways else x
    x = (x.flip(2) if is_backward else x).clone()
    kernel = weight[:, :, None]  # (C, C, 1, k)
    for row in range(1, x.shape[2]):
        message = F.conv2d(x[:, :, row - 1 : row], kernel, padding=(0, weight.shape[-1] // 2))
        x[:, :, row : row + 1] += message.relu()
    x = x.flip(2) if is_backward else x
    return x.transpose(2, 3) if is_sideways else x


def test_four_passes_equal_the_slice_loop():
    layer = SpatialCNN(3, kernel_size=3).double()
    x = torch.randn(2, 3, 5, 6, dtype=torch.float64)
    expected = x
    for direction, message in zip(layer.directions, layer.messages, strict=True):
        expected = slice_loop(expected, message.weight * 1.0, direction)
    torch.testing.assert_close(layer(x), expected)


@pytest.mark.parametrize(
    ("direction", "start", "end"),
    [
        ("down", (0, 3), (6, 3)),
        ("up", (6, 3), (0, 3)),
        ("right", (3, 0), (3, 6)),
        ("left", (3, 6), (3, 0)),
    ],
)
def test_an_impulse_reaches_the_far_end_in_one_pass(direction, start, end):
    layer = SpatialCNN(1, kernel_size=1, directions=(direction,))
    with torch.no_grad():
        layer.messages[0].weight.fill_(0.5)
    x = torch.zeros(1, 1, 7, 7)
    x[0, 0, start[0], start[1]] = 1
    y = layer(x)
    assert y[0, 0, end[0], end[1]].item() == 0.5**6
    assert y.sum().item() == sum(0.5**n for n in range(7))  # one row or column, nothing elsewhere


def test_messages_do_not_travel_backwards():
    layer = SpatialCNN(2, kernel_size=3, directions=("down",))
    x = torch.randn(1, 2, 6, 5)
    other = x.clone()
    other[:, :, 3] += 1
    assert torch.equal(layer(x)[:, :, :3], layer(other)[:, :, :3])
    assert not torch.allclose(layer(x)[:, :, 4:], layer(other)[:, :, 4:])


def test_gradient_is_that_of_finite_differences():
    layer = SpatialCNN(2, kernel_size=3).double()
    x = torch.randn(1, 2, 3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, (x,))


def test_a_wrapping_row_sends_around_the_edge():
    layer = SpatialCNN(1, kernel_size=3, directions=("down",), padding_mode="circular")
    x = torch.randn(1, 1, 4, 7)
    torch.testing.assert_close(layer(x.roll(3, 3)), layer(x).roll(3, 3))


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match=r"directions=\('down', 'north'\): expected one or more"):
        SpatialCNN(2, directions=("down", "north"))
    with pytest.raises(ValueError, match=r"directions=\(\): expected one or more of down, up"):
        SpatialCNN(2, directions=())
    with pytest.raises(ValueError, match=r"kernel_size=\(4,\): expected odd sizes"):
        SpatialCNN(2, 4)
    with pytest.raises(ValueError, match="channels=0: expected an integer >= 1"):
        SpatialCNN(0)
    with pytest.raises(ValueError, match=r"expected \(B, 2, S1, S2\)"):
        SpatialCNN(2)(torch.zeros(1, 3, 5, 5))
