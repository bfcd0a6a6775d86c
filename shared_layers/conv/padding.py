"""Padding of the trailing axes of a tensor, with one mode for each axis.

A latitude-longitude grid wraps in longitude only, a pipe wraps around but ends in zeros at its
mouths: ``torch.nn.functional.pad`` knows one mode for all axes, this module one for each. The axes
are treated one after the other; each mode is a linear map that acts on one axis alone, so that
their order does not change the result, corners included.
"""

# B batch, C channels, S a spatial axis

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

PADDING_MODES = ("zeros", "circular", "replicate", "reflect")


def per_axis(
    value: int | Sequence[int], num_axes: int, name: str, minimum: int = 1
) -> tuple[int, ...]:
    """Return `value` as one integer per spatial axis.

    Args:
        value: one integer for all axes, or one for each.
        num_axes: number of spatial axes.
        name: what the value is called in the error.
        minimum: smallest value taken.

    Raises:
        ValueError: wrong count, or a value that is not an integer of at least `minimum`.
    """
    values = tuple(value) if isinstance(value, Sequence) else (value,) * num_axes
    if len(values) != num_axes or not all(isinstance(v, int) and v >= minimum for v in values):
        raise ValueError(
            f"{name}={value!r}: expected an integer >= {minimum}, "
            f"or {num_axes} of them (one per axis)"
        )
    return values


def padding_modes(padding_mode: str | Sequence[str], num_axes: int) -> tuple[str, ...]:
    """Return `padding_mode` as one mode per spatial axis.

    Raises:
        ValueError: wrong count, or a mode that is not one of `PADDING_MODES`.
    """
    if isinstance(padding_mode, str):
        modes: tuple[str, ...] = (padding_mode,) * num_axes
    else:
        modes = tuple(padding_mode) if isinstance(padding_mode, Sequence) else ()
    if len(modes) != num_axes or any(mode not in PADDING_MODES for mode in modes):
        raise ValueError(
            f"padding_mode={padding_mode!r}: expected one of {', '.join(PADDING_MODES)}, "
            f"or {num_axes} of them (one per axis)"
        )
    return modes


def same_padding(kernel_size: Sequence[int], dilation: Sequence[int]) -> tuple[int, ...]:
    """Return the symmetric padding d·(k − 1)/2 per axis which keeps the size at stride 1.

    Raises:
        ValueError: an even kernel, which has no middle.
    """
    if any(k % 2 == 0 for k in kernel_size):
        raise ValueError(
            f"kernel_size={tuple(kernel_size)}: expected odd sizes, an even kernel has no middle "
            'for padding="same"'
        )
    return tuple(d * (k - 1) // 2 for k, d in zip(kernel_size, dilation, strict=True))


def padding_sizes(
    padding: str | int | Sequence[int], kernel_size: Sequence[int], dilation: Sequence[int]
) -> tuple[int, ...]:
    """Return the elements added on each side of each axis.

    Args:
        padding: "same" (the size is kept at stride 1), "valid" (none), one integer or one per axis.
        kernel_size, dilation: one per axis.

    Raises:
        ValueError: another word, an even kernel for "same", a wrong count or a negative number.
    """
    if padding == "same":
        return same_padding(kernel_size, dilation)
    if padding == "valid":
        return (0,) * len(kernel_size)
    if isinstance(padding, str):
        raise ValueError(f"padding={padding!r}: expected 'same', 'valid' or integers >= 0")
    return per_axis(padding, len(kernel_size), "padding", minimum=0)


def pad_axes(x: Tensor, padding: Sequence[int], modes: Sequence[str]) -> Tensor:
    """Return `x` with its last ``len(padding)`` axes padded on both sides.

    Args:
        x: tensor whose last axes are padded, for example (B, C, S1, S2).
        padding: number of elements added on each side of each axis, first padded axis first.
        modes: for each axis "zeros", "circular" (the axis wraps), "replicate" (the edge value is
            repeated) or "reflect" (mirrored, edge not repeated).

    Returns:
        (B, C, S1 + 2·p1, S2 + 2·p2)

    Raises:
        ValueError: counts differ, an unknown mode, a negative padding, an axis shorter than its
            wrap or mirror needs.

    Example:
        >>> x = torch.arange(3.0).reshape(1, 1, 1, 3)
        >>> pad_axes(x, (0, 1), ("zeros", "circular")).flatten().tolist()
        [2.0, 0.0, 1.0, 2.0, 0.0]
    """
    padding = per_axis(tuple(padding), len(modes), "padding", minimum=0)
    modes = padding_modes(tuple(modes), len(padding))
    if x.dim() < len(padding):
        raise ValueError(f"x has {x.dim()} axes, expected at least {len(padding)} to pad")

    zero_widths: list[int] = []  # F.pad wants the last axis first
    for axis, (width, mode) in enumerate(zip(padding, modes, strict=True), x.dim() - len(padding)):
        is_zero = mode == "zeros"
        zero_widths[:0] = (width, width) if is_zero else (0, 0)
        if not is_zero and width > 0:
            x = _pad_one(x, axis, width, mode)
    return F.pad(x, zero_widths) if any(zero_widths) else x


def _pad_one(x: Tensor, axis: int, width: int, mode: str) -> Tensor:
    size = x.shape[axis]
    longest = {"circular": size, "reflect": size - 1}.get(mode)
    if longest is not None and width > longest:
        raise ValueError(
            f"padding={width} on axis {axis} of size {size}: {mode} padding takes at most {longest}"
        )
    if mode == "circular":
        before, after = x.narrow(axis, size - width, width), x.narrow(axis, 0, width)
    elif mode == "reflect":
        before = x.narrow(axis, 1, width).flip(axis)
        after = x.narrow(axis, size - 1 - width, width).flip(axis)
    else:
        shape = list(x.shape)
        shape[axis] = width
        before, after = (
            x.narrow(axis, 0, 1).expand(shape),
            x.narrow(axis, size - 1, 1).expand(shape),
        )
    return torch.cat((before, x, after), axis)
