"""The user's cine comes back at its own size and rate, filtered inside the sector alone."""

from pathlib import Path

import numpy as np
import pydicom
import pytest

from domains.echo_clutter.predict import example_input, filter_cine, infer, predict
from domains.echo_clutter.sources.cine import Cine
from domains.echo_clutter.sources.dicom import read_dicom
from domains.echo_clutter.sources.npz import read_npz
from domains.echo_clutter.sources.video import read_video
from domains.errors import DataError

REAL = Path(pydicom.__file__).parent / "data" / "test_files" / "examples_ybr_color.dcm"


class Darker:
    """A filter that takes twenty grey levels away inside the sector."""

    def filter(self, clip, sector=None):
        self.seen = clip
        return np.where(sector, clip - 20.0, clip).astype(np.float32)


class Nothing:
    """A filter that leaves everything as it is."""

    def filter(self, clip, sector=None):
        return np.asarray(clip, np.float32)


@pytest.fixture
def cine(dicom_file, cine_frames):
    return dicom_file(cine_frames)


READERS = {".dcm": read_dicom, ".avi": read_video, ".mp4": read_video, ".npz": read_npz}


@pytest.mark.parametrize("suffix", READERS)
def test_size_frames_and_frame_time_are_kept_in_every_kind_of_file(cine, tmp_path, params, suffix):
    predict(Nothing(), cine, tmp_path / f"out{suffix}", **params)
    found = READERS[suffix](tmp_path / f"out{suffix}")
    before = read_dicom(cine)
    assert found.frame_time_ms == pytest.approx(25.0)
    assert found.frames.shape == before.frames.shape
    tolerance = 12 if suffix == ".mp4" else 0
    expected = (before.frames * before.find_sector()).astype(int)
    assert np.abs(found.frames.astype(int) - expected).mean() <= tolerance / 4
    assert np.abs(found.frames.astype(int) - expected).max() <= tolerance * 5


def test_what_the_filter_takes_away_is_taken_from_the_files_own_pixels(cine, tmp_path, params):
    predict(Darker(), cine, tmp_path / "out.dcm", **params)
    before, after = read_dicom(cine), read_dicom(tmp_path / "out.dcm")
    sector = before.find_sector()
    from scipy.ndimage import binary_erosion

    inner = binary_erosion(sector, iterations=3)
    expected = np.clip(before.frames[:, inner].astype(int) - 20, 0, 255)
    np.testing.assert_allclose(after.frames[:, inner], expected, atol=1)
    assert (after.frames[:, ~sector] == 0).all()


def test_a_filter_sees_the_sector_at_its_own_size_and_no_text(cine, tmp_path, params):
    task = Darker()
    predict(task, cine, tmp_path / "out.npz", **params)
    assert task.seen.shape == (10, 32, 32)
    assert task.seen.dtype == np.float32
    assert task.seen.max() <= 255


def test_text_is_blacked_and_the_patient_forgotten_unless_told_otherwise(cine, tmp_path, params):
    predict(Nothing(), cine, tmp_path / "out.dcm", **params)
    assert (read_dicom(tmp_path / "out.dcm").frames[:, 4:9, 3:14] == 0).all()
    assert pydicom.dcmread(tmp_path / "out.dcm").PatientName == ""
    params["evaluate"]["predict"]["deidentify"] = False
    predict(Nothing(), cine, tmp_path / "out.dcm", **params)
    assert (read_dicom(tmp_path / "out.dcm").frames[:, 4:9, 3:14] == 220).all()
    assert pydicom.dcmread(tmp_path / "out.dcm").PatientName == "Doe^Jane"
    np.testing.assert_array_equal(read_dicom(tmp_path / "out.dcm").frames, read_dicom(cine).frames)


def test_a_real_cine_goes_through_whole(tmp_path, params):
    predict(Darker(), REAL, tmp_path / "out.dcm", **params)
    before, after = read_dicom(REAL), read_dicom(tmp_path / "out.dcm")
    assert after.frames.shape == (30, 240, 320)
    assert after.frame_time_ms == before.frame_time_ms
    assert after.region == before.region
    sector = before.find_sector()
    assert (after.frames[:, ~sector] == 0).all()
    assert after.frames[:, sector].mean() < before.frames[:, sector].mean() - 8
    assert pydicom.dcmread(tmp_path / "out.dcm").LossyImageCompression == "01"
    assert pydicom.dcmread(REAL).PatientName == "PLA"
    assert not any(element.value == "PLA" for element in pydicom.dcmread(tmp_path / "out.dcm"))


def test_a_video_can_show_both_side_by_side(cine, tmp_path, params):
    params["evaluate"]["predict"]["side_by_side"] = True
    predict(Darker(), cine, tmp_path / "out.avi", **params)
    found = read_video(tmp_path / "out.avi").frames
    before = read_dicom(cine)
    np.testing.assert_array_equal(found[:, :, :80], before.frames * before.find_sector())
    assert found[:, :, 80:].mean() < found[:, :, :80].mean() - 5


