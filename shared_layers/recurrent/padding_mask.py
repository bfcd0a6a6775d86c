"""Masks of padded sequences (real steps first, padding after them) and the LSTM that heeds them."""

# B batch, T time, C channel, H hidden size

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from shared_layers.conv.arguments import check_mask
from shared_layers.ops.autocast import autocast


def sequence_lengths(mask: Tensor, shape: tuple[int, int]) -> Tensor:
    """Return how many steps of each sequence are real, (B).

    Args:
        mask: (B, T) bool, True at real steps; in each row the real steps come first.
        shape: the (B, T) that is expected.

    Raises:
        ValueError: another shape or dtype, or a real step behind padding.
    """
    check_mask(mask, shape)
    late = mask[:, 1:] & ~mask[:, :-1]
    # a check on values would break the graph that torch.compile makes
    if not torch.compiler.is_compiling() and bool(late.any()):
        row, step = (int(i) for i in late.nonzero()[0])
        raise ValueError(
            f"mask: sequence {row} has padding before its real step {step + 1}, "
            "expected real steps first and padding after them"
        )
    return mask.sum(dim=1)


def padded_lstm(lstm: nn.LSTM, x: Tensor, mask: Tensor | None) -> Tensor:
    """Return the outputs of a batch-first LSTM that runs over the real steps only.

    In both directions: the backward one starts at each sequence's own last real step. Under
    autocast the input is cast here, for torch does not cast an LSTM's on a CPU.

    Args:
        lstm: an LSTM with ``batch_first=True``.
        x: (B, T, C)
        mask: (B, T) as in `sequence_lengths`, each row with a real step; None if all are real.

    Returns:
        (B, T, H·directions), zero at padding.

    Raises:
        ValueError: as `sequence_lengths`, or a sequence without a real step.
    """
    x = autocast(x)
    if mask is None:
        return lstm(x)[0]
    lengths = sequence_lengths(mask, (x.shape[0], x.shape[1]))
    if bool((lengths == 0).any()):
        row = int((lengths == 0).nonzero()[0])
        raise ValueError(f"sequence {row}: no real step, expected at least one")
    packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
    return pad_packed_sequence(lstm(packed)[0], batch_first=True, total_length=x.shape[1])[0]
