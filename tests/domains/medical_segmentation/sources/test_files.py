"""Cases of a folder or of an archive at an address, read one by one and counted."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from domains.errors import DataError
from domains.medical_segmentation.params import IngestParams
from domains.medical_segmentation.science.cases import Case
from domains.medical_segmentation.sources.archives import unpack
from domains.medical_segmentation.sources.files import collect_files


@pytest.fixture
def brats(make_case: Callable[..., Case], tmp_path: Path) -> Path:
    """Two patients with two channels, the second one's channels a millimetre apart."""
    for number, name in enumerate(("pat_1", "pat_2")):
        case = make_case(name, number)
        for kind, values in (
            ("flair", case.image[0]),
            ("t1c", -case.image[0]),
            ("seg", case.label),
        ):
            affine = case.affine.copy()
            affine[0, 3] += 1.0 if (name, kind) == ("pat_2", "t1c") else 0.0
            path = tmp_path / "brats" / name / f"{name}_{kind}.nii.gz"
            path.parent.mkdir(parents=True, exist_ok=True)
            nib.save(nib.Nifti1Image(values, affine), path)
    return tmp_path / "brats"


def test_channels_are_stacked_in_order_and_must_lie_on_the_same_voxels(
    brats: Path, params: dict, make_case: Callable[..., Case]
) -> None:
    collection = collect_files(str(brats), IngestParams(**params["ingest"]))
    assert collection.channels == ["flair", "t1c"]
    image = make_case("pat_1", 0).image[0]
    np.testing.assert_array_equal(collection.readers["pat_1"]().image, np.stack([image, -image]))
    with pytest.raises(DataError, match=r"pat_2_t1c.nii.gz: lies up to 1 mm away .*origin"):
        collection.readers["pat_2"]()


@pytest.mark.parametrize("kind", ["zip", "gztar"])
def test_an_archive_at_an_address_is_unpacked_once(
    brats: Path, params: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "mirror" / "cases"), kind, tmp_path, "brats"))
    monkeypatch.setenv("CONVOY_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setenv("CONVOY_CACHE", str(tmp_path / "cache"))
    address = f"https://example.org/data/{archive.name}"
    for _ in range(2):
        collection = collect_files(address, IngestParams(**params["ingest"]))
        assert list(collection.readers) == ["pat_1", "pat_2"]
        assert collection.source == address
    assert not list((tmp_path / "mirror").glob("*unpacked*"))


@pytest.mark.parametrize("name", ["../outside.nii", "/outside.nii", "link.nii"])
def test_an_archive_that_reaches_outside_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "case.nii").write_bytes(b"a case")
    with tarfile.open(tmp_path / "cases.tar", "w") as packed:
        member = packed.gettarinfo(tmp_path / "case.nii")
        member.name = name
        if name.startswith("link"):
            member.type, member.linkname, member.size = tarfile.SYMTYPE, "/etc/passwd", 0
        with open(tmp_path / "case.nii", "rb") as stream:
            packed.addfile(member, stream)
    with pytest.raises(DataError, match=r"cannot be unpacked \(TarError\)"):
        unpack(tmp_path / "cases.tar", tmp_path / "cases")
    assert not (tmp_path / "cases").exists()
    assert not (tmp_path / "outside.nii").exists()


def test_what_is_no_archive_is_refused(
    params: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cases.tar.gz").write_bytes(b"<html>not found</html>")
    monkeypatch.setenv("CONVOY_MIRROR", str(tmp_path))
    monkeypatch.setenv("CONVOY_CACHE", str(tmp_path / "cache"))
    with pytest.raises(
        DataError, match=r"cannot be unpacked \(ReadError\), expected a whole \.tar"
    ):
        collect_files("https://example.org/cases.tar.gz", IngestParams(**params["ingest"]))
