"""The authors' clips, cut as their layout says; real files come from the mirror."""

import numpy as np
import pytest

from domains.echo_clutter.params import FilesParams, PublicParams
from domains.echo_clutter.sources.public import collect_public, cut_panels, packaged_cine
from domains.errors import DataError

LISTS = {
    "train_vendors": ["Hitachi", "Siemens"],
    "validate_vendors": ["Samsung"],
    "test_vendors": ["GE"],
    "in_vivo_subjects": [1],
}


def settings(**changes):
    return PublicParams.model_validate(LISTS | changes)


@pytest.fixture(scope="module")
def collected(echo_data):
    """The clips of LISTS that the real samples hold."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVOY_MIRROR", str(echo_data.parent))
        return collect_public(settings(), 128)


def test_panels_are_cut_and_letters_blacked():
    frames = np.zeros((2, 256, 512), np.uint8)
    for number in range(4):
        frames[:, :128, 128 * number : 128 * (number + 1)] = 10 * (number + 1)
    found = cut_panels(frames, "published", "clip")
    assert list(found) == ["cluttered", "paper_3d", "paper_2d", "clean"]
    for number, image in enumerate(found.values()):
        assert (image[:, :20, 26:50] == 0).all()
        image[:, :20, 26:50] = 10 * (number + 1)
        assert (image == 10 * (number + 1)).all()
    assert list(cut_panels(frames, "in_vivo", "clip")) == ["cluttered", "paper_3d", "paper_2d"]
    with pytest.raises(DataError, match="not one of the authors' clips"):
        cut_panels(frames[:, :200], "published", "clip")


def test_the_clips_of_the_mirror_are_the_known_arrays(echo_data, collected):
    assert {s: [c.name for c in clips] for s, clips in collected.splits.items()} == {
        "train": ["synthetic_Hitachi"],
        "validate": ["synthetic_Samsung"],
        "test": ["synthetic_GE"],
        "in_vivo": ["invivo_Subject1"],
    }
    assert sum(collected.rejected.values()) == 1
    for clip in (*collected.splits["test"], *collected.splits["in_vivo"]):
        with np.load(echo_data / f"{clip.name}.npz") as known:
            assert set(clip.images) == set(known.files)
            for key in known.files:
                np.testing.assert_array_equal(clip.images[key], known[key])
        assert not clip.sector[:20, 26:50].any()
        assert clip.frame_time_ms == 50.0
    sector = collected.splits["test"][0].sector
    assert 0.5 < sector.mean() < 0.62


def test_the_authors_clutter_lies_in_the_sector_that_was_found(collected):
    (clip,) = collected.splits["test"]
    errors = np.abs(clip.cluttered.astype(float) - clip.clean)
    outside = errors[:, ~clip.sector].mean()
    assert errors[:, clip.sector].mean() > 20 * outside


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"test_vendors": ["Acme"]}, "no vendor Acme, expected some of GE, Hitachi"),
        ({"test_vendors": ["Hitachi"]}, "vendor Hitachi is named twice"),
        ({"in_vivo_subjects": [7]}, "in_vivo_subjects: 7, expected 1 to 6"),
    ],
)
def test_wrong_lists_are_refused_before_any_download(changes, message):
    with pytest.raises(DataError, match=message):
        collect_public(settings(**changes), 128)


def test_a_split_without_clips_is_refused(echo_data, monkeypatch):
    monkeypatch.setenv("CONVOY_MIRROR", str(echo_data.parent))
    with pytest.raises(DataError, match=r"none of the clips \['Toshiba'\]"):
        collect_public(settings(train_vendors=["Toshiba"]), 128)


def test_the_cine_inside_pydicom_is_a_clip_without_truth(params):
    clip = packaged_cine(64, FilesParams.model_validate(params["ingest"]["files"]))
    assert clip.cluttered.shape == (30, 64, 64)
    assert clip.clean is None
    assert clip.frame_time_ms == pytest.approx(33.333)
    assert clip.pixel_mm == pytest.approx(1.021 * 181 / 64, rel=0.05)
    assert 0.4 < clip.sector.mean() < 0.8
