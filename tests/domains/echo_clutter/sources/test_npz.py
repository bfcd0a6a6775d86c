"""Archives of grey levels; every other content is refused with its reason."""

import numpy as np
import pytest

from domains.echo_clutter.sources.npz import read_npz, write_npz
from domains.errors import DataError

GREY = np.arange(3 * 4 * 5).reshape(3, 4, 5).astype(np.uint8)


def test_frames_truth_and_numbers_are_read(tmp_path):
    sector = np.eye(4, 5, dtype=np.uint8)
    np.savez(tmp_path / "a.npz", cluttered=GREY + 9.4, clean=GREY, sector=sector, frame_time_ms=20)
    cine = read_npz(tmp_path / "a.npz")
    np.testing.assert_array_equal(cine.frames, GREY + 9)
    np.testing.assert_array_equal(cine.clean, GREY)
    np.testing.assert_array_equal(cine.find_sector(), sector.astype(bool))
    assert cine.frame_time_ms == 20
    assert np.isnan(cine.pixel_mm)


def test_what_is_written_is_read_again_and_always_the_same_bytes(tmp_path):
    for name in ("a.npz", "b.npz"):
        write_npz(tmp_path / name, GREY, 33.3, 0.4)
    cine = read_npz(tmp_path / "a.npz")
    np.testing.assert_array_equal(cine.frames, GREY)
    assert (cine.frame_time_ms, cine.pixel_mm) == (33.3, 0.4)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"image": GREY}, r"arrays \['image'\], expected frames"),
        ({"frames": GREY[0]}, r"shape \(4, 5\), expected grey levels \(time, depth, width\)"),
        ({"frames": GREY / 60}, "from 0 to 0.983333, expected display grey levels"),
        ({"frames": GREY * 1.0 - 300}, "from -300"),
        ({"frames": np.where(GREY == 7, np.nan, GREY)}, "1 pixels without a number"),
        ({"cluttered": GREY, "clean": GREY[:2]}, "differ in shape"),
        ({"frames": GREY, "sector": np.ones((5, 4))}, r"sector \(5, 4\), expected \(4, 5\)"),
        ({"frames": np.array([{"a": 1}])}, "save plain arrays"),
    ],
)
def test_other_contents_are_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError, match=message):
        read_npz(tmp_path / "a.npz")


@pytest.mark.parametrize("shape", [(8, 8, 5), (9, 8, 5), (8, 9, 5), (12, 8, 9)])
def test_frames_that_may_have_time_last_are_refused_until_the_file_says(tmp_path, shape):
    frames = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    np.savez(tmp_path / "a.npz", frames=frames)
    with pytest.raises(DataError, match=r"may have time last.*axes='THW'.*axes='HWT'"):
        read_npz(tmp_path / "a.npz")
    np.savez(tmp_path / "a.npz", frames=frames, axes="THW")
    np.testing.assert_array_equal(read_npz(tmp_path / "a.npz").frames, frames)
    np.savez(tmp_path / "a.npz", cluttered=frames, clean=frames, axes="HWT")
    for found in (read_npz(tmp_path / "a.npz").frames, read_npz(tmp_path / "a.npz").clean):
        assert found.shape == (shape[2], shape[0], shape[1])
        np.testing.assert_array_equal(found[3], frames[:, :, 3])
    np.savez(tmp_path / "a.npz", frames=frames, axes="WHT")
    with pytest.raises(DataError, match="axes is 'WHT', expected"):
        read_npz(tmp_path / "a.npz")


@pytest.mark.parametrize("shape", [(5, 8, 8), (50, 8, 8), (5, 8, 9), (5, 9, 8)])
def test_frames_that_have_time_first_need_no_axes(tmp_path, shape):
    np.savez(tmp_path / "a.npz", frames=np.full(shape, 90, np.uint8))
    assert read_npz(tmp_path / "a.npz").frames.shape == shape


def test_long_answers_are_read_again(tmp_path):
    write_npz(tmp_path / "a.npz", np.full((90, 8, 7), 90, np.uint8), 20.0, 0.5)
    assert read_npz(tmp_path / "a.npz").frames.shape == (90, 8, 7)


def test_a_damaged_archive_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", frames=GREY)
    content = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"a\.npz: not a readable archive"):
        read_npz(tmp_path / "a.npz")
