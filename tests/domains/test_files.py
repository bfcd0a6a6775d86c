"""Files from a mirror are those that were asked for."""

import pytest

from domains.errors import DataError
from domains.files import check_file, fetch, hash_file

URL = "https://example.org/data/sky.fits"


@pytest.fixture
def mirrored(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVOY_MIRROR", str(tmp_path))
    path = tmp_path / "sky.fits"
    path.write_bytes(b"a sky")
    return path


def test_a_mirrored_file_with_the_known_hash_is_taken(mirrored):
    assert fetch(URL, hash_file(mirrored), "cmb") == mirrored


def test_a_mirrored_file_with_another_hash_is_refused_with_both(mirrored):
    found, expected = hash_file(mirrored), "0" * 64
    with pytest.raises(DataError) as caught:
        fetch(URL, expected, "cmb")
    line = str(caught.value)
    assert line.startswith(f"cmb: {mirrored}: SHA-256 is {found}, expected {expected}")
    assert "\n" not in line


def test_a_mirrored_file_without_a_known_hash_is_taken_as_it_is(mirrored):
    assert fetch(URL, None, "cmb") == mirrored


def test_a_place_of_its_own_in_the_mirror_is_checked_too(mirrored):
    place = mirrored.parent / "cmb" / "k.fits"
    place.parent.mkdir()
    place.write_bytes(b"another")
    assert fetch(URL, hash_file(place), "cmb", "cmb/k.fits") == place
    with pytest.raises(DataError, match="SHA-256"):
        fetch(URL, hash_file(mirrored), "cmb", "cmb/k.fits")


def test_two_addresses_with_one_file_name_are_two_files(tmp_path, monkeypatch):
    def download(url, known_hash, fname, path):
        file = path / fname
        if not file.is_file():
            path.mkdir(parents=True, exist_ok=True)
            file.write_text(url)
        assert known_hash in (None, hash_file(file))
        return str(file)

    monkeypatch.delenv("CONVOY_MIRROR", raising=False)
    monkeypatch.setenv("CONVOY_CACHE", str(tmp_path))
    monkeypatch.setattr("pooch.retrieve", download)
    addresses = [f"https://example.org/{year}/tracks.csv" for year in (2023, 2024, 2023)]
    found = [fetch(url, None, "ais").read_text() for url in addresses]
    assert found == addresses


def test_a_hash_is_compared_with_the_whole_file(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"")
    check_file(path, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "x")
