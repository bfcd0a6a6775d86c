"""A de-identified answer claims nothing that was not established."""

import logging
from pathlib import Path

import numpy as np
import pydicom
import pytest

from domains.echo_clutter.predict import predict
from domains.echo_clutter.sources.dicom import read_dicom
from domains.errors import DataError

REAL = Path(pydicom.__file__).parent / "data" / "test_files" / "examples_ybr_color.dcm"


class Nothing:
    """A filter that leaves everything as it is."""

    def filter(self, clip, sector=None):
        return np.asarray(clip, np.float32)


@pytest.fixture
def cine(dicom_file, cine_frames):
    return dicom_file(cine_frames)


def test_where_nothing_can_be_blacked_nothing_is_promised(cine, tmp_path, params, caplog):
    params["ingest"]["files"]["sector"] = "whole"
    predict(Nothing(), cine, tmp_path / "out.dcm", **params)
    assert any("text that is burnt into the frames may stay" in m for m in caplog.messages)
    assert_nothing_is_claimed(tmp_path / "out.dcm")
    found = pydicom.dcmread(tmp_path / "out.dcm")
    assert "black" not in found.DeidentificationMethod
    assert found.PatientName == ""


def assert_nothing_is_claimed(path):
    found = pydicom.dcmread(path)
    assert found.BurnedInAnnotation == "YES"
    assert "PatientIdentityRemoved" not in found


def test_a_sector_that_moves_in_a_declared_region_is_free_of_text(
    dicom_file, cine_frames, declared_region, tmp_path, params, caplog
):
    cine_frames[:, :3] = 240  # a banner over the whole width, inside the region too
    predict(Nothing(), dicom_file(cine_frames, **declared_region), tmp_path / "out.dcm", **params)
    after = pydicom.dcmread(tmp_path / "out.dcm")
    assert (after.BurnedInAnnotation, after.PatientIdentityRemoved) == ("NO", "YES")
    assert (after.pixel_array[:, :3] == 0).all()
    assert (after.pixel_array[:, 4:9, 3:14] == 0).all()
    assert after.pixel_array[:, 30:50, 40].mean() > 30
    assert caplog.messages == []


def caption(frames):
    """Letters that stand still inside the moving sector."""
    frames[:, 40:42, 35:45] = 200
    return frames


def clock(frames):
    """A still image and a sign that blinks."""
    frames[:] = frames[:1]
    frames[::2, 30:36, 30:50] = 0
    return frames


@pytest.mark.parametrize(
    ("change", "tags", "doubt"),
    [
        (lambda frames: frames, {"SequenceOfUltrasoundRegions": None}, "declares no region"),
        (lambda frames: frames[:7], {}, "7 frames do not tell text"),
        (caption, {}, "20 bright pixels inside the sector stand still"),
        (clock, {}, "the sector found fills 3 % of the declared region"),
    ],
)
def test_what_is_not_established_is_not_claimed(
    dicom_file, cine_frames, declared_region, tmp_path, params, caplog, change, tags, doubt
):
    tags = {key: tag for key, tag in (declared_region | tags).items() if tag is not None}
    source = dicom_file(change(cine_frames), **tags)
    predict(Nothing(), source, tmp_path / "out.dcm", **params)
    assert_nothing_is_claimed(tmp_path / "out.dcm")
    assert any(doubt in m and "look before you share" in m for m in caplog.messages)


def test_a_region_that_had_to_be_divided_is_no_proof(tmp_path, params, caplog):
    predict(Nothing(), REAL, tmp_path / "out.dcm", **params)
    assert_nothing_is_claimed(tmp_path / "out.dcm")
    assert any("the region that the file declares does not fit" in m for m in caplog.messages)


@pytest.mark.parametrize("name", ["palette", "jpeg2k", "rgb_color"])
def test_a_real_still_with_a_banner_is_refused(tmp_path, params, name):
    source = REAL.with_name(f"examples_{name}.dcm")
    with pytest.raises(DataError, match="a single frame cannot be de-identified"):
        predict(Nothing(), source, tmp_path / "out.dcm", **params)
    assert list(tmp_path.iterdir()) == []
    params["ingest"]["files"]["sector"] = "whole"
    predict(Nothing(), source, tmp_path / "out.dcm", **params)
    assert_nothing_is_claimed(tmp_path / "out.dcm")


def test_a_still_with_a_declared_region_is_blacked_with_warnings_and_without_claims(
    dicom_file, cine_frames, declared_region, tmp_path, params, caplog
):
    still = dicom_file(cine_frames[0], "still.dcm", **declared_region)
    with caplog.at_level(logging.WARNING):
        predict(Nothing(), still, tmp_path / "out.dcm", **params)
    assert any("1 frames: clutter that stands still" in m for m in caplog.messages)
    assert read_dicom(tmp_path / "out.dcm").frames.shape == (1, 60, 80)
    assert (read_dicom(tmp_path / "out.dcm").frames[:, 4:9, 3:14] == 0).all()
    assert_nothing_is_claimed(tmp_path / "out.dcm")
