"""Floating-point operations of a layer's forward pass: torch's counter, and what it misses."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def _depthwise_flop(x: Any, weight: Any, *_: Any, out_shape: Any, **__: Any) -> int:
    return 2 * math.prod(out_shape) * math.prod(weight[2:])


def _causal_flop(x: Any, weight: Any, *_: Any, **__: Any) -> int:
    return 2 * math.prod(x) * weight[1]


def _mlstm_flop(q: Any, k: Any, v: Any, i: Any, f: Any, length: int, *_: Any, **__: Any) -> int:
    """Products inside a chunk (causal half not deducted), and with the state before it."""
    batch, heads, steps, features = q
    rows, values = batch * heads * math.ceil(steps / length) * length, v[3] + 1
    return 2 * rows * (length * (features + values) + 2 * features * values)


def _lstm_flop(x: Any, input_weight: Any, hidden_weight: Any, *_: Any, **__: Any) -> int:
    steps = math.prod(x[:-1])
    return 2 * steps * (math.prod(input_weight) + math.prod(hidden_weight))


def _attention_flop(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    return 2 * math.prod(query[:-1]) * key[-2] * (query[-1] + value[-1])


def _real_fft_flop(longer: Any, axes: Any) -> int:
    points = math.prod(longer[axis] for axis in axes)
    return round(2.5 * math.prod(longer) * math.log2(points))


# What torch's counter does not know. A real transform of n points counts 2.5 n log2 n.
FORMULAS: dict[Any, Callable[..., int]] = {
    torch.ops.shared_layers.depthwise_conv: _depthwise_flop,
    torch.ops.shared_layers.causal_conv1d: _causal_flop,
    torch.ops.shared_layers.mlstm_chunkwise: _mlstm_flop,
    torch.ops.aten.mkldnn_rnn_layer: _lstm_flop,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention_flop,
    torch.ops.aten._fft_r2c: lambda x, axes, *_, **__: _real_fft_flop(x, axes),
    torch.ops.aten._fft_c2r: lambda x, axes, *_, out_shape, **__: _real_fft_flop(out_shape, axes),
}


def count_flops(layer: nn.Module, inputs: Sequence[Any]) -> int:
    """Operations of one forward pass: products and sums of convolutions, matrices and FFTs."""
    counter = FlopCounterMode(display=False, custom_mapping=FORMULAS)
    with counter:  # with gradients: without, its hooks stop at a parameter's view
        copy.deepcopy(layer).eval()(*inputs)
    return counter.get_total_flops()
