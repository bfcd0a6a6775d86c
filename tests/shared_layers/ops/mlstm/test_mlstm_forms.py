"""The three forms of the matrix LSTM against each other and against the definition."""

import math

import pytest
import torch

from shared_layers import mlstm_chunkwise, mlstm_parallel, mlstm_recurrent, use_kernels
from shared_layers.ops.mlstm import op


def make(steps, gate_std=1.0, dtype=torch.float64, batch=2, heads=2, width=6, value_width=5):
    torch.manual_seed(0)
    q, k = (torch.randn(batch, heads, steps, width, dtype=dtype) for _ in range(2))
    v = torch.randn(batch, heads, steps, value_width, dtype=dtype)
    input_gate = gate_std * torch.randn(batch, heads, steps, dtype=dtype)
    forget_gate = torch.randn(batch, heads, steps, dtype=dtype) + 1
    return [t.requires_grad_() for t in (q, k, v, input_gate, forget_gate)]


def value_and_gradients(form, tensors):
    h = form(*tensors)
    torch.manual_seed(1)
    return [h, *torch.autograd.grad(h, tensors, torch.randn_like(h))]


def relative(found, expected):
    return ((found - expected).abs().max() / expected.abs().max()).item()


@pytest.mark.parametrize("chunk_size", [1, 7, 16, 64])
@pytest.mark.parametrize("gate_std", [1.0, 5.0])
def test_all_forms_and_their_gradients_agree_in_float64(chunk_size, gate_std):
    tensors = make(50, gate_std)
    expected = value_and_gradients(lambda *t: mlstm_parallel(*t, eps=0.0), tensors)
    recurrent = value_and_gradients(lambda *t: mlstm_recurrent(*t, eps=0.0)[0], tensors)
    chunkwise = value_and_gradients(
        lambda *t: mlstm_chunkwise(*t, eps=0.0, chunk_size=chunk_size), tensors
    )
    for a, b, c in zip(expected, recurrent, chunkwise, strict=True):
        assert relative(b, a) < 1e-12
        assert relative(c, a) < 1e-12


def test_recurrence_equals_the_unstabilised_definition():
    q, k, v, input_gate, forget_gate = (t.detach()[0, 0] for t in make(12, 0.5))
    memory, normalizer, rows = 0.0, 0.0, []
    for t in range(12):
        forget, write = torch.sigmoid(forget_gate[t]), torch.exp(input_gate[t])
        memory = forget * memory + write * torch.outer(k[t], v[t])
        normalizer = forget * normalizer + write * k[t]
        scaled = q[t] / math.sqrt(6)
        rows.append(memory.T @ scaled / max((normalizer @ scaled).abs().item(), 1.0))
    found, _ = mlstm_recurrent(*(t.detach() for t in make(12, 0.5)), eps=0.0)
    torch.testing.assert_close(found[0, 0], torch.stack(rows), rtol=1e-13, atol=1e-13)


def test_a_stream_in_pieces_equals_the_whole():
    tensors = [t.detach() for t in make(20)]
    whole, last = mlstm_recurrent(*tensors)
    first, state = mlstm_recurrent(*(t[:, :, :13] for t in tensors))
    second, state = mlstm_recurrent(*(t[:, :, 13:] for t in tensors), state=state)
    torch.testing.assert_close(torch.cat([first, second], 2), whole)
    torch.testing.assert_close(state.memory, last.memory)


def test_the_past_does_not_see_the_future():
    tensors = [t.detach() for t in make(40)]
    before = mlstm_chunkwise(*tensors, chunk_size=16)
    for t in tensors:
        t[:, :, 25:] = 3.0
    after = mlstm_chunkwise(*tensors, chunk_size=16)
    assert torch.equal(before[:, :, :16], after[:, :, :16])
    torch.testing.assert_close(before[:, :, :25], after[:, :, :25])
    assert not torch.allclose(before[:, :, 25:], after[:, :, 25:])


