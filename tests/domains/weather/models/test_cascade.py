"""The cascade hands over at the lead it says, and phases share the steps without a gap."""

import numpy as np
import pytest
import torch
from torch import nn

from domains.weather.models.cascade import Cascade, rollout
from domains.weather.models.phases import Phases, begin_choices, sample_frames
from domains.weather.models.weights import cell_weights, channel_weights


class Adds(nn.Module):
    """The last frame plus a number of its own, and the time it was given."""

    def __init__(self, number: float) -> None:
        super().__init__()
        self.number = nn.Parameter(torch.tensor(number))

    def forward(self, frames, time):
        extra = 0 if time is None else time[:, :1, None, None]
        return frames[:, 1] + self.number + extra


def values(steps):
    return [float(field.detach().mean()) for field in steps]


@pytest.fixture
def cascade():
    made = Cascade([Adds(1.0), Adds(10.0), Adds(100.0)], handover=2)
    made.num_trained.fill_(3)
    return made


def test_each_stage_makes_its_steps_and_the_last_one_all_others(cascade):
    steps = rollout(cascade, torch.zeros(1, 2, 1, 2, 2), None, 7)
    assert values(steps) == [1, 2, 12, 22, 122, 222, 322]


def test_a_forecast_that_is_continued_is_the_one_that_was_not_interrupted(cascade):
    whole = list(rollout(cascade, torch.zeros(1, 2, 1, 2, 2), None, 6))
    frames = torch.stack(whole[1:3], dim=1)
    rest = rollout(cascade, frames, None, 3, first_step=3)
    assert values(rest) == values(whole[3:])


def test_a_stage_without_training_is_not_asked():
    made = Cascade([Adds(1.0), Adds(10.0)], handover=2)
    assert values(rollout(made, torch.zeros(1, 2, 1, 2, 2), None, 4)) == [1, 2, 3, 4]
    made.start_stage(1)
    assert made.stage(1).number.item() == 1.0  # it begins as the stage before it
    with torch.no_grad():
        made.stage(1).number.fill_(10.0)
    assert values(rollout(made, torch.zeros(1, 2, 1, 2, 2), None, 4)) == [1, 2, 12, 22]
    again = Cascade([Adds(0.0), Adds(0.0)], handover=2)
    again.load_state_dict(made.state_dict())  # what is trained travels in the weights
    assert values(rollout(again, torch.zeros(1, 2, 1, 2, 2), None, 4)) == [1, 2, 12, 22]


def test_each_step_is_told_its_own_time(cascade):
    times = torch.arange(4.0)[None, :, None] * 1000
    steps = rollout(cascade, torch.zeros(1, 2, 1, 2, 2), times, 4)
    assert values(steps) == [1, 1002, 3012, 6022]


def test_recomputed_steps_give_the_same_gradient(cascade):
    found = []
    for recompute in (False, True):
        cascade.zero_grad()
        sum(
            rollout(cascade, torch.ones(1, 2, 1, 2, 2), None, 5, recompute=recompute)
        ).sum().backward()
        found.append([float(stage.number.grad) for stage in cascade.stages.values()])
    assert found[0] == found[1] == [4 * (5 + 4), 4 * (3 + 2), 4 * 1]


@pytest.mark.parametrize("num_stages", [1, 2, 3])
def test_every_step_teaches_exactly_one_stage(num_stages):
    phases = Phases(100, 0.5, 0.2, num_stages, 0.25)
    learning = [phases.stage_at(step) for step in range(100)]
    assert learning == sorted(learning)
    for stage in range(num_stages):
        rates = [phases.rate(stage, step) for step in range(100)]
        assert [rate > 0 for rate in rates] == [stage == turn for turn in learning]
        assert max(rates) <= (1.0 if stage == 0 else 0.25)
    assert all(phases.peer_rate(step) > 0 for step in range(100))
    assert sum(phases.is_pretraining(step) for step in range(100)) == 50


def test_a_sample_has_the_frames_that_its_phases_read_and_no_others():
    assert sample_frames(1, 8, 3, 0) == [0, 1, 2, 3, 4]
    assert sample_frames(2, 8, 2, 4) == [0, 1, 2, 3, 10, 11, 12, 13]
    assert sample_frames(3, 4, 2, 2) == [0, 1, 2, 3, 6, 7, 10, 11]
    assert list(begin_choices(2, 5)) == [0, 2]
    assert list(begin_choices(4, 4)) == [0]


def test_weights_of_cells_without_data_are_zero_and_the_rest_average_to_one():
    valid = np.ones((2, 4, 6), bool)
    valid[1, :2] = False
    weights = cell_weights([67.5, 22.5, -22.5, -67.5], valid)
    torch.testing.assert_close(weights.mean((1, 2)), torch.ones(2))
    assert (weights[1, :2] == 0).all()
    ratio = float(weights[0, 1, 0] / weights[0, 0, 0])
    assert ratio == pytest.approx(np.cos(np.deg2rad(22.5)) / np.cos(np.deg2rad(67.5)), rel=1e-6)


def test_a_level_counts_as_its_pressure_and_the_surface_as_the_mean():
    weights = channel_weights(["z250", "z750", "2t"], "pressure")
    torch.testing.assert_close(weights, torch.tensor([0.5, 1.5, 1.0]))
    assert channel_weights(["z250", "2t"], "uniform").tolist() == [1.0, 1.0]
