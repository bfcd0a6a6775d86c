import pytest
import torch

from shared_layers.recurrent.auto_conditioned import AutoConditionedLSTM


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def step_by_step(layer, frames, signal=None):
    """The paper's loop: one frame at a time, true or own by the schedule."""
    state, previous, outputs = None, None, []
    period = layer.truth_length + layer.condition_length
    for t in range(frames.shape[1]):
        frame = frames[:, t] if t % period < layer.truth_length else previous
        inputs = frame if signal is None else torch.cat((frame, signal[:, t]), -1)
        hidden, state = layer.lstm(inputs.unsqueeze(1), state)
        previous = layer.head(hidden[:, 0]) + (frame if layer.residual else 0)
        outputs.append(previous)
    return torch.stack(outputs, 1)


def test_autocast_agrees_with_single_precision():
    layer = AutoConditionedLSTM(3, 5, signal_features=1, residual=True)
    frames, signal = torch.randn(2, 14, 3), torch.randn(2, 14, 1)
    with torch.autocast("cpu", torch.bfloat16):
        out = layer(frames, signal)
    torch.testing.assert_close(out.float(), layer(frames, signal), rtol=0.02, atol=0.05)
    out.sum().backward()
    assert all(p.grad.isfinite().all() for p in layer.parameters())


def test_condition_length_zero_equals_the_open_loop():
    layer = AutoConditionedLSTM(3, 5, condition_length=0, truth_length=2)
    frames = torch.randn(2, 9, 3)
    torch.testing.assert_close(layer(frames), layer.head(layer.lstm(frames)[0]))


@pytest.mark.parametrize(("truth", "own"), [(5, 5), (1, 3), (3, 1), (20, 2)])
@pytest.mark.parametrize("residual", [False, True])
def test_it_equals_the_loop_of_the_paper(truth, own, residual):
    layer = AutoConditionedLSTM(
        3, 5, truth_length=truth, condition_length=own, signal_features=2, residual=residual
    ).double()
    frames, signal = torch.randn(2, 13, 3).double(), torch.randn(2, 13, 2).double()
    torch.testing.assert_close(layer(frames, signal), step_by_step(layer, frames, signal))


def test_true_frames_in_own_stretches_are_never_read():
    layer = AutoConditionedLSTM(2, 4, truth_length=2, condition_length=3)
    frames = torch.randn(1, 12, 2)
    changed = frames.clone()
    own = ~torch.tensor(layer.is_truth(12))
    assert own.tolist() == ([False] * 2 + [True] * 3) * 2 + [False] * 2
    changed[:, own] = float("nan")
    assert torch.equal(layer(changed), layer(frames))


def test_generation_equals_own_frames_after_the_seed():
    layer = AutoConditionedLSTM(2, 4, truth_length=3, condition_length=5, signal_features=1)
    seed, signal = torch.randn(1, 3, 2), torch.randn(1, 8, 1)
    frames = torch.cat((seed, torch.zeros(1, 5, 2)), 1)
    expected = layer(frames, signal)[:, 2:]
    torch.testing.assert_close(layer.generate(seed, 6, signal), expected)


def test_gradients_flow_through_own_frames():
    layer = AutoConditionedLSTM(2, 3, num_layers=1, truth_length=1, condition_length=3).double()
    frames = torch.randn(1, 4, 2, dtype=torch.double, requires_grad=True)
    layer(frames)[:, -1].sum().backward()
    assert frames.grad[:, 0].abs().min() > 0
    assert torch.autograd.gradcheck(layer, frames)


@pytest.mark.parametrize(
    ("arguments", "keywords", "message"),
    [
        ((0, 4), {}, "num_features=0"),
        ((2, 4), {"truth_length": 0}, "truth_length=0"),
        ((2, 4), {"condition_length": -1}, "condition_length=-1"),
        ((2, 4), {"signal_features": -1}, "signal_features=-1"),
        ((2, 4), {"num_layers": 0}, "num_layers=0"),
    ],
)
def test_bad_arguments_are_named(arguments, keywords, message):
    with pytest.raises(ValueError, match=message):
        AutoConditionedLSTM(*arguments, **keywords)


def test_bad_inputs_are_named():
    plain, driven = AutoConditionedLSTM(2, 4), AutoConditionedLSTM(2, 4, signal_features=3)
    frames = torch.zeros(1, 5, 2)
    with pytest.raises(ValueError, match=r"frames has shape \(5, 2\): expected \(B, T, 2\)"):
        plain(frames[0])
    with pytest.raises(ValueError, match=r"signal of shape \(1, 5, 3\): expected None"):
        plain(frames, torch.zeros(1, 5, 3))
    with pytest.raises(ValueError, match=r"signal of shape None: expected \(1, 5, 3\)"):
        driven(frames)
    with pytest.raises(ValueError, match=r"signal of shape \(1, 5, 3\): expected \(1, 8, 3\)"):
        driven.generate(frames, 4, torch.zeros(1, 5, 3))
    with pytest.raises(ValueError, match=r"signal is torch\.float64"):
        driven(frames, torch.zeros(1, 5, 3).double())
    with pytest.raises(ValueError, match="num_steps=0"):
        plain.generate(frames, 0)
