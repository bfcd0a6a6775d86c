import pytest
import torch
from torch import nn

from shared_layers.recurrent.padding_mask import padded_lstm, sequence_lengths


def test_lengths_count_the_real_steps():
    mask = torch.tensor([[True, True, False], [True, True, True], [False, False, False]])
    assert sequence_lengths(mask, (3, 3)).tolist() == [2, 3, 0]


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (torch.ones(2, 3).bool(), r"mask of shape \(2, 3\)"),
        (torch.ones(2, 4), r"torch\.float32: expected \(2, 4\) and torch\.bool"),
        (
            torch.tensor([[True] * 4, [True, False, True, False]]),
            "sequence 1 has padding before its real step 2",
        ),
    ],
)
def test_bad_masks_are_named(mask, message):
    with pytest.raises(ValueError, match=message):
        sequence_lengths(mask, (2, 4))


@pytest.mark.parametrize("bidirectional", [False, True])
def test_lstm_runs_over_the_real_steps_of_each_sequence_alone(bidirectional):
    torch.manual_seed(0)
    lstm = nn.LSTM(2, 3, num_layers=2, bidirectional=bidirectional, batch_first=True)
    x, lengths = torch.randn(3, 6, 2), (4, 6, 1)
    mask = torch.arange(6) < torch.tensor(lengths).unsqueeze(1)
    out = padded_lstm(lstm, x, mask)
    for row, length in enumerate(lengths):
        torch.testing.assert_close(out[row, :length], lstm(x[row : row + 1, :length])[0][0])
    assert (out[~mask] == 0).all()
    torch.testing.assert_close(padded_lstm(lstm, x, None), lstm(x)[0])


def test_a_sequence_without_a_real_step_is_refused():
    lstm, mask = nn.LSTM(2, 3, batch_first=True), torch.tensor([[True, False], [False, False]])
    with pytest.raises(ValueError, match="sequence 1: no real step"):
        padded_lstm(lstm, torch.zeros(2, 2, 2), mask)
