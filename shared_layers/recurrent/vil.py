"""Vision-LSTM blocks: an mLSTM that scans the tokens of a sequence, a map or a volume.

Alkin, Beck, Pöppel, Hochreiter, Brandstetter, "Vision-LSTM: xLSTM as Generic Vision Backbone",
2024, arXiv:2406.04303; the cell is that of Beck et al., "xLSTM: Extended Long Short-Term Memory",
2024, arXiv:2405.04517. With (x, z) = W_up u and c = SiLU(causal conv₄ x):

    q, k = block-diagonal maps of c,   v = block-diagonal map of x,   i, f = W_{i,f}(q, k, v)
    y = W_down((norm(mLSTM(q, k, v, i, f)) + s·c)·SiLU(z))

Written from these formulas. Differs: the direction of the scan (which axis runs fastest, and from
which end) is an argument of every block; stack blocks of several directions, since one alone lets
no token see what comes later (the 3-D networks built on ViL so far scan in one direction only).
Normalisation gains start at 1 instead of being stored as 1 + w. The cell runs in float32 at least.
"""

# B batch, C channel, E = expansion·C, S tokens, H head, D = E/H, n size of a spatial axis

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from shared_layers.conv.arguments import (
    check_divisible,
    check_feature_map,
    check_positive,
    check_sequence,
)
from shared_layers.conv.causal import CausalDepthwiseConv1d
from shared_layers.norm.layer_norm import MultiHeadLayerNorm
from shared_layers.ops.autocast import autocast_to
from shared_layers.ops.precision import at_least_float32
from shared_layers.regularizers.drop import DropPath

from .mlstm import mlstm_chunkwise


