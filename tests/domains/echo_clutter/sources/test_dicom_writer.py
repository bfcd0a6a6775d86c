"""Written DICOM: readable, without a trace of the patient unless asked for, and the same bytes."""

import numpy as np
import pydicom
import pytest
from pydicom import Dataset

from domains.echo_clutter.sources.dicom import read_dicom
from domains.echo_clutter.sources.dicom_writer import ALLOWED, write_dicom

SECRETS = {
    "PatientName": "Doe^Jane",
    "PatientID": "4711",
    "InstitutionName": "Saint Elsewhere",
    "StudyDate": "20200229",
    "PatientBirthDate": "19500101",
    "StudyInstanceUID": "1.2.826.99",
    "ReferringPhysicianName": "Who^Doctor",
    "StationName": "ROOM7",
    "PatientComments": "Jane is nervous",
}


@pytest.fixture
def cine(dicom_file, cine_frames):
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType = 1, 1
    item.RegionLocationMinX0, item.RegionLocationMinY0 = 10, 2
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = 149, 117  # of an image twice as large
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 3
    item.PhysicalDeltaX = item.PhysicalDeltaY = 0.05
    path = dicom_file(
        cine_frames,
        **SECRETS,
        Manufacturer="Acme",
        HeartRate=72,
        SequenceOfUltrasoundRegions=[item],
    )
    data = pydicom.dcmread(path)
    private = data.private_block(0x0019, "Acme secrets", create=True)
    private.add_new(0x01, "LO", "Doe Jane again")
    data.save_as(path)
    return read_dicom(path)


def test_no_secret_is_left_in_the_bytes(cine, cine_frames, tmp_path):
    write_dicom(
        tmp_path / "out.dcm",
        cine_frames,
        cine,
        deidentify=True,
        is_blacked=True,
        is_established=True,
    )
    content = (tmp_path / "out.dcm").read_bytes()
    for secret in (*SECRETS.values(), "1.2.3.4", "Doe Jane again", "Jane"):
        assert secret.encode() not in content, secret
    found = pydicom.dcmread(tmp_path / "out.dcm")
    assert found.PatientIdentityRemoved == "YES"
    assert found.BurnedInAnnotation == "NO"
    assert "black outside the sector" in found.DeidentificationMethod
    assert not any(element.tag.is_private for element in found)
    kept = {element.keyword for element in found} & set(ALLOWED)
    assert kept == {"Manufacturer", "HeartRate"}


@pytest.mark.parametrize("is_blacked", [False, True])
def test_what_is_not_established_is_not_claimed(cine, cine_frames, tmp_path, is_blacked):
    path = tmp_path / "out.dcm"
    write_dicom(path, cine_frames, cine, deidentify=True, is_blacked=is_blacked)
    found = pydicom.dcmread(path)
    assert found.BurnedInAnnotation == "YES"
    assert "PatientIdentityRemoved" not in found
    assert ("black" in found.DeidentificationMethod) == is_blacked


def test_pixels_time_region_and_scale_come_back(cine, cine_frames, tmp_path):
    write_dicom(tmp_path / "out.dcm", cine_frames, cine, deidentify=True)
    found = read_dicom(tmp_path / "out.dcm")
    np.testing.assert_array_equal(found.frames, cine_frames)
    assert found.frame_time_ms == 25.0
    assert found.region == cine.region == (1, 5, 59, 75)
    assert found.pixel_mm == pytest.approx(1.0)
    assert found.warnings == []  # the region now fits the frames


def test_with_all_tags_the_patient_stays_and_the_image_gets_an_identity_of_its_own(
    cine, cine_frames, tmp_path
):
    write_dicom(tmp_path / "out.dcm", cine_frames, cine, deidentify=False)
    found = pydicom.dcmread(tmp_path / "out.dcm")
    for key in ("PatientName", "PatientID", "StudyInstanceUID", "StudyDate"):
        assert found[key].value == SECRETS[key]
    assert "PatientIdentityRemoved" not in found
    assert found.SOPInstanceUID != "1.2.3.4"
    assert found.ImageType[0] == "DERIVED"
    assert read_dicom(tmp_path / "out.dcm").region == (1, 5, 59, 75)


def test_the_same_frames_give_the_same_bytes_and_others_another_identity(
    cine, cine_frames, tmp_path
):
    names = ("a.dcm", "b.dcm", "c.dcm")
    for name, frames in zip(names, (cine_frames, cine_frames, 255 - cine_frames), strict=True):
        write_dicom(tmp_path / name, frames, cine, deidentify=True)
    one, same = ((tmp_path / name).read_bytes() for name in names[:2])
    assert one == same
    uids = [pydicom.dcmread(tmp_path / name).SOPInstanceUID for name in ("a.dcm", "c.dcm")]
    assert uids[0] != uids[1]


def test_an_unknown_frame_time_is_not_invented(cine, cine_frames, tmp_path):
    cine.frame_time_ms = float("nan")
    write_dicom(tmp_path / "out.dcm", cine_frames, cine, deidentify=True)
    found = pydicom.dcmread(tmp_path / "out.dcm")
    assert "FrameTime" not in found
    assert "FrameIncrementPointer" not in found


def test_what_was_once_lossy_stays_so(cine, cine_frames, tmp_path):
    write_dicom(tmp_path / "a.dcm", cine_frames, cine, deidentify=True)
    cine.header.LossyImageCompression = "01"
    write_dicom(tmp_path / "b.dcm", cine_frames, cine, deidentify=True)
    flags = [pydicom.dcmread(tmp_path / f"{n}.dcm").LossyImageCompression for n in "ab"]
    assert flags == ["00", "01"]
