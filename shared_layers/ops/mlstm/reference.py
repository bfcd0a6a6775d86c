"""The matrix LSTM cell in its two defining forms: one step at a time, and all steps at once.

M. Beck et al., "xLSTM: Extended Long Short-Term Memory", NeurIPS 2024, arXiv:2405.04517, section
2.3.  With exponential input gate i, forget gate σ(f) and q̃ = q/√d:

    C_t = σ(f_t) C_{t-1} + e^{i_t} k_t v_tᵀ,   n_t = σ(f_t) n_{t-1} + e^{i_t} k_t
    h_t = C_tᵀ q̃_t / max(|n_tᵀ q̃_t|, 1)

carried times e^{-m_t} with m_t the largest exponent so far, which bounds every number.  ``eps`` is
added to the scaled denominator; with eps = 0 the stabiliser cancels and all forms agree.  Half
precisions are computed in float32, under autocast too.

Legend: B batch, H head, S step, D feature of q and k, E feature of v.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from shared_layers.ops.autocast import autocast_to
from shared_layers.ops.precision import at_least_float32


class MLSTMState(NamedTuple):
    """What a cell carries from step to step, all times e^{-maximum}, in float32 at least.

    Attributes:
        memory: C (B, H, D, E).
        normalizer: n (B, H, D).
        maximum: m (B, H), -inf at the start.
    """

    memory: Tensor
    normalizer: Tensor
    maximum: Tensor


def check_arguments(
    q: Tensor, k: Tensor, v: Tensor, input_gate: Tensor, forget_gate: Tensor, eps: float
) -> None:
    """Check the arguments that all forms share.

    Raises:
        ValueError: shapes or types that do not go together, no step, or a negative ``eps``.
    """
    if q.dim() != 4 or q.shape != k.shape or v.shape[:-1] != q.shape[:-1] or q.shape[2] < 1:
        raise ValueError(
            f"q, k, v have shapes {tuple(q.shape)}, {tuple(k.shape)}, {tuple(v.shape)}: "
            "expected (B, H, S >= 1, D), the same, and (B, H, S, E)"
        )
    for name, gate in (("input_gate", input_gate), ("forget_gate", forget_gate)):
        if gate.shape != q.shape[:-1]:
            raise ValueError(
                f"{name} has shape {tuple(gate.shape)}: expected {tuple(q.shape[:-1])}"
            )
    types = {t.dtype for t in (q, k, v, input_gate, forget_gate)}
    if len(types) > 1:
        raise ValueError(f"the arguments mix {sorted(map(str, types))}: expected one type")
    if eps < 0:
        raise ValueError(f"eps={eps}: expected a number >= 0")


def mlstm_parallel(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    input_gate: Tensor,
    forget_gate: Tensor,
    eps: float = 1e-6,
) -> Tensor:
    """All steps at once, O(S²) time and memory, as the xLSTM paper's appendix A.3 has it.

    With D_ts = Σ_{s<r<=t} log σ(f_r) + i_s and m_t = max_s D_ts:
    h = (S v) / (max(|S 1|, e^{-m}) + eps),  S = (q̃ kᵀ) ⊙ e^{D-m}.  The forget gate of step s does
    not act on the input of step s.

    Args:
        q, k: (B, H, S, D), S >= 1.
        v: (B, H, S, E).
        input_gate, forget_gate: pre-activations (B, H, S).
        eps: added to the denominator, >= 0.

    Returns:
        h (B, H, S, E).
    """
    check_arguments(q, k, v, input_gate, forget_gate, eps)
    dtype, steps = v.dtype, q.shape[2]
    q, k, v, input_gate, forget_gate = map(at_least_float32, (q, k, v, input_gate, forget_gate))
    decay = F.logsigmoid(forget_gate).cumsum(-1)
    future = torch.ones(steps, steps, dtype=torch.bool, device=q.device).triu(1)
    exponent = decay.unsqueeze(-1) - decay.unsqueeze(-2) + input_gate.unsqueeze(-2)  # B H S S
    exponent = exponent.masked_fill(future, -math.inf)
    maximum = exponent.amax(-1, keepdim=True)  # B H S 1
    with autocast_to(q.device.type, None):
        scores = (q / math.sqrt(q.shape[-1])) @ k.mT * torch.exp(exponent - maximum)
        normalizer = torch.maximum(scores.sum(-1, keepdim=True).abs(), torch.exp(-maximum))
        return (scores @ v / (normalizer + eps)).to(dtype)


def mlstm_recurrent(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    input_gate: Tensor,
    forget_gate: Tensor,
    eps: float = 1e-6,
    state: MLSTMState | None = None,
) -> tuple[Tensor, MLSTMState]:
    """One step after the other, O(S) time and O(1) memory: for streams, and as the definition.

    Args:
        q, k, v, input_gate, forget_gate, eps: as :func:`mlstm_parallel`.
        state: where an earlier call ended; none to begin.

    Returns:
        h (B, H, S, E) and the state after the last step, in float32 at least.
    """
    check_arguments(q, k, v, input_gate, forget_gate, eps)
    dtype = v.dtype
    q, k, v, input_gate, forget_gate = map(at_least_float32, (q, k, v, input_gate, forget_gate))
    if state is None:
        state = MLSTMState(
            q.new_zeros(*q.shape[:2], q.shape[-1], v.shape[-1]),
            q.new_zeros(*q.shape[:2], q.shape[-1]),
            q.new_full(q.shape[:2], -math.inf),
        )
    scaled, log_forget = q / math.sqrt(q.shape[-1]), F.logsigmoid(forget_gate)
    outputs = []
    with autocast_to(q.device.type, None):
        for t in range(q.shape[2]):
            out, state = _step(
                scaled[:, :, t],
                k[:, :, t],
                v[:, :, t],
                input_gate[:, :, t],
                log_forget[:, :, t],
                state,
                eps,
            )
            outputs.append(out)
    return torch.stack(outputs, 2).to(dtype), state


def _step(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    log_input: Tensor,
    log_forget: Tensor,
    state: MLSTMState,
    eps: float,
) -> tuple[Tensor, MLSTMState]:
    memory, normalizer, maximum = state
    following = torch.maximum(log_forget + maximum, log_input)  # B H
    forget = torch.exp(log_forget + maximum - following)[..., None]
    write = torch.exp(log_input - following)[..., None] * k  # B H D
    memory = forget[..., None] * memory + write[..., None] * v.unsqueeze(-2)
    normalizer = forget * normalizer + write
    amount = (q * normalizer).sum(-1).abs()
    denominator = torch.maximum(amount, torch.exp(-following)) + eps
    out = (q.unsqueeze(-2) @ memory).squeeze(-2) / denominator.unsqueeze(-1)
    return out, MLSTMState(memory, normalizer, following)
