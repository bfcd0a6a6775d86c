"""Samples are stretches of one split, turned and mirrored as states of the same world."""

import numpy as np
import pytest

from domains.errors import DataError
from domains.weather.data import Fields, WeatherData, measure_statistics, mirror_signs
from domains.weather.science.calendars import embeddings

SECTION = {"batch_size": 2, "mirror": True, "validate_starts": 3, "validate_steps": 4}


@pytest.fixture(scope="module")
def fields(tiny):
    return Fields(tiny)


def test_a_sample_is_a_stretch_of_the_training_split_turned_or_mirrored(fields):
    data = WeatherData(fields, [0, 1, 2, 5], SECTION)
    split = fields.dataset["split"].to_numpy()
    found = set()
    for index in (0, data.num_train - 1):
        first = int(data.first[index])
        assert (split[first : first + 6] == 0).all()
        frames = fields.frames(first + np.array([0, 1, 2, 5]))
        for seed in range(12):
            sample = data.train_sample(index, seed)["fields"].numpy()
            matches = {
                (shift, is_mirrored)
                for shift in range(16)
                for is_mirrored in (False, True)
                if np.array_equal(
                    np.roll(frames, shift, -1)[:, :, :: -1 if is_mirrored else 1], sample
                )
            }
            assert matches
            found |= matches
    assert len({shift for shift, _ in found}) > 4
    assert {is_mirrored for _, is_mirrored in found} == {False, True}


def test_the_same_seed_gives_the_same_sample_and_another_seed_another(fields):
    data = WeatherData(fields, [0, 1, 2], SECTION)
    first, again, other = (data.train_sample(3, seed)["fields"] for seed in (5, 5, 6))
    assert first.equal(again)
    assert not first.equal(other)


def test_a_region_is_neither_turned_nor_mirrored(tiny_region):
    fields = Fields(tiny_region)
    data = WeatherData(fields, [0, 1, 2], SECTION)
    for seed in range(4):
        sample = data.train_sample(7, seed)["fields"].numpy()
        np.testing.assert_array_equal(sample, fields.frames([7, 8, 9]))


def test_in_a_mirror_only_the_northward_wind_turns_round():
    signs = mirror_signs(["z500", "u850", "v850", "10v", "2t", "10u", "vorticity"])
    assert signs.ravel().tolist() == [1, 1, -1, -1, 1, 1, 1]


def test_validation_forecasts_lie_in_their_split_and_are_left_as_they_are(fields):
    data = WeatherData(fields, [0, 1, 2], SECTION)
    split = fields.dataset["split"].to_numpy()
    assert data.num_validate == 3
    batches = list(data.val_dataloader())
    assert [len(batch["fields"]) for batch in batches] == [2, 1]
    (places,) = np.nonzero(split == 1)
    np.testing.assert_array_equal(batches[0]["fields"][0], fields.frames(places[:6]))
    np.testing.assert_array_equal(batches[1]["fields"][-1], fields.frames(places[-6:]))


def test_each_step_has_the_time_of_its_last_known_frame(fields):
    data = WeatherData(fields, [0, 1, 2, 3], SECTION)
    times = data.train_sample(4, 0)["times"].numpy()
    expected = embeddings(fields.year_phase[5:7], fields.day_phase[5:7], 6.0, "noleap")
    np.testing.assert_allclose(times, expected, rtol=1e-6)


def test_statistics_are_those_of_the_training_split_weighted_by_area(fields):
    split = fields.dataset["split"].to_numpy()
    (rows,) = np.nonzero(split == 0)
    train = fields.frames(rows).astype(np.float64)
    weights = np.cos(np.deg2rad(fields.dataset["latitude"].to_numpy()))[:, None]
    weights = weights / weights.sum() / train.shape[-1]
    mean = (train * weights).sum((2, 3)).mean(0)
    std = np.sqrt((((train - mean[:, None, None]) ** 2) * weights).sum((2, 3)).mean(0))
    change = np.sqrt(((np.diff(train, axis=0) ** 2) * weights).sum((2, 3)).mean(0))
    for found, expected in zip(measure_statistics(fields), (mean, std, change), strict=True):
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)


def test_a_change_across_a_gap_is_no_change_of_one_step(tiny, monkeypatch):
    """Frames 20 to 29 of training are another world: only their ends would show as changes."""
    fields = Fields(tiny)
    clean = measure_statistics(fields)[2]
    values = fields.values.copy()
    values[20:30] += 1e5
    run = fields.dataset["run"].to_numpy().copy()
    run[20:] += 1
    run[30:] += 1
    monkeypatch.setattr(fields, "values", values)
    monkeypatch.setattr(fields, "dataset", fields.dataset.assign(run=("time", run)))
    np.testing.assert_allclose(measure_statistics(fields)[2], clean, rtol=0.05)


def test_a_split_that_is_too_short_is_named_with_what_is_needed(fields):
    with pytest.raises(
        DataError, match=r"validate has at most 12 frames in a row, 42 .*train.validate_steps"
    ):
        WeatherData(fields, [0, 1, 2], {**SECTION, "validate_steps": 40})
