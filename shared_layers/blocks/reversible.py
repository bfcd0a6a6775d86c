"""Reversible residual blocks: activations are recomputed from the output, not kept.

A. Gomez et al., "The Reversible Residual Network", NeurIPS 2017, arXiv:1707.04585; in 3-D U-Nets
M. Pendse et al., arXiv:2104.09648, and R. Brügger et al., arXiv:1906.06148.  On channels split in
two halves

    y1 = x1 + F(x2),  y2 = x2 + G(y1)          and back          x2 = y2 - G(y1),  x1 = y1 - F(x2)

What differs from public code: parameter gradients are returned from the backward pass instead of
being written by a nested ``.backward()`` (hooks and data-parallel training see them); dropout is
replayed without touching the global random state; the residual stream stays float32 under
autocast and for half-precision input (a bfloat16 stream loses all digits within 8 blocks);
blocks with batch or running statistics, which would see each batch twice, are refused.

Legend: N batch, C channel, space any axes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm

from shared_layers.ops.autocast import autocast_dtype, autocast_to


class ReversibleBlock(nn.Module):
    """One pair of residual branches. Called on its own it keeps its activations like any module;
    inside a :class:`ReversibleSequence` it does not.

    Args:
        f, g: modules that map half of the channels to a tensor of the same shape.

    Shape:
        (N, C, *space) -> (N, C, *space), C even.

    Raises:
        ValueError: a branch with batch or running statistics; in ``forward`` an odd number of
            channels, or a branch that changes the shape.
    """

    def __init__(self, f: nn.Module, g: nn.Module) -> None:
        super().__init__()
        for name, branch in (("f", f), ("g", g)):
            if not isinstance(branch, nn.Module):
                raise ValueError(f"{name}={branch!r}: expected a module")
            found = [type(m).__name__ for m in branch.modules() if _has_statistics(m)]
            if found:
                raise ValueError(
                    f"{name} holds {found[0]}: expected norms without batch or running "
                    "statistics, such as GroupNorm, for a reversible branch runs twice per batch"
                )
        self.f, self.g = f, g

    def forward(self, x: Tensor) -> Tensor:
        """The block's output; the stream stays in the type of ``x``."""
        x1, x2 = _halves(x)
        y1 = x1 + _branch(self.f, x2, x.dtype, "f")
        return torch.cat([y1, x2 + _branch(self.g, y1, x.dtype, "g")], 1)

    def inverse(self, y: Tensor) -> Tensor:
        """The input that gave ``y``, up to rounding (and up to dropout)."""
        y1, y2 = _halves(y)
        x2 = y2 - _branch(self.g, y1, y.dtype, "g")
        return torch.cat([y1 - _branch(self.f, x2, y.dtype, "f"), x2], 1)


class ReversibleSequence(nn.Module):
    """Reversible blocks in a row, whose memory does not grow with their number.

    Under autograd only the output of the last block is kept. The backward pass undoes one branch
    at a time, rebuilding that branch's graph alone.

    Args:
        blocks: the blocks, first applied first.

    Shape:
        (N, C, *space) -> (N, C, *space), C even.

    Raises:
        ValueError: no block, or one of another class; in ``forward`` as :class:`ReversibleBlock`.

    Example::

        >>> pair = lambda: ReversibleBlock(nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 1))
        >>> ReversibleSequence([pair() for _ in range(8)])(torch.zeros(1, 8, 16, 16)).shape
        torch.Size([1, 8, 16, 16])
    """

    def __init__(self, blocks: Sequence[ReversibleBlock]) -> None:
        super().__init__()
        if not isinstance(blocks, Iterable):
            raise ValueError(f"blocks={blocks!r}: expected a sequence of ReversibleBlock")
        found = list(blocks)
        if not found:
            raise ValueError("blocks is empty: expected one ReversibleBlock or more")
        for index, block in enumerate(found):
            if not isinstance(block, ReversibleBlock):
                raise ValueError(f"blocks[{index}]={block!r}: expected a ReversibleBlock")
        self.blocks = nn.ModuleList(found)

    def forward(self, x: Tensor) -> Tensor:
        """The last block's output, float32 for half-precision ``x``, else in its type."""
        _halves(x)
        branches = [branch for block in self._reversible() for branch in (block.f, block.g)]
        names = [[n for n, p in b.named_parameters() if p.requires_grad] for b in branches]
        pairs = zip(branches, names, strict=True)
        flat = [branch.get_parameter(name) for branch, group in pairs for name in group]
        return _Reversible.apply(x, branches, names, *flat)

    def inverse(self, y: Tensor) -> Tensor:
        """The input that gave ``y``, up to rounding (and up to dropout)."""
        for block in reversed(self._reversible()):
            y = block.inverse(y)
        return y

    def _reversible(self) -> list[ReversibleBlock]:
        return [cast(ReversibleBlock, block) for block in self.blocks]


