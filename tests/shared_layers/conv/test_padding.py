import numpy as np
import pytest
import torch
from torch.nn import functional as F

from shared_layers.conv.padding import pad_axes, padding_modes, per_axis, same_padding

NUMPY_MODES = {"zeros": "constant", "circular": "wrap", "replicate": "edge", "reflect": "reflect"}


@pytest.mark.parametrize("first", NUMPY_MODES)
@pytest.mark.parametrize("second", NUMPY_MODES)
def test_two_axes_are_padded_as_numpy_pads_one_after_the_other(first, second):
    x = torch.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)
    expected = np.pad(x.numpy(), ((0, 0), (0, 0), (2, 2), (0, 0)), mode=NUMPY_MODES[first])
    expected = np.pad(expected, ((0, 0), (0, 0), (0, 0), (3, 3)), mode=NUMPY_MODES[second])
    assert np.array_equal(pad_axes(x, (2, 3), (first, second)).numpy(), expected)


@pytest.mark.parametrize("mode", NUMPY_MODES)
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_one_mode_for_all_axes_equals_torch_pad(mode, dims):
    x = torch.randn(2, 3, *(4, 5, 6)[:dims])
    padding = (1, 2, 3)[:dims]
    widths = [p for axis in reversed(padding) for p in (axis, axis)]
    expected = F.pad(x, widths, mode={"zeros": "constant"}.get(mode, mode))
    assert torch.equal(pad_axes(x, padding, (mode,) * dims), expected)


def test_a_circular_axis_turns_with_its_input():
    x = torch.randn(1, 2, 5, 8)
    modes = ("replicate", "circular")
    padded = pad_axes(x.roll(3, -1), (1, 2), modes)[..., 2:-2]
    assert torch.equal(padded, pad_axes(x, (1, 2), modes)[..., 2:-2].roll(3, -1))


@pytest.mark.parametrize("mode", NUMPY_MODES)
def test_gradient_counts_how_often_each_element_was_copied(mode):
    x = torch.zeros(1, 1, 4, requires_grad=True)
    pad_axes(x, (2,), (mode,)).sum().backward()
    assert x.grad is not None
    copies = np.bincount(np.pad(np.arange(4), 2, mode=NUMPY_MODES[mode]), minlength=4)
    if mode == "zeros":  # numpy's constant is the index 0
        copies[0] -= 4
    assert x.grad.flatten().tolist() == copies.tolist()


def test_no_padding_returns_the_input():
    x = torch.randn(1, 1, 3)
    assert pad_axes(x, (0,), ("circular",)) is x


def test_same_padding_keeps_the_size():
    padding = same_padding((3, 7), (2, 3))
    assert padding == (2, 9)
    y = F.conv2d(torch.zeros(1, 1, 20, 20), torch.zeros(1, 1, 3, 7), None, 1, padding, (2, 3))
    assert y.shape == (1, 1, 20, 20)


@pytest.mark.parametrize(
    ("padding", "modes", "message"),
    [
        ((5,), ("circular",), "padding=5 on axis 2 of size 4: circular padding takes at most 4"),
        ((4,), ("reflect",), "padding=4 on axis 2 of size 4: reflect padding takes at most 3"),
        ((1,), ("wrap",), r"padding_mode=\('wrap',\): expected one of zeros, circular"),
        ((-1,), ("zeros",), r"padding=\(-1,\): expected an integer >= 0"),
        ((1, 1), ("zeros",), r"padding=\(1, 1\): expected an integer >= 0, or 1 of them"),
        ((1,) * 4, ("zeros",) * 4, "x has 3 axes, expected at least 4"),
    ],
)
def test_impossible_padding_is_refused(padding, modes, message):
    with pytest.raises(ValueError, match=message):
        pad_axes(torch.zeros(1, 1, 4), padding, modes)


def test_one_value_serves_all_axes():
    assert per_axis(3, 2, "kernel_size") == (3, 3)
    assert per_axis((1, 2), 2, "kernel_size") == (1, 2)
    assert padding_modes("circular", 2) == ("circular", "circular")


def test_wrong_counts_are_refused():
    with pytest.raises(ValueError, match=r"stride=\(1, 2, 3\): expected an integer >= 1, or 2"):
        per_axis((1, 2, 3), 2, "stride")
    with pytest.raises(ValueError, match="stride=0: expected an integer >= 1"):
        per_axis(0, 2, "stride")
    with pytest.raises(ValueError, match=r"padding_mode=\('zeros',\): .* or 2 of them"):
        padding_modes(("zeros",), 2)
    with pytest.raises(ValueError, match=r"kernel_size=\(3, 4\): expected odd sizes"):
        same_padding((3, 4), (1, 1))
