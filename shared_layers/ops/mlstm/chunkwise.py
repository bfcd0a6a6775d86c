"""The matrix LSTM cell in chunks of L steps: matrix products inside, a scan over chunks outside.

O(S·L) instead of the parallel form's O(S²); only S/L steps are sequential.  In chunk c, with
b_t = Σ_{r<=t} log σ(f_r) from the chunk's start, g = b_L and a_s = g - b_s + i_s:

    m_c = max(g + m_{c-1}, max_s a_s),   C_c = e^{g+m_{c-1}-m_c} C_{c-1} + Kᵀ diag(e^{a-m_c}) V
    out = (q̃ Kᵀ ⊙ e^{D-m}) V  +  e^{b+m_{c-1}-m} q̃ C_{c-1},    D_ts = b_t - b_s + i_s

V carries a column of ones, so that the normaliser is the last column of every product.

Legend: N batch times head, C chunk, L step in a chunk, D feature of q and k, E feature of v (+1).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

# Stands for -inf where nothing was written yet: its exp is 0, and differences are not NaN.
_NOTHING = -1e30


class Chunks(NamedTuple):
    q: Tensor  # N C L D, times 1/√D
    k: Tensor  # N C L D
    v: Tensor  # N C L E+1
    log_input: Tensor  # N C L
    log_decay: Tensor  # N C L, b
    to_end: Tensor  # N C L, a


class Saved(NamedTuple):
    """What the backward pass needs besides the inputs.

    Attributes:
        states: C before each chunk (N, C, D, E+1), times e^{-m}.
        state_maximum: m before each chunk and after the last (N, C+1).
        maximum: m of each step (N, C, L).
        normalizer: last column of ``out``, signed (N, C, L).
    """

    states: Tensor
    state_maximum: Tensor
    maximum: Tensor
    normalizer: Tensor


def split(
    q: Tensor, k: Tensor, v: Tensor, input_gate: Tensor, forget_gate: Tensor, length: int
) -> Chunks:
    missing = -q.shape[2] % length

    def chunks(t: Tensor, fill: float = 0.0) -> Tensor:
        flat = t.flatten(0, 1)
        if missing:
            # Steps that write nothing (input gate 0) and forget nothing (forget gate 1).
            flat = F.pad(flat, (0, 0) * (flat.dim() - 2) + (0, missing), value=fill)
        return flat.unflatten(1, (-1, length))

    # No initial state and the chunk's own first gate: b starts with the gate of its first step.
    log_decay = F.logsigmoid(chunks(forget_gate, math.inf)).cumsum(-1)
    log_input = chunks(input_gate, -math.inf)
    return Chunks(
        chunks(q) * (1 / math.sqrt(q.shape[-1])),
        chunks(k),
        F.pad(chunks(v), (0, 1), value=1.0),
        log_input,
        log_decay,
        log_decay[..., -1:] - log_decay + log_input,
    )


def _state_maximum(x: Chunks) -> Tensor:
    """m before each chunk and after the last (N, C+1)."""
    largest = x.to_end.amax(-1).clamp_min(_NOTHING)  # N C
    total = x.log_decay[..., -1].cumsum(-1)
    running = total + (largest - total).cummax(-1).values
    return F.pad(running.clamp_min(_NOTHING), (1, 0), value=_NOTHING)


def row_weights(x: Chunks, maximum: Tensor | None, before: Tensor) -> tuple[Tensor, Tensor]:
    """e^{D-m} (N, C, L, L), zero above the diagonal, and m (N, C, L)."""
    length = x.q.shape[2]
    future = torch.full((length, length), -math.inf, dtype=x.q.dtype, device=x.q.device).triu_(1)
    exponent = (x.log_input - x.log_decay).unsqueeze(-2) + future
    if maximum is None:
        # b_t is constant along a row, so that the row maximum can wait for it.
        maximum = torch.maximum(exponent.amax(-1), before.unsqueeze(-1)) + x.log_decay
        maximum = maximum.clamp_min(_NOTHING)
    return exponent.add_((x.log_decay - maximum).unsqueeze(-1)).exp_(), maximum


def scan(increments: Tensor, decay: Tensor, is_reversed: bool) -> Tensor:
    """State before each chunk (after it, in reverse) from what each adds (N, C, D, E)."""
    states = torch.empty_like(increments)
    count = increments.shape[1]
    order = range(count - 1, -1, -1) if is_reversed else range(count)
    running = torch.zeros_like(increments[:, 0])
    for c in order:
        states[:, c] = running
        running = torch.addcmul(increments[:, c], running, decay[:, c, None, None])
    return states


def forward(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    input_gate: Tensor,
    forget_gate: Tensor,
    length: int,
    eps: float,
    is_triton: bool = False,
) -> tuple[Tensor, Saved]:
    """h (B, H, S, E), and what the backward pass needs."""
    x = split(q, k, v, input_gate, forget_gate, length)
    bounds = _state_maximum(x)  # N C+1
    before, after = bounds[:, :-1], bounds[:, 1:]
    write = x.k * torch.exp(x.to_end - after.unsqueeze(-1)).unsqueeze(-1)
    decay = torch.exp(x.log_decay[..., -1] + before - after)
    states = scan(write.mT @ x.v, decay, is_reversed=False)  # N C D E+1

    if is_triton:
        from shared_layers.ops.mlstm.triton_kernel import chunk_output

        h, maximum, normalizer = chunk_output(
            x.q, x.k, x.v, x.log_input, x.log_decay, states, before, _NOTHING, eps
        )
    else:
        h, maximum, normalizer = _chunk_output(x, states, before, eps)
    h = h.flatten(1, 2)[:, : q.shape[2]].reshape(v.shape)
    return h, Saved(states, bounds, maximum, normalizer)


def _chunk_output(
    x: Chunks, states: Tensor, before: Tensor, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """h (N, C, L, E), m and the normaliser (N, C, L)."""
    scores, maximum = row_weights(x, None, before)
    scores *= x.q @ x.k.mT
    carry = torch.exp(x.log_decay + before.unsqueeze(-1) - maximum).unsqueeze(-1)
    out = scores @ x.v
    out += (x.q * carry) @ states
    normalizer = out[..., -1].contiguous()
    denominator = torch.maximum(normalizer.abs(), torch.exp(-maximum)) + eps
    return out[..., :-1] / denominator.unsqueeze(-1), maximum, normalizer