def _has_statistics(module: nn.Module) -> bool:
    return isinstance(module, _BatchNorm) or getattr(module, "running_mean", None) is not None


def _halves(x: Tensor) -> tuple[Tensor, Tensor]:
    if x.dim() < 2 or x.shape[1] % 2:
        raise ValueError(f"input has shape {tuple(x.shape)}: expected (N, C, *space) with C even")
    first, second = x.chunk(2, 1)
    return first, second


def _copies(x: Tensor) -> tuple[Tensor, Tensor]:
    """The halves in memory of their own, to be written in place."""
    first, second = _halves(x)
    return first.clone(), second.clone()


def _branch(module: Callable[[Tensor], Tensor], x: Tensor, dtype: torch.dtype, name: str) -> Tensor:
    """A branch's output in the type of the stream; its input in ``dtype``."""
    out = module(x.to(dtype))
    if out.shape != x.shape:
        raise ValueError(
            f"{name} maps {tuple(x.shape)} to {tuple(out.shape)}: expected the same shape, "
            "for a reversible branch is added to the other half of the channels"
        )
    return out.to(x.dtype)


def _name(index: int) -> str:
    """What the branch is called in a sequence."""
    return f"blocks.{index // 2}.{'fg'[index % 2]}"


class _RandomStates:
    """The random state before each branch, to be replayed in the backward pass.

    They lie in one buffer, made before the first activation: see :class:`_Reversible`.
    """

    def __init__(self, count: int, device: torch.device) -> None:
        self.devices = [device] if device.type == "cuda" else []
        self.rows = [[torch.empty_like(s) for s in self._current()] for _ in range(count)]

    def _current(self) -> list[Tensor]:
        return [torch.get_rng_state(), *(torch.cuda.get_rng_state(d) for d in self.devices)]

    def record(self, index: int) -> None:
        for kept, current in zip(self.rows[index], self._current(), strict=True):
            kept.copy_(current)

    @contextmanager
    def replayed(self, index: int) -> Iterator[None]:
        with torch.random.fork_rng(self.devices):
            cpu, *others = self.rows[index]
            torch.set_rng_state(cpu)
            for device, state in zip(self.devices, others, strict=True):
                torch.cuda.set_rng_state(state, device)
            yield


class _Reversible(torch.autograd.Function):
    """The stream forth without a graph, and back with the graph of one branch at a time.

    Whatever outlives a branch (stream, gradients, random states) is allocated before the first
    branch and written in place. A 5 kB tensor kept from inside a branch would land in a hole left
    by an activation, the next equal activation would no longer fit there, and the process would
    grow by one activation per branch although nothing of it is in use.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        branches: list[nn.Module],
        names: list[list[str]],
        *parameters: nn.Parameter,
    ) -> Tensor:
        kind = x.device.type
        ctx.autocast = (kind, autocast_dtype(kind))
        ctx.dtype, ctx.branches, ctx.names = x.dtype, branches, names
        ctx.random = _RandomStates(len(branches), x.device)
        stream = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        out = torch.empty_like(stream, memory_format=torch.contiguous_format)
        first, second = _copies(stream)
        for index, branch in enumerate(branches):
            ctx.random.record(index)
            # The two halves change places after each branch: always first += branch(second).
            first, second = second, first.add_(_branch(branch, second, x.dtype, _name(index)))
        # An even number of branches: the halves are back in their places.
        torch.cat([first, second], 1, out=out)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        first, second = _copies(ctx.saved_tensors[0])
        grad_first, grad_second = _copies(grad)
        results: list[list[Any]] = [
            [torch.empty_like(branch.get_parameter(name)) for name in group]
            for branch, group in zip(ctx.branches, ctx.names, strict=True)
        ]
        for index in reversed(range(len(ctx.branches))):
            # After the branch, `second` holds the old one + branch(first).
            branch = ctx.branches[index]
            # Copies that share memory: a hook on a parameter must run once, on the way out.
            parameters = {n: branch.get_parameter(n).detach() for n in ctx.names[index]}
            leaves = [p.requires_grad_() for p in parameters.values()]
            source = first.detach().requires_grad_()
            with (
                torch.enable_grad(),
                ctx.random.replayed(index),
                autocast_to(*ctx.autocast),
            ):
                replay = partial(functional_call, branch, parameters)
                out = _branch(replay, source, ctx.dtype, _name(index))
            second.sub_(out.detach())
            for_source, *for_parameters = torch.autograd.grad(
                out, (source, *leaves), grad_second, allow_unused=True
            )
            del out, source
            if for_source is not None:
                grad_first.add_(for_source)
            results[index] = [
                None if found is None else kept.copy_(found)
                for kept, found in zip(results[index], for_parameters, strict=True)
            ]
            del for_source, for_parameters
            first, second = second, first
            grad_first, grad_second = grad_second, grad_first
        grad_x = torch.cat([grad_first, grad_second], 1).to(ctx.dtype)
        return grad_x, None, None, *(g for group in results for g in group)
