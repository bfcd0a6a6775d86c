"""The Triton form of the part inside a chunk: one program per chunk, nothing L x L in memory.

Given the state before each chunk it computes, for the L steps of a chunk,

    out = (q̃ Kᵀ ⊙ e^{D-m}) [V 1] + e^{b+m_{c-1}-m} q̃ [C n],   h = out / (max(|·|, e^{-m}) + eps)

in float32 with exact products.  Importing this file needs Triton.

Legend: N batch times head, C chunk, L step in a chunk, D feature of q and k, E feature of v.
"""

from __future__ import annotations

import triton
import triton.language as tl
from torch import Tensor


@triton.jit
def chunk_kernel(
    q, k, v, log_input, log_decay, states, before, h, maximum, normalizer, floor, eps,
    L: tl.constexpr, D: tl.constexpr, E: tl.constexpr, WIDTH: tl.constexpr, BLOCK_E: tl.constexpr,
):  # fmt: skip
    chunk = tl.program_id(0).to(tl.int64)
    steps, features, values = tl.arange(0, L), tl.arange(0, D), tl.arange(0, BLOCK_E)
    rows = chunk * L + steps
    Q = tl.load(q + rows[:, None] * D + features[None, :])
    K = tl.load(k + rows[:, None] * D + features[None, :])
    is_value = values[None, :] < E
    # v and the states carry the normaliser in a last column, so that their rows are WIDTH long.
    V = tl.load(v + rows[:, None] * WIDTH + values[None, :], mask=is_value, other=0.0)
    start = states + chunk * D * WIDTH
    memory = tl.load(start + features[:, None] * WIDTH + values[None, :], mask=is_value, other=0.0)
    n = tl.load(start + features * WIDTH + E)
    b = tl.load(log_decay + rows)
    i = tl.load(log_input + rows)
    m_before = tl.load(before + chunk)

    exponent = b[:, None] - b[None, :] + i[None, :]
    exponent = tl.where(steps[:, None] >= steps[None, :], exponent, float("-inf"))
    m = tl.maximum(tl.maximum(tl.max(exponent, 1), b + m_before), floor)
    scores = tl.dot(Q, tl.trans(K), input_precision="ieee") * tl.exp(exponent - m[:, None])
    carry = tl.exp(b + m_before - m)
    out = tl.dot(scores, V, input_precision="ieee")
    out += carry[:, None] * tl.dot(Q, memory, input_precision="ieee")
    total = tl.sum(scores, 1) + carry * tl.sum(Q * n[None, :], 1)
    denominator = tl.maximum(tl.abs(total), tl.exp(-m)) + eps
    tl.store(h + rows[:, None] * E + values[None, :], out / denominator[:, None], mask=is_value)
    tl.store(maximum + rows, m)
    tl.store(normalizer + rows, total)


def covers(q: Tensor, v: Tensor, length: int) -> bool:
    """Whether the sizes suit: powers of two from 16 for L and D, E up to 256, float32."""

    def is_tile(size: int) -> bool:
        return 16 <= size <= 256 and size & (size - 1) == 0

    return is_tile(length) and is_tile(q.shape[-1]) and v.shape[-1] <= 256 and q.element_size() == 4


def chunk_output(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    log_input: Tensor,
    log_decay: Tensor,
    states: Tensor,
    before: Tensor,
    floor: float,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """h (N, C, L, E), m and the normaliser (N, C, L).

    Args:
        q, k: (N, C, L, D), q times 1/√D.
        v: (N, C, L, E+1), the last column ones.
        log_input, log_decay: (N, C, L).
        states: (N, C, D, E+1) before each chunk.
        before: m before each chunk (N, C).
        floor: least m.
        eps: added to the denominator.
    """
    rows, count, length, features = q.shape
    width = v.shape[-1]
    h = q.new_empty(rows, count, length, width - 1)
    maximum, normalizer = q.new_empty(rows, count, length), q.new_empty(rows, count, length)
    tensors = [t.contiguous() for t in (q, k, v, log_input, log_decay, states, before)]
    chunk_kernel[(rows * count,)](
        *tensors, h, maximum, normalizer, floor, eps, L=length, D=features, E=width - 1,
        WIDTH=width, BLOCK_E=max(16, triton.next_power_of_2(width - 1)),
    )  # fmt: skip
    return h, maximum, normalizer
