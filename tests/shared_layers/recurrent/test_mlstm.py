"""The mLSTM layer: direction, streams, start values and norm."""

import pytest
import torch

from shared_layers import MLSTMCell, mlstm_parallel


@pytest.fixture
def cell():
    torch.manual_seed(0)
    cell = MLSTMCell(12, 3, chunk_size=8, eps=0.0, dtype=torch.float64)
    # Away from the start, where the gates do not look at their input.
    torch.nn.init.normal_(cell.input_gate.weight, std=0.3)
    torch.nn.init.normal_(cell.forget_gate.weight, std=0.3)
    torch.nn.init.normal_(cell.norm_weight, std=0.3)
    return cell


def inputs(steps=21):
    torch.manual_seed(1)
    return [torch.randn(2, steps, 12, dtype=torch.float64) for _ in range(3)]


def test_output_equals_gates_parallel_form_and_norm_written_out(cell):
    q, k, v = inputs()
    gates = torch.cat([q, k, v], -1)
    heads = [t.view(2, 21, 3, 4).permute(0, 2, 1, 3) for t in (q, k, v)]
    pre = [gate(gates).permute(0, 2, 1) for gate in (cell.input_gate, cell.forget_gate)]
    h = mlstm_parallel(*heads, *pre, eps=0.0)
    h = (h - h.mean(-1, keepdim=True)) / (h.var(-1, keepdim=True, correction=0) + 1e-5).sqrt()
    expected = h.permute(0, 2, 1, 3).reshape(2, 21, 12) * (1 + cell.norm_weight)
    torch.testing.assert_close(cell(q, k, v), expected, rtol=1e-11, atol=1e-11)


def test_stream_in_pieces_equals_the_whole_sequence(cell):
    q, k, v = inputs()
    first, state = cell.step(*(t[:, :5] for t in (q, k, v)))
    second, _ = cell.step(*(t[:, 5:] for t in (q, k, v)), state)
    found = torch.cat([first, second], 1)
    torch.testing.assert_close(found, cell(q, k, v), rtol=1e-10, atol=1e-10)


def test_reversed_cell_is_the_flip_of_the_flipped(cell):
    q, k, v = inputs()
    forward = cell(*(t.flip(1) for t in (q, k, v))).flip(1)
    cell.is_reversed = True
    torch.testing.assert_close(cell(q, k, v), forward, rtol=1e-12, atol=1e-12)
    with pytest.raises(ValueError, match="is_reversed=True"):
        cell.step(q, k, v)


def test_autocast_leaves_the_recurrence_and_its_gradient_in_float32():
    torch.manual_seed(0)
    cell, x = MLSTMCell(16, 2, chunk_size=8), torch.randn(1, 40, 16)
    expected = cell(x, x, x)
    with torch.autocast("cpu", torch.bfloat16):
        found = cell(x, x, x)
        stream, state = cell.step(x, x, x)
    assert {t.dtype for t in state} == {torch.float32}
    weight = cell.input_gate.weight
    (gradient,) = torch.autograd.grad((found * x).sum(), weight)
    (truth,) = torch.autograd.grad((expected * x).sum(), weight)
    for ours, theirs in ((found, expected), (stream, expected), (gradient, truth)):
        assert (ours - theirs).norm() < 0.02 * theirs.norm()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_long_stream_in_half_precision_keeps_its_digits(dtype):
    torch.manual_seed(0)
    cell, x = MLSTMCell(8, 2), torch.randn(1, 512, 8)
    with torch.no_grad():
        expected = cell(x, x, x)
        found, state = cell.to(dtype).step(*[x.to(dtype)] * 3)
    assert found.dtype == dtype
    assert {t.dtype for t in state} == {torch.float32}
    assert (found - expected).norm() < 0.01 * expected.norm()


def test_a_cell_starts_with_gates_that_ignore_their_input():
    cell = MLSTMCell(8, 4)
    assert not cell.input_gate.weight.any()
    assert not cell.forget_gate.weight.any()
    assert cell.forget_gate.bias.tolist() == [3.0, 4.0, 5.0, 6.0]
    assert not cell.norm_weight.any()


def test_bad_arguments_are_named(cell):
    with pytest.raises(ValueError, match="num_features=10: expected a multiple of num_heads=4"):
        MLSTMCell(10, 4)
    q, k, v = inputs()
    with pytest.raises(ValueError, match=r"\(2, 20, 12\)"):
        cell(q, k[:, 1:], v)
    with pytest.raises(ValueError, match=r"\(B, T, 12\)"):
        cell(q[..., :6], k[..., :6], v[..., :6])
