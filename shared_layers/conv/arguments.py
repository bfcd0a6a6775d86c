"""Checks that the layers make on what they are given; each error repeats the value found."""

# B batch, C channels, S a spatial axis, T steps of a sequence

from collections.abc import Sequence

import torch
from torch import Tensor

from shared_layers.ops.autocast import autocast_dtype

# Autocast casts these to its type, and no other.
_CAST = {torch.float16, torch.bfloat16, torch.float32}


def check_feature_map(
    x: Tensor, channels: int, spatial_dims: int, dtype: torch.dtype, name: str = "input"
) -> None:
    """Refuse `x` unless it is (B, `channels`, S1 … S`spatial_dims`) of `dtype`.

    Under autocast the types may differ: PyTorch casts them at the convolution.

    Raises:
        ValueError: wrong number of axes, of channels, or another type than the weights.
    """
    axes = ", ".join(["B", str(channels)] + [f"S{n + 1}" for n in range(spatial_dims)])
    if x.dim() != spatial_dims + 2 or x.shape[1] != channels:
        raise ValueError(f"{name} has shape {tuple(x.shape)}: expected ({axes})")
    check_dtype(x, dtype, name)


def check_sequence(x: Tensor, features: int, dtype: torch.dtype, name: str = "input") -> None:
    """Refuse `x` unless it is (B, T, `features`) of `dtype`; types may differ under autocast.

    Raises:
        ValueError: another number of axes, another last axis, or another type than the weights.
    """
    if x.dim() != 3 or x.shape[2] != features:
        raise ValueError(f"{name} has shape {tuple(x.shape)}: expected (B, T, {features})")
    check_dtype(x, dtype, name)


def check_features(x: Tensor, features: int, dtype: torch.dtype) -> None:
    """Refuse `x` unless its last axis is `features` long and it is of `dtype`.

    Raises:
        ValueError: another last axis, or another type than the weights.
    """
    if x.shape[-1] != features:
        raise ValueError(f"input has shape {tuple(x.shape)}: expected (…, {features})")
    check_dtype(x, dtype)


def check_channels(x: Tensor, channels: int, dtype: torch.dtype, min_dims: int = 2) -> None:
    """Refuse `x` unless it is (B, `channels`, …) of `dtype`, with `min_dims` axes or more.

    Raises:
        ValueError: too few axes, another second axis, or another type than the weights.
    """
    if x.dim() < min_dims or x.shape[1] != channels:
        spatial = ", S…" if min_dims > 2 else ", …"
        raise ValueError(f"input has shape {tuple(x.shape)}: expected (B, {channels}{spatial})")
    check_dtype(x, dtype)


def check_dtype(x: Tensor, dtype: torch.dtype, name: str = "input") -> None:
    """Refuse `x` unless it is of `dtype`, or autocast is on and casts both where they are used.

    Raises:
        ValueError: names both types.
    """
    is_cast = autocast_dtype(x.device.type) is not None and {x.dtype, dtype} <= _CAST
    if x.dtype != dtype and not is_cast:
        raise ValueError(f"{name} is {x.dtype}: expected {dtype}, the type of the weights")


def check_mask(mask: Tensor, shape: Sequence[int]) -> None:
    """Refuse `mask` unless it is bool and of `shape`.

    Raises:
        ValueError: names shape and type.
    """
    if tuple(mask.shape) != tuple(shape) or mask.dtype != torch.bool:
        raise ValueError(
            f"mask of shape {tuple(mask.shape)} and {mask.dtype}: "
            f"expected {tuple(shape)} and torch.bool"
        )


def check_positive(**values: int) -> None:
    """Refuse any of the named `values` below one.

    Raises:
        ValueError: names the first value that is not a positive integer.
    """
    for name, value in values.items():
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{name}={value!r}: expected an integer >= 1")


def positive_integers(name: str, values: Sequence[int]) -> tuple[int, ...]:
    """Return `values` as a tuple, refused if empty or if any is below one.

    Raises:
        ValueError: names the values.
    """
    is_right = isinstance(values, Sequence) and len(values) > 0
    if not is_right or not all(isinstance(value, int) and value >= 1 for value in values):
        raise ValueError(f"{name}={values!r}: expected one or more integers >= 1")
    return tuple(values)


def check_divisible(name: str, value: int, divisor_name: str, divisor: int) -> None:
    """Refuse `value` unless it is a positive integer and `divisor` divides it.

    Raises:
        ValueError: names both values, or the one that is not a positive integer.
    """
    check_positive(**{name: value, divisor_name: divisor})
    if value % divisor:
        raise ValueError(f"{name}={value}: expected a multiple of {divisor_name}={divisor}")
