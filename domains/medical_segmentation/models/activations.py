"""Bytes that a training step keeps for its backward pass, without running it.

Shapes alone are followed (torch's fake tensors), so that the answer takes no memory, hardly any
time, and is the same on every machine.  What a step needs beside them for a moment (the operands of
one convolution, the recomputed branch of a reversible pair) is not in the number.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode


def kept_bytes(network: nn.Module, shape: Sequence[int]) -> int:
    """Bytes of activations kept for an input of ``shape`` (B, C, *n), float32; weights left out."""
    storages: dict[int, tuple[int, Tensor]] = {}

    def keep(tensor: Tensor) -> Tensor:
        if not isinstance(tensor, nn.Parameter):
            storage = tensor.untyped_storage()
            # the tensor is held, so that no other storage gets its key
            storages[storage._cdata] = (storage.nbytes(), tensor)
        return tensor

    with (
        FakeTensorMode(allow_non_fake_inputs=True),
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
    ):
        network(torch.zeros(tuple(shape)))
    return sum(size for size, _ in storages.values())
