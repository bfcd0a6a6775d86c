"""The public source: from the mirror, else from the archive, whose sum is known."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import pooch
import pytest

from domains.errors import DataError
from domains.medical_segmentation.sources import hippocampus


def test_a_mirror_with_some_cases_gives_those_and_counts_the_others(
    test_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not (test_data / hippocampus.MIRROR).is_dir():
        pytest.skip(f"no {hippocampus.MIRROR} in {test_data}")
    monkeypatch.setenv("CONVOY_MIRROR", str(test_data))
    layout = hippocampus.hippocampus_layout()
    assert layout.labels == {"anterior": 1, "posterior": 2}
    assert len(layout.cases) + sum(layout.rejected.values()) == 260


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A mirror with an archive of one case and a side file of macOS."""
    path = tmp_path / "mirror" / "medical" / "Task04_Hippocampus.tar"
    path.parent.mkdir(parents=True)
    described = b'{"name": "H", "modality": {"0": "MRI"}, "labels": {"0": "b", "1": "A", "2": "P"}}'
    with tarfile.open(path, "w") as packed:
        for name in ("imagesTr/h_001.nii.gz", "imagesTr/._h_001.nii.gz", "labelsTr/h_001.nii.gz",
                     "dataset.json"):  # fmt: skip
            entry = tarfile.TarInfo(f"Task04_Hippocampus/{name}")
            content = described if name == "dataset.json" else b""
            entry.size = len(content)
            packed.addfile(entry, io.BytesIO(content))
    monkeypatch.setenv("CONVOY_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setenv("CONVOY_CACHE", str(tmp_path / "cache"))
    return path


def test_the_archive_is_unpacked_once(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hippocampus, "MD5", hashlib.md5(archive.read_bytes()).hexdigest())
    first = hippocampus.hippocampus_layout().cases
    assert list(first) == ["h_001"]
    monkeypatch.setattr(hippocampus, "MD5", "never looked at again")
    assert hippocampus.hippocampus_layout().cases == first


@pytest.mark.parametrize("is_known", [True, False])
def test_a_damaged_download_is_no_measure_of_the_next(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> None:
    content = [b"<html>not found</html>", archive.read_bytes()]

    def retrieve(url: str, known_hash: str | None, fname: str, path: Path) -> str:
        path.mkdir(parents=True, exist_ok=True)
        (path / fname).write_bytes(content.pop(0))
        assert known_hash is None
        return str(path / fname)

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    monkeypatch.delenv("CONVOY_MIRROR")
    right = hashlib.md5(content[1]).hexdigest()
    # the archive of the public source has a known sum, a user's has none
    bad = right if is_known else hashlib.md5(content[0]).hexdigest()
    monkeypatch.setattr(hippocampus, "MD5", bad)
    with pytest.raises(DataError, match="remove it and run again"):
        hippocampus.hippocampus_layout()
    monkeypatch.setattr(hippocampus, "MD5", right)
    assert list(hippocampus.hippocampus_layout().cases) == ["h_001"]


def test_another_archive_is_refused(archive: Path) -> None:
    with pytest.raises(DataError, match=f"MD5 is .*, expected {hippocampus.MD5}"):
        hippocampus.hippocampus_layout()
