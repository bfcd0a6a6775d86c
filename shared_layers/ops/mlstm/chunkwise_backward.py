"""The gradient of the chunkwise mLSTM, written out.

With the notation of ``chunkwise.py``; the scan runs over chunks in reverse with the same decays:

    R_{c-1} = e^{g+m_{c-1}-m_c} R_c + Q̃ᵀ diag(e^{b+m_{c-1}-m}) G,    G = ∂loss/∂out

The stabilisers are constants there: they cancel, up to terms of order eps.

Legend: N batch times head, C chunk, L step in a chunk, D feature of q and k, E feature of v (+1).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from shared_layers.ops.mlstm.chunkwise import Saved, row_weights, scan, split


def backward(
    grad: Tensor,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    input_gate: Tensor,
    forget_gate: Tensor,
    h: Tensor,
    saved: Saved,
    length: int,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The gradients for q, k, v, input gate and forget gate."""
    x = split(q, k, v, input_gate, forget_gate, length)
    steps = q.shape[2]
    before, after = saved.state_maximum[:, :-1], saved.state_maximum[:, 1:]
    scores_grad = _output_gradient(grad, h, saved, length, eps)  # N C L E+1

    carry = torch.exp(x.log_decay + before.unsqueeze(-1) - saved.maximum).unsqueeze(-1)
    decay = torch.exp(x.log_decay[..., -1] + before - after)
    write = torch.exp(x.to_end - after.unsqueeze(-1)).unsqueeze(-1)
    later = scan((x.q * carry).mT @ scores_grad, decay, is_reversed=True)  # N C D E+1

    weights, _ = row_weights(x, saved.maximum, before)
    probability = (x.q @ x.k.mT).mul_(weights)
    for_v = probability.mT @ scores_grad[..., :-1]
    for_v += (x.k * write) @ later[..., :-1]
    for_scores = weights.mul_(scores_grad @ x.v.mT)  # N C L L
    for_q = for_scores @ x.k
    for_q += (scores_grad * carry) @ saved.states.mT
    for_k = for_scores.mT @ x.q
    for_k += (x.v * write) @ later.mT

    # D_ts = F_t - F_s + i_s: its gradient's row sums are q·dq and its column sums k·dk.
    column = (x.k * for_k).sum(-1)
    row = (x.q * for_q).sum(-1)
    difference = (row - column).flatten(1, 2)[:, :steps].double()
    for_decay = difference.flip(-1).cumsum(-1).flip(-1).to(q.dtype).reshape(forget_gate.shape)
    joined = [t.flatten(1, 2)[:, :steps] for t in (for_q, for_k, for_v, column)]
    return (
        (joined[0] * (1 / math.sqrt(q.shape[-1]))).reshape(q.shape),
        joined[1].reshape(k.shape).contiguous(),
        joined[2].reshape(v.shape).contiguous(),
        joined[3].reshape(input_gate.shape).contiguous(),
        for_decay * torch.sigmoid(-forget_gate),
    )


def _output_gradient(grad: Tensor, h: Tensor, saved: Saved, length: int, eps: float) -> Tensor:
    """∂loss/∂out (N, C, L, E+1): of the numerator, and of the normaliser where it decides."""
    missing = -grad.shape[2] % length

    def chunks(t: Tensor) -> Tensor:
        return F.pad(t.flatten(0, 1), (0, 0, 0, missing)).unflatten(1, (-1, length))

    grad, h = chunks(grad), chunks(h)
    floor = torch.exp(-saved.maximum)
    size = saved.normalizer.abs()
    denominator = (torch.maximum(size, floor) + eps).unsqueeze(-1)
    numerator = grad / denominator
    along = -(numerator * h).sum(-1) * torch.sign(saved.normalizer)
    return torch.cat([numerator, torch.where(size > floor, along, 0.0).unsqueeze(-1)], -1)
