"""Clips at rest: what is written is read again, and the same clip gives the same bytes."""

from dataclasses import replace

import numpy as np
import pytest

from domains.echo_clutter.science.clips import IMAGES, load_clip, load_dataset, save_clip
from domains.errors import DataError


def test_a_clip_comes_back_whole(tiny_clip, tmp_path):
    clip = replace(tiny_clip, paper_3d=tiny_clip.clean, clutter='{"near_field": {}}')
    found = load_clip(save_clip(tmp_path, clip, "test"))
    for key in (*IMAGES, "sector", "contour", "segment"):
        np.testing.assert_array_equal(getattr(found, key), getattr(clip, key), err_msg=key)
    for key in ("name", "subject", "vendor", "view", "kind", "clutter", "frame_time_ms"):
        assert getattr(found, key) == getattr(clip, key)
    assert found.sector.dtype == np.bool_
    assert found.paper_2d is None


def test_unknown_numbers_stay_unknown(tiny_clip, tmp_path):
    clip = replace(tiny_clip, frame_time_ms=float("nan"), pixel_mm=float("nan"))
    found = load_clip(save_clip(tmp_path, clip, "test"))
    assert np.isnan([found.frame_time_ms, found.pixel_mm]).all()


def test_the_same_clip_gives_the_same_bytes(tiny_clip, tmp_path):
    first = save_clip(tmp_path / "a", tiny_clip, "train").read_bytes()
    assert save_clip(tmp_path / "b", tiny_clip, "train").read_bytes() == first


def test_a_split_has_its_own_clips_alone(tiny_dataset):
    assert [clip.name for clip in load_dataset(tiny_dataset, "test")] == ["d", "e"]
    assert load_dataset(tiny_dataset, "train")[0].cluttered is None
    assert load_dataset(tiny_dataset, "in_vivo")[0].clean is None
    with pytest.raises(ValueError, match="not 'valid'"):
        load_dataset(tiny_dataset, "valid")
    with pytest.raises(DataError, match="run the ingest step of echo_clutter first"):
        load_dataset(tiny_dataset / "clips", "test")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"clean": None, "cluttered": None}, "neither clean nor cluttered"),
        ({"sector": np.ones((4, 4), bool)}, r"sector \(4, 4\) differ in shape"),
        ({"clean": np.zeros((3, 32, 32), np.uint8)}, "differ in shape"),
        ({"contour": np.zeros((3, 22, 2), np.float32)}, "contour of 3 frames, the clip has 8"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(tiny_clip, change, message):
    with pytest.raises(DataError, match=message):
        replace(tiny_clip, **change)
