"""``shared_layers::log_iv`` and friends: custom ops on float64 tensors of one shape.

Derivatives in x, with r = I_{v+1}/I_v and R = K_{v+1}/K_v (DLMF 10.29.2, then Riccati):

    d log I / dx = r + v/x        r' = 1 - r² - (2v+1) r/x
    d log K / dx = v/x - R        R' = R² - 1 - (2v+1) R/x

so that every order of derivative in x is available; there is none in the order v.  At x = 0, where
r/x is 0/0, r' is its limit 1/(2(v+1)) as a constant, so that only r'' = 0 is still right there.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from shared_layers.config import active_mode
from shared_layers.ops import native
from shared_layers.ops.log_bessel import reference

SOURCE = Path(__file__).with_name("cpu.cpp")


def _run(name: str, v: Tensor, x: Tensor) -> Tensor:
    mode = active_mode()
    if mode == "cpp" and x.device.type == "cpu":
        native.library(SOURCE)
    elif mode == "reference" or x.device.type != "cpu" or not native.is_live(SOURCE):
        plain: Callable[[Tensor, Tensor], Tensor] = getattr(reference, name)
        return plain(v, x).contiguous()
    order, argument = v.contiguous(), x.contiguous()
    out = torch.empty_like(argument)
    getattr(native.library(SOURCE), name)(
        native.pointer(order),
        native.pointer(argument),
        ctypes.c_int64(out.numel()),
        native.pointer(out),
        ctypes.c_int64(torch.get_num_threads()),
    )
    return out


@torch.library.custom_op("shared_layers::log_iv", mutates_args=())
def log_iv(v: Tensor, x: Tensor) -> Tensor:
    """log I_v(x)."""
    return _run("log_iv", v, x)


@torch.library.custom_op("shared_layers::log_kv", mutates_args=())
def log_kv(v: Tensor, x: Tensor) -> Tensor:
    """log K_v(x)."""
    return _run("log_kv", v, x)


@torch.library.custom_op("shared_layers::bessel_ratio_iv", mutates_args=())
def ratio_iv(v: Tensor, x: Tensor) -> Tensor:
    """I_{v+1}(x) / I_v(x)."""
    return _run("ratio_iv", v, x)


@torch.library.custom_op("shared_layers::bessel_ratio_kv", mutates_args=())
def ratio_kv(v: Tensor, x: Tensor) -> Tensor:
    """K_{v+1}(x) / K_v(x)."""
    return _run("ratio_kv", v, x)


def _fake(v: Tensor, x: Tensor) -> Tensor:
    return x.new_empty(x.shape)


def _save_arguments(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _save_with_output(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs, output)


def _log_iv_backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor]:
    v, x = ctx.saved_tensors
    # v/x is 0 for v = 0, at x = 0 too
    return None, grad * (ratio_iv(v, x) + v / torch.where(v == 0, 1.0, x))


def _log_kv_backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor]:
    v, x = ctx.saved_tensors
    return None, grad * (v / x - ratio_kv(v, x))


def _ratio_iv_backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor]:
    v, x, ratio = ctx.saved_tensors
    slope = 1 - ratio**2 - (2 * v + 1) * ratio / torch.where(x == 0, 1.0, x)
    return None, grad * torch.where(x == 0, 0.5 / (v + 1), slope)


def _ratio_kv_backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor]:
    v, x, ratio = ctx.saved_tensors
    return None, grad * (ratio**2 - 1 - (2 * v + 1) * ratio / x)


for _op in (log_iv, log_kv, ratio_iv, ratio_kv):
    _op.register_fake(_fake)
log_iv.register_autograd(_log_iv_backward, setup_context=_save_arguments)
log_kv.register_autograd(_log_kv_backward, setup_context=_save_arguments)
ratio_iv.register_autograd(_ratio_iv_backward, setup_context=_save_with_output)
ratio_kv.register_autograd(_ratio_kv_backward, setup_context=_save_with_output)
