"""Training samples: reproducible, aligned, and clutter alone tells input from truth."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import domains.echo_clutter as package
from domains.echo_clutter.data import EchoData, load_pairs, mirrored
from domains.echo_clutter.science.clips import load_dataset, save_clip
from domains.errors import DataError
from flows import parameters
from tests.domains.echo_clutter.conftest import make_clip

SECTION = {
    "batch_size": 2,
    "frames": 4,
    "gain": 0.3,
    "gamma": 0.2,
    "floor": 0.3,
    "untouched": 0.0,
    "clutter": {"near_field": 1.0, "reverberation": 1.0, "haze": 0.3},
}


def data(section=SECTION, is_spread=True, **changes):
    clip = replace(make_clip(), **changes)
    return EchoData([clip], [make_clip("other", 3)], section, is_spread)


def test_a_sample_is_a_function_of_index_and_seed():
    first, again, other = (data().train_sample(0, seed) for seed in (7, 7, 8))
    for key in ("cluttered", "clean"):
        assert torch.equal(first[key], again[key])
        assert not torch.equal(first[key], other[key])


def test_input_and_truth_differ_by_clutter_inside_the_sector_alone():
    sector = torch.from_numpy(make_clip().sector)
    for seed in range(6):
        sample = data().train_sample(0, seed)
        added = sample["cluttered"] - sample["clean"]
        assert added.min() >= 0
        assert added.max() > 25
        either_side = sector | sector.flip(1)  # half of the samples are mirrored
        assert added[:, ~either_side].abs().max() == 0


def test_frames_are_spread_over_the_beat_or_neighbours():
    spread, row = data()._frames(8, 3), data(is_spread=False)._frames(8, 6)
    assert spread.tolist() == [3, 5, 7, 1]
    assert row.tolist() == [6, 7, 0, 1]
    long = {**SECTION, "frames": 12}
    assert data(long)._frames(8, 0).tolist() == [0, 0, 1, 2, 2, 3, 4, 4, 5, 6, 6, 7]
    assert data(long, is_spread=False)._frames(8, 6).tolist() == [6, 7, *range(8), 0, 1]


def test_brightness_and_contrast_keep_order_black_and_range():
    curves = np.stack([data()._curve(np.random.default_rng(seed)) for seed in range(20)])
    assert (np.diff(curves, axis=1) >= 0).all()
    assert (curves[:, 0] == 0).all()
    assert curves.max() <= 255
    plain = {**SECTION, "gain": 0.0, "gamma": 0.0, "floor": 0.0}
    unchanged = data(plain)._curve(np.random.default_rng(0))
    assert np.allclose(unchanged, np.arange(256), atol=1e-3)
    cut = data({**plain, "floor": 0.5})._curve(np.random.default_rng(0))
    black = int((cut == 0).sum())
    assert 2 < black < 129
    assert np.ptp(np.diff(cut[black:])) < 1e-3  # above the floor a straight line to white
    assert cut[-1] == 255


def test_the_papers_samples_have_the_clips_own_grey_levels_and_no_haze():
    paper = parameters.read(Path(package.__file__).parent / "paper.yaml")["train"]
    section = {**SECTION, **paper, "clutter": {**SECTION["clutter"], **paper["clutter"]}}
    samples = data(section, is_spread=False)
    assert samples.chances["haze"] == 0.0
    clip = torch.from_numpy(make_clip().clean.astype(np.float32))
    for seed in range(4):
        clean = samples.train_sample(0, seed)["clean"]
        beats = [clip[samples._frames(len(clip), first)] for first in range(len(clip))]
        assert any(torch.equal(clean, beat) or torch.equal(clean.flip(2), beat) for beat in beats)


def test_some_samples_are_left_as_they_are():
    """A filter that is never shown a clean clip learns that there is always something to take."""
    some = data({**SECTION, "untouched": 0.3})
    same = [
        torch.equal(sample["cluttered"], sample["clean"])
        for sample in (some.train_sample(0, seed) for seed in range(60))
    ]
    assert 8 <= sum(same) <= 29  # 18 expected, three standard deviations


def test_a_mirrored_contour_lies_on_the_mirrored_image():
    image = np.zeros((4, 7))
    image[2, 1] = 1
    x, y = mirrored(np.array([[1.0, 2.0]]), 7)[0].astype(int)
    assert image[:, ::-1][y, x] == 1


def test_validation_clips_come_whole_and_as_ingested():
    (batch,) = data().val_dataloader()
    clip = make_clip("other", 3)
    assert np.array_equal(batch["cluttered"][0].numpy(), clip.cluttered)
    assert np.array_equal(batch["clean"][0].numpy(), clip.clean)


def test_a_split_without_truth_is_refused(tmp_path):
    save_clip(tmp_path, replace(make_clip(), clean=None), "train")
    assert len(load_dataset(tmp_path, "train")) == 1
    with pytest.raises(DataError, match="split train has 1 clips, none with clean frames"):
        load_pairs(tmp_path, "train")