def test_steps_with_a_closed_input_gate_write_nothing():
    tensors = [t.detach() for t in make(30)]
    tensors[3][:, :, 10:20] = -math.inf
    found = mlstm_chunkwise(*tensors, eps=0.0, chunk_size=8)
    assert torch.isfinite(found).all()
    tensors[2][:, :, 10:20] = 100.0
    assert torch.equal(found, mlstm_chunkwise(*tensors, eps=0.0, chunk_size=8))


def test_extreme_gates_stay_finite_in_float32():
    tensors = make(64, 40.0, torch.float32)
    found = value_and_gradients(mlstm_chunkwise, tensors)
    assert all(torch.isfinite(t).all() for t in found)


def test_chunkwise_float32_is_no_less_exact_than_the_parallel_form():
    exact = value_and_gradients(mlstm_parallel, make(512, dtype=torch.float64))
    single = [t.detach().float().requires_grad_() for t in make(512, dtype=torch.float64)]
    chunkwise = value_and_gradients(mlstm_chunkwise, single)
    parallel = value_and_gradients(mlstm_parallel, single)
    for truth, ours, theirs in zip(exact, chunkwise, parallel, strict=True):
        assert relative(ours.double(), truth) < max(2 * relative(theirs.double(), truth), 1e-5)


@pytest.mark.parametrize(
    "form", [mlstm_chunkwise, mlstm_parallel, lambda *tensors: mlstm_recurrent(*tensors)[0]]
)
def test_half_precision_is_computed_in_float32(form):
    halves = [t.detach().bfloat16().requires_grad_() for t in make(40)]
    singles = [t.detach().float().requires_grad_() for t in halves]
    h, expected = form(*halves), form(*singles)
    assert torch.equal(h, expected.bfloat16())
    grad = torch.randn_like(h)
    found = torch.autograd.grad(h, halves, grad)
    for ours, theirs in zip(
        found, torch.autograd.grad(expected, singles, grad.float()), strict=True
    ):
        assert relative(ours.float(), theirs) < 0.02
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(form(*singles), expected)


def test_gradcheck_passes():
    def call(*tensors):
        return mlstm_chunkwise(*tensors, eps=0.0, chunk_size=3)

    assert torch.autograd.gradcheck(call, make(7, batch=1, heads=1, width=3, value_width=2))


def test_opcheck_passes():
    tensors = make(11, dtype=torch.float32)
    torch.library.opcheck(op.forward, (*tensors, 4, 1e-6))


def test_compiles_into_one_graph():
    tensors = make(40, dtype=torch.float32)
    compiled = torch.compile(mlstm_chunkwise, fullgraph=True, backend="aot_eager")
    found = value_and_gradients(compiled, tensors)
    for a, b in zip(found, value_and_gradients(mlstm_chunkwise, tensors), strict=True):
        torch.testing.assert_close(a, b)


def test_reference_mode_takes_the_parallel_form():
    tensors = make(30)
    with use_kernels("reference"):
        assert torch.equal(mlstm_chunkwise(*tensors), mlstm_parallel(*tensors))


def test_arguments_that_do_not_go_together_are_named():
    q, k, v, i, f = make(8)
    with pytest.raises(ValueError, match=r"\(2, 2, 8, 6\), \(2, 2, 7, 6\)"):
        mlstm_parallel(q, k[:, :, 1:], v, i, f)
    with pytest.raises(ValueError, match=r"input_gate has shape \(2, 2, 7\)"):
        mlstm_chunkwise(q, k, v, i[..., 1:], f)
    with pytest.raises(ValueError, match=r"float32.*float64"):
        mlstm_recurrent(q, k, v.float(), i, f)
    for form in (mlstm_chunkwise, mlstm_parallel, mlstm_recurrent):
        with pytest.raises(ValueError, match=r"\(2, 2, 0, 6\).*S >= 1"):
            form(*(t[:, :, :0] for t in (q, k, v, i, f)))
    with pytest.raises(ValueError, match="chunk_size=0"):
        mlstm_chunkwise(q, k, v, i, f, chunk_size=0)
    with pytest.raises(ValueError, match="eps=-1"):
        mlstm_parallel(q, k, v, i, f, eps=-1.0)
