"""Autocast on any device: torch's own questions raise on "meta", which has none."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def autocast_dtype(kind: str) -> torch.dtype | None:
    """The type that autocast casts to on devices of ``kind``; none where it is off."""
    if kind == "meta" or not torch.is_autocast_enabled(kind):
        return None
    return torch.get_autocast_dtype(kind)


def autocast(x: Tensor) -> Tensor:
    """``x`` in the type that autocast casts to: for what it does not cast itself."""
    dtype = autocast_dtype(x.device.type)
    return x if dtype is None or x.dtype == torch.float64 else x.to(dtype)


def autocast_to(kind: str, dtype: torch.dtype | None) -> AbstractContextManager[object]:
    """Autocast to ``dtype`` within a ``with`` block, or no autocast for none."""
    if kind == "meta":
        return nullcontext()
    return torch.autocast(kind, dtype, enabled=dtype is not None)
