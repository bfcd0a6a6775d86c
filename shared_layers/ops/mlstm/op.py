"""``shared_layers::mlstm_chunkwise``: the custom op around ``chunkwise.py`` and its backward.

Half precisions are computed in float32, under autocast too.  The gradient itself is not
differentiable.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from shared_layers.config import active_mode
from shared_layers.ops import triton_state
from shared_layers.ops.autocast import autocast_to
from shared_layers.ops.mlstm import chunkwise, chunkwise_backward
from shared_layers.ops.mlstm.reference import check_arguments, mlstm_parallel
from shared_layers.ops.precision import at_least_float32

Results = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


def _is_triton(q: Tensor, v: Tensor, length: int) -> bool:
    """Whether the Triton form runs: only where it is asked for, as no GPU has measured it yet."""
    if active_mode() != "triton":
        return False
    triton_state.require(q)
    from shared_layers.ops.mlstm import triton_kernel

    return triton_kernel.covers(q, v, length)


@torch.library.custom_op("shared_layers::mlstm_chunkwise", mutates_args=())
def forward(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    input_gate: Tensor,
    forget_gate: Tensor,
    length: int,
    eps: float,
) -> Results:
    """h (B, H, S, E) and the four tensors of :class:`chunkwise.Saved`."""
    is_triton = _is_triton(q, v, length)
    q_, k_, v_, i_, f_ = map(at_least_float32, (q, k, v, input_gate, forget_gate))
    with autocast_to(q.device.type, None):
        h, saved = chunkwise.forward(q_, k_, v_, i_, f_, length, eps, is_triton)
    return h.to(v.dtype).contiguous(), *saved


@forward.register_fake
def _(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    input_gate: Tensor,
    forget_gate: Tensor,
    length: int,
    eps: float,
) -> Results:
    rows, count = q.shape[0] * q.shape[1], (q.shape[2] + length - 1) // length
    wide = at_least_float32(q.new_empty(0))
    return (
        v.new_empty(v.shape),
        wide.new_empty(rows, count, q.shape[3], v.shape[3] + 1),
        wide.new_empty(rows, count + 1),
        wide.new_empty(rows, count, length),
        wide.new_empty(rows, count, length),
    )


@torch.library.custom_op("shared_layers::mlstm_chunkwise_backward", mutates_args=())
def backward(
    grad: Tensor,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    input_gate: Tensor,
    forget_gate: Tensor,
    h: Tensor,
    states: Tensor,
    state_maximum: Tensor,
    maximum: Tensor,
    normalizer: Tensor,
    length: int,
    eps: float,
) -> Results:
    """The gradients for q, k, v, input gate and forget gate."""
    g_, q_, k_, v_, i_, f_, h_ = map(at_least_float32, (grad, q, k, v, input_gate, forget_gate, h))
    saved = chunkwise.Saved(states, state_maximum, maximum, normalizer)
    with autocast_to(q.device.type, None):
        gradients = chunkwise_backward.backward(g_, q_, k_, v_, i_, f_, h_, saved, length, eps)
    q_, k_, v_, i_, f_ = (g.to(q.dtype) for g in gradients)
    return q_, k_, v_, i_, f_


@backward.register_fake
def _(grad: Tensor, q: Tensor, k: Tensor, v: Tensor, i: Tensor, f: Tensor, *rest: Any) -> Results:
    a, b, c, d, e = (
        torch.empty_like(t, memory_format=torch.contiguous_format) for t in (q, k, v, i, f)
    )
    return a, b, c, d, e


def _save(ctx: Any, inputs: tuple[Any, ...], output: Results) -> None:
    *tensors, ctx.length, ctx.eps = inputs
    ctx.save_for_backward(*tensors, *output)
    ctx.mark_non_differentiable(*output[1:])


def _backward(ctx: Any, grad: Tensor, *unused: Any) -> tuple[Any, ...]:
    gradients = backward(grad.contiguous(), *ctx.saved_tensors, ctx.length, ctx.eps)
    return *gradients, None, None


forward.register_autograd(_backward, setup_context=_save)


def mlstm_chunkwise(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    input_gate: Tensor,
    forget_gate: Tensor,
    eps: float = 1e-6,
    chunk_size: int = 64,
) -> Tensor:
    """The parallel form's result in O(S·chunk_size): the form to train with.

    Args:
        q, k: (B, H, S, D), S >= 1.
        v: (B, H, S, E).
        input_gate, forget_gate: pre-activations (B, H, S).
        eps: added to the denominator, >= 0.
        chunk_size: steps per chunk, >= 1; 64 to 128 is fastest for D of that size.

    Returns:
        h (B, H, S, E).

    Raises:
        ValueError: shapes or types that do not go together, ``chunk_size`` < 1.
    """
    check_arguments(q, k, v, input_gate, forget_gate, eps)
    if chunk_size < 1:
        raise ValueError(f"chunk_size={chunk_size}: expected an integer >= 1")
    if active_mode() == "reference":
        return mlstm_parallel(q, k, v, input_gate, forget_gate, eps)
    return forward(q, k, v, input_gate, forget_gate, min(chunk_size, q.shape[2]), eps)[0]
