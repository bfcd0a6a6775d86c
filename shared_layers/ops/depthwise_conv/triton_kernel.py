"""The Triton form: forward (and so input gradient) and weight gradient, one to three axes.

One program computes BLOCK_Y x BLOCK_X outputs of one (n, c, z) slice; float32 accumulation, float64
for float64.  The weight gradient has one program per (c, kernel position), which sums over batch
and space without atomics: the same numbers every run.  Importing this file needs Triton.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import triton
import triton.language as tl
from torch import Tensor

# Not tuned on a GPU: a tile of 4 x 64 has 2 outputs per thread with 4 warps.
BLOCK_Y, BLOCK_X, BLOCK_SUM = 4, 64, 1024


@triton.jit
def forward_kernel(
    x, weight, bias, out, channels, D, H, W, OD, OH, OW, KD, KH, KW, dz, dy, dx, pz, py, px,
    HAS_BIAS: tl.constexpr, IS_DOUBLE: tl.constexpr, BLOCK_Y: tl.constexpr, BLOCK_X: tl.constexpr,
):  # fmt: skip
    blocks_x, blocks_y = tl.cdiv(OW, BLOCK_X), tl.cdiv(OH, BLOCK_Y)
    program = tl.program_id(0)
    ox = (program % blocks_x) * BLOCK_X + tl.arange(0, BLOCK_X)[None, :]
    oy = (program // blocks_x % blocks_y) * BLOCK_Y + tl.arange(0, BLOCK_Y)[:, None]
    slice_ = program // (blocks_x * blocks_y)
    oz = slice_ % OD
    plane = (slice_ // OD).to(tl.int64)
    c = plane % channels
    dtype = tl.float64 if IS_DOUBLE else tl.float32
    total = tl.zeros((BLOCK_Y, BLOCK_X), dtype)
    for kz in range(KD):
        iz = oz + kz * dz - pz
        for ky in range(KH):
            iy = oy + ky * dy - py
            for kx in range(KW):
                ix = ox + kx * dx - px
                w = tl.load(weight + ((c * KD + kz) * KH + ky) * KW + kx).to(dtype)
                # As a block, not as a scalar: the interpreter mistypes scalar & block.
                z = iz + tl.zeros((BLOCK_Y, BLOCK_X), tl.int32)
                is_inside = (z >= 0) & (z < D) & (iy >= 0) & (iy < H) & (ix >= 0) & (ix < W)
                offset = ((plane * D + z) * H + iy) * W + ix
                total += w * tl.load(x + offset, mask=is_inside, other=0.0).to(dtype)
    if HAS_BIAS:
        total += tl.load(bias + c).to(dtype)
    offset = ((plane * OD + oz) * OH + oy) * OW + ox
    tl.store(out + offset, total.to(out.dtype.element_ty), mask=(oy < OH) & (ox < OW))


@triton.jit
def grad_weight_kernel(
    x, grad, out, batch, channels, D, H, W, OD, OH, OW, KD, KH, KW, dz, dy, dx, pz, py, px,
    IS_DOUBLE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    program = tl.program_id(0)
    kx, ky = program % KW, program // KW % KH
    kz = program // (KW * KH) % KD
    c = (program // (KW * KH * KD)).to(tl.int64)
    dtype = tl.float64 if IS_DOUBLE else tl.float32
    volume = OD * OH * OW
    total = tl.zeros((BLOCK,), dtype)
    for n in range(batch):
        plane = n * channels + c
        for start in range(0, volume, BLOCK):
            position = start + tl.arange(0, BLOCK)
            ix = position % OW + kx * dx - px
            iy = position // OW % OH + ky * dy - py
            iz = position // (OW * OH) + kz * dz - pz
            is_output = position < volume
            is_inside = (iz >= 0) & (iz < D) & (iy >= 0) & (iy < H) & (ix >= 0) & (ix < W)
            value = tl.load(
                x + ((plane * D + iz) * H + iy) * W + ix, mask=is_output & is_inside, other=0.0
            )
            g = tl.load(grad + plane * volume + position, mask=is_output, other=0.0)
            total += value.to(dtype) * g.to(dtype)
    tl.store(out + program, tl.sum(total, 0).to(out.dtype.element_ty))


def _three(values: Sequence[int], missing: int) -> list[int]:
    """Sizes for all three axes; the leading ones that a tensor lacks are ``missing``."""
    return [missing] * (3 - len(values)) + list(values)


def forward(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    padding: Sequence[int],
    dilation: Sequence[int],
) -> Tensor:
    """The convolution of ``x`` (N, C, *space)."""
    x, weight = x.contiguous(), weight.contiguous()
    kernel = weight.shape[2:]
    axes = zip(x.shape[2:], kernel, padding, dilation, strict=True)
    size = [n + 2 * p - d * (k - 1) for n, k, p, d in axes]
    out = x.new_empty(*x.shape[:2], *size)
    od, oh, ow = _three(size, 1)
    planes = x.shape[0] * x.shape[1]
    programs = planes * od * triton.cdiv(oh, BLOCK_Y) * triton.cdiv(ow, BLOCK_X)
    forward_kernel[(programs,)](
        x, weight, weight if bias is None else bias, out, x.shape[1],
        *_three(x.shape[2:], 1), od, oh, ow, *_three(kernel, 1), *_three(dilation, 1),
        *_three(padding, 0), HAS_BIAS=bias is not None, IS_DOUBLE=x.dtype == torch.float64,
        BLOCK_Y=BLOCK_Y, BLOCK_X=BLOCK_X,
    )  # fmt: skip
    return out


def grad_weight(
    x: Tensor,
    grad: Tensor,
    kernel: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> Tensor:
    """The gradient for the weight (C, 1, *kernel)."""
    x, grad = x.contiguous(), grad.contiguous()
    out = x.new_empty(x.shape[1], 1, *kernel)
    grad_weight_kernel[(out.numel(),)](
        x, grad, out, x.shape[0], x.shape[1], *_three(x.shape[2:], 1), *_three(grad.shape[2:], 1),
        *_three(kernel, 1), *_three(dilation, 1), *_three(padding, 0),
        IS_DOUBLE=x.dtype == torch.float64, BLOCK=BLOCK_SUM,
    )  # fmt: skip
    return out