class ViLLayer(nn.Module):
    """Mixes the tokens of a sequence by an mLSTM: token t of the output sees tokens 0 … t.

    Args:
        dim: channels C of a token.
        num_heads: heads H of the cell; divides expansion·dim.
        expansion: width of the cell over dim.
        block_size: width of one block of the block-diagonal q, k and v; divides expansion·dim.
        kernel_size: tokens the causal convolution sees.
        chunk_size: tokens that the cell treats in parallel; changes speed and memory only.

    Shape:
        - input: (B, S, C)
        - output: (B, S, C)

    Raises:
        ValueError: a size below 1, num_heads or block_size that does not divide expansion·dim, an
            input of another rank, width or type.

    Example:
        >>> ViLLayer(8)(torch.zeros(2, 10, 8)).shape
        torch.Size([2, 10, 8])
    """

    def __init__(
        self,
        dim: int,
        *,
        num_heads: int = 4,
        expansion: int = 2,
        block_size: int = 4,
        kernel_size: int = 4,
        chunk_size: int = 64,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_positive(dim=dim, expansion=expansion, chunk_size=chunk_size)
        inner = expansion * dim
        check_divisible("expansion·dim", inner, "num_heads", num_heads)
        check_divisible("expansion·dim", inner, "block_size", block_size)
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        self.dim, self.num_heads, self.chunk_size = dim, num_heads, chunk_size
        self.up = nn.Linear(dim, 2 * inner, **factory)
        self.conv = CausalDepthwiseConv1d(inner, kernel_size, **factory)
        blocks = (3, inner // block_size, block_size, block_size)
        self.qkv_weight = nn.Parameter(torch.empty(blocks, **factory))
        self.input_gate = nn.Linear(3 * inner, num_heads, **factory)
        self.forget_gate = nn.Linear(3 * inner, num_heads, **factory)
        self.norm = MultiHeadLayerNorm(num_heads, inner, **factory)
        self.skip = nn.Parameter(torch.ones(inner, **factory))
        self.down = nn.Linear(inner, dim, **factory)
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw the first weights; the forget gate starts nearly open (bias 3 … 6), as in xLSTM."""
        for weight in (self.up.weight, self.qkv_weight):
            nn.init.normal_(weight, std=math.sqrt(2 / (5 * self.dim)))  # Nguyen & Salazar 2019
        nn.init.normal_(self.down.weight, std=2 / math.sqrt(self.dim))  # Wang & Komatsuzaki 2021
        for layer in (self.up, self.down):
            nn.init.zeros_(layer.bias)
        for gate in (self.input_gate, self.forget_gate):
            nn.init.zeros_(gate.weight)
        nn.init.normal_(self.input_gate.bias, std=0.1)
        self.forget_gate.bias.copy_(torch.linspace(3, 6, self.num_heads))

    def forward(self, tokens: Tensor) -> Tensor:
        check_sequence(tokens, self.dim, self.up.weight.dtype)
        x, z = self.up(tokens).chunk(2, dim=-1)  # (B, S, E)
        c = F.silu(self.conv(x))
        hidden = self._cell(x, c).to(c.dtype)
        return self.down((hidden + self.skip * c) * F.silu(z))

    def _cell(self, x: Tensor, c: Tensor) -> Tensor:
        """Return the normalised cell output (B, S, E); the values come from x, not from c."""
        q, k, v = (
            self._blockwise(source, weight)
            for source, weight in zip((c, c, x), self.qkv_weight, strict=True)
        )
        # exponential gates: half precision overflows, so autocast must not reach gates and cell
        with autocast_to(x.device.type, None):
            gates = torch.cat((q, k, v), dim=-1).to(self.input_gate.weight.dtype)  # (B, S, 3E)
            i, f = (gate(gates).mT for gate in (self.input_gate, self.forget_gate))  # (B, H, S)
            q, k, v = (t.unflatten(-1, (self.num_heads, -1)).transpose(1, 2) for t in (q, k, v))
            # q, k, v (B, H, S, D), gates (B, H, S)
            q, k, v, i, f = (at_least_float32(t) for t in (q, k, v, i, f))
            hidden = mlstm_chunkwise(q, k, v, i, f, chunk_size=self.chunk_size)
            return self.norm(hidden.transpose(1, 2).flatten(2).to(self.norm.weight.dtype))

    def _blockwise(self, x: Tensor, weight: Tensor) -> Tensor:
        blocks = x.unflatten(-1, weight.shape[:2])  # (B, S, blocks, in)
        return torch.einsum("bsgi,goi->bsgo", blocks, weight).flatten(2)


class ViLBlock(nn.Module):
    """Pre-norm residual block that scans a map in one stated direction.

    Args:
        dim: channels C.
        spatial_dims: number of spatial axes, 1, 2 or 3.
        axis_order: the spatial axes from slowest to fastest in the scan; (0, 1, …), row by row,
            if None.
        is_reversed: whether the scan starts at the far end.
        drop_path: probability to leave the block out for a sample, in training.
        num_heads, expansion, block_size, kernel_size: as in `ViLLayer`.

    Shape:
        - input: (B, C, n₁, …, n_S), any sizes
        - output: the same

    Raises:
        ValueError: an axis_order that is no permutation, what `ViLLayer` refuses, an input of
            another rank, width or type.

    Example:
        >>> ViLBlock(8, spatial_dims=3, axis_order=(2, 0, 1))(torch.zeros(1, 8, 3, 4, 5)).shape
        torch.Size([1, 8, 3, 4, 5])
    """

    def __init__(
        self,
        dim: int,
        *,
        spatial_dims: int = 2,
        axis_order: Sequence[int] | None = None,
        is_reversed: bool = False,
        drop_path: float = 0.0,
        num_heads: int = 4,
        expansion: int = 2,
        block_size: int = 4,
        kernel_size: int = 4,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_positive(dim=dim)
        if spatial_dims not in (1, 2, 3):
            raise ValueError(f"spatial_dims={spatial_dims}: expected 1, 2 or 3")
        order = tuple(range(spatial_dims)) if axis_order is None else tuple(axis_order)
        if sorted(order) != list(range(spatial_dims)):
            raise ValueError(
                f"axis_order={order}: expected a permutation of {tuple(range(spatial_dims))}"
            )
        self.dim, self.spatial_dims = dim, spatial_dims
        self.axis_order, self.is_reversed = order, is_reversed
        self.norm = nn.LayerNorm(dim, bias=False, device=device, dtype=dtype)
        self.layer = ViLLayer(
            dim,
            num_heads=num_heads,
            expansion=expansion,
            block_size=block_size,
            kernel_size=kernel_size,
            device=device,
            dtype=dtype,
        )
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        check_feature_map(x, self.dim, self.spatial_dims, self.norm.weight.dtype)
        permutation = (0, *(2 + axis for axis in self.axis_order), 1)
        ordered = x.permute(permutation)  # (B, slowest, …, fastest, C)
        tokens = ordered.flatten(1, -2)  # (B, S, C)
        if self.is_reversed:
            tokens = tokens.flip(1)
        mixed = self.drop_path(self.layer(self.norm(tokens)))
        if self.is_reversed:
            mixed = mixed.flip(1)
        back = sorted(range(x.dim()), key=permutation.__getitem__)
        return x + mixed.unflatten(1, ordered.shape[1:-1]).permute(back)

    def extra_repr(self) -> str:
        return f"axis_order={self.axis_order}, is_reversed={self.is_reversed}"