@pytest.mark.parametrize("suffix", [".dcm", ".npz"])
def test_what_cannot_show_both_is_refused(cine, tmp_path, params, suffix):
    params["evaluate"]["predict"]["side_by_side"] = True
    with pytest.raises(DataError, match=r"expected \.mp4 or \.avi; name a video, or set"):
        predict(Nothing(), cine, tmp_path / f"out{suffix}", **params)
    assert [path.name for path in tmp_path.iterdir()] == ["cine.dcm"]


def test_a_video_without_a_frame_time_is_refused_by_the_name_of_the_input(
    dicom_file, cine_frames, tmp_path, params
):
    source = dicom_file(cine_frames, FrameTime=None)
    with pytest.raises(DataError, match=r"cine\.dcm: the time between frames is unknown"):
        predict(Nothing(), source, tmp_path / "out.mp4", **params)


def test_video_becomes_dicom(cine, tmp_path, params):
    predict(Nothing(), cine, tmp_path / "a.avi", **params)
    predict(Nothing(), tmp_path / "a.avi", tmp_path / "b.dcm", **params)
    found = read_dicom(tmp_path / "b.dcm")
    assert found.frame_time_ms == pytest.approx(25.0)
    np.testing.assert_array_equal(found.frames, read_video(tmp_path / "a.avi").frames)


def test_a_folder_in_gives_a_folder_out(cine, tmp_path, params, cine_frames):
    source = tmp_path / "in"
    source.mkdir()
    cine.rename(source / "a.dcm")
    np.savez(source / "b.npz", frames=cine_frames)
    predict(Nothing(), source, tmp_path / "out", **params)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.dcm", "b.dcm"]
    (source / "deeper").mkdir()
    np.savez(source / "deeper" / "b.npz", frames=cine_frames)
    predict(Nothing(), source, tmp_path / "out", **params)
    assert (tmp_path / "out" / "deeper" / "b.dcm").is_file()
    with pytest.raises(DataError, match="the input is a folder, expected a folder to write to"):
        predict(Nothing(), source, tmp_path / "out.dcm", **params)
    np.savez(source / "a.npz", frames=cine_frames)
    with pytest.raises(DataError, match="two files differ in their ending alone"):
        predict(Nothing(), source, tmp_path / "out", **params)


def test_no_warning_names_the_patient(cine, tmp_path, params, caplog):
    data = pydicom.dcmread(cine)
    del data.FrameTime
    data.save_as(cine)
    predict(Nothing(), cine, tmp_path / "out.dcm", **params)
    assert any("no FrameTime" in message for message in caplog.messages)
    assert not any("Jane" in message or "4711" in message for message in caplog.messages)


def test_the_output_is_whole_or_not_there(cine, tmp_path, params):
    class Broken:
        def filter(self, *_):
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        predict(Broken(), cine, tmp_path / "out.dcm", **params)
    with pytest.raises(DataError, match=r"expected \.dcm, \.mp4, \.avi, \.npz"):
        predict(Nothing(), cine, tmp_path / "out.gif", **params)
    with pytest.raises(DataError, match="is the input itself"):
        predict(Nothing(), cine, cine, **params)
    assert [path.name for path in tmp_path.iterdir()] == ["cine.dcm"]


def test_a_sector_that_fills_the_frame_is_filtered_to_the_edge():
    frames = np.full((9, 50, 50), 100, np.uint8)
    found = filter_cine(Darker(), Cine("a", frames), np.ones((50, 50), bool), 32)
    assert (found == 80).all()


def test_inference_takes_the_example_and_gives_its_shape():
    arrays = example_input(None)
    assert {key: value.shape for key, value in arrays.items()} == {
        "cluttered": (10, 64, 64),
        "sector": (64, 64),
    }
    assert arrays["cluttered"].dtype == np.float32
    found = infer(Darker(), arrays)["filtered"]
    inside = arrays["sector"] != 0
    np.testing.assert_allclose(found[:, inside], arrays["cluttered"][:, inside] - 20)
    np.testing.assert_array_equal(found[:, ~inside], arrays["cluttered"][:, ~inside])
    np.testing.assert_array_equal(arrays["cluttered"], example_input(None)["cluttered"])


def test_inference_refuses_what_it_cannot_use():
    arrays = example_input(None)
    with pytest.raises(DataError, match="cluttered is missing"):
        infer(Darker(), {"sector": arrays["sector"]})
    with pytest.raises(DataError, match=r"sector \(64,\) and frames"):
        infer(Darker(), {**arrays, "sector": arrays["sector"][0]})
