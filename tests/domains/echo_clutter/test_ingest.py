"""Every source to a dataset with a card; the same parameters give the same bytes."""

import json
import subprocess
import sys

import numpy as np
import pytest

from domains.contract import Card
from domains.echo_clutter.ingest import ingest
from domains.echo_clutter.science.clips import load_dataset
from domains.echo_clutter.science.spots import Spot
from domains.errors import DataError
from domains.files import hash_folder


def test_ingest_loads_no_torch():
    code = (
        "import sys, domains.echo_clutter.ingest as i;"
        "assert not {'torch', 'lightning', 'pydicom', 'av'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.fixture(scope="module")
def sample(tmp_path_factory, module_params):
    """Folder and card of the sample."""
    out = tmp_path_factory.mktemp("sample") / "out"
    return out, ingest("sample", out, **module_params)


def test_the_sample_is_simulated_says_so_and_has_a_real_clip_beside(sample):
    out, card = sample
    assert "simulated" in card.title
    assert "no measurement" in card.title
    assert card.counts["clips"] == 5
    assert card.counts["clips with exact contour"] == 4
    assert card.counts["clips without truth"] == 1
    for split in ("train", "validate", "test", "in_vivo"):
        clips = load_dataset(out, split)
        assert [clip.name for clip in clips] == sorted(card.splits[split])
        assert all((clip.cluttered is None) == (split == "train") for clip in clips)
        assert all((clip.clean is None) == (split == "in_vivo") for clip in clips)


def test_subjects_and_vendors_of_the_splits_are_others(sample):
    splits = [load_dataset(sample[0], split) for split in ("train", "validate", "test")]
    for key in ("subject", "vendor"):
        sets = [{getattr(clip, key) for clip in clips} for clips in splits]
        assert len(set.union(*sets)) == sum(len(one) for one in sets)


def test_the_same_parameters_give_the_same_bytes_and_another_seed_others(tmp_path, sample, params):
    out, card = sample
    ingest("sample", tmp_path / "b", **params)
    assert hash_folder(tmp_path / "b") == hash_folder(out)
    assert Card.load(tmp_path / "b") == (card, hash_folder(out))
    params["ingest"]["clutter"]["seed"] = 1
    ingest("sample", tmp_path / "b", **params)
    assert hash_folder(tmp_path / "b") != hash_folder(out)
    (one,), (other,) = (load_dataset(folder, "test") for folder in (out, tmp_path / "b"))
    np.testing.assert_array_equal(one.clean, other.clean)


def test_the_clutter_of_a_test_clip_is_what_its_record_says(tmp_path, params):
    params["ingest"]["clutter"] |= {"near_field": 1.0, "reverberation": 0.0, "haze": 0.0}
    ingest("sample", tmp_path / "out", **params)
    (clip,) = load_dataset(tmp_path / "out", "test")
    spot = Spot(**json.loads(clip.clutter)["near_field"])
    expected = np.clip(clip.clean + spot.values(clip.sector.shape) * clip.sector, 0, 255)
    np.testing.assert_allclose(clip.cluttered, expected, atol=0.51)
    assert clip.cluttered.max() > clip.clean.max()


def test_authors_clips_keep_their_own_clutter_and_results(tmp_path, params, echo_data, monkeypatch):
    monkeypatch.setenv("CONVOY_MIRROR", str(echo_data.parent))
    params["ingest"]["size"] = 128
    card = ingest("public", tmp_path / "out", **params)
    assert card.licence == "MIT"
    assert card.counts["frames"] == 250
    (clip,) = load_dataset(tmp_path / "out", "test")
    with np.load(echo_data / "synthetic_GE.npz") as known:
        for key in known.files:
            np.testing.assert_array_equal(getattr(clip, key), known[key])


def test_a_users_folder_becomes_a_dataset(tmp_path, params, cine_frames):
    (tmp_path / "clips").mkdir()
    for number in range(3):
        np.savez(tmp_path / "clips" / f"{number}.npz", frames=cine_frames, frame_time_ms=20)
    card = ingest(str(tmp_path / "clips"), tmp_path / "out", **params)
    assert card.splits == {"train": ["0"], "validate": ["1"], "test": ["2"], "in_vivo": []}
    assert "3 clips are taken for free of clutter" in card.warnings[-1]
    (clip,) = load_dataset(tmp_path / "out", "test")
    assert (clip.cluttered.astype(int) - clip.clean).max() > 50
    assert (clip.cluttered >= clip.clean).all()


def test_clutter_that_can_never_come_is_refused(tmp_path, params, cine_frames):
    (tmp_path / "clips").mkdir()
    for number in range(3):
        np.savez(tmp_path / "clips" / f"{number}.npz", frames=cine_frames, frame_time_ms=20)
    params["ingest"]["clutter"] |= {"near_field": 0.0, "reverberation": 0.0, "haze": 0.0}
    with pytest.raises(DataError, match=r"ingest\.clutter: near_field, .* are all 0, and"):
        ingest(str(tmp_path / "clips"), tmp_path / "out", **params)
    assert not (tmp_path / "out").exists()


def test_a_vendor_in_two_splits_of_the_sample_is_refused(tmp_path, params):
    params["ingest"]["sample"]["test_vendors"] = ["A"]
    with pytest.raises(DataError, match="vendor A is in two splits"):
        ingest("sample", tmp_path / "out", **params)


def test_a_refused_source_leaves_the_old_dataset_untouched(tmp_path, params, cine_frames):
    np.savez(tmp_path / "still.npz", frames=cine_frames[:2])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").write_text("old")
    with pytest.raises(DataError, match=r"no clip left; refused: \{'fewer than 8 frames': 1\}"):
        ingest(str(tmp_path / "still.npz"), tmp_path / "out", **params)
    assert (tmp_path / "out" / "old").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "still.npz"]
