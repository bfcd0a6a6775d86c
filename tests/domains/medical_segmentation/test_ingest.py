"""Sources to one dataset: splits by subject, everything counted, the same bytes each time."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from pydantic import ValidationError

from domains.contract import Card
from domains.errors import DataError
from domains.files import hash_folder
from domains.medical_segmentation.ingest import ingest
from domains.medical_segmentation.params import IngestParams
from domains.medical_segmentation.science.cases import Case, Catalogue, load_case


@pytest.fixture
def pairs(make_case: Callable[..., Case], tmp_path: Path) -> Path:
    """Eight ball cases of four subjects as a user's folder."""
    folder = tmp_path / "pairs"
    for number in range(8):
        case = make_case(f"p{number // 2}_scan{number % 2}", number)
        for part, values in (("images", case.image[0]), ("labels", case.label)):
            (folder / part).mkdir(parents=True, exist_ok=True)
            nib.save(nib.Nifti1Image(values, case.affine), folder / part / f"{case.name}.nii.gz")
    return folder


def test_the_sample_is_the_same_bytes_each_time_and_says_it_is_simulated(
    params: dict, tmp_path: Path
) -> None:
    cards = [ingest("sample", tmp_path / name, **params) for name in ("one", "two")]
    assert hash_folder(tmp_path / "one") == hash_folder(tmp_path / "two")
    assert "simulated" in cards[0].title
    assert Card.load(tmp_path / "one")[1] == hash_folder(tmp_path / "one")
    params["ingest"]["seed"] = 1
    ingest("sample", tmp_path / "three", **params)
    assert hash_folder(tmp_path / "one") != hash_folder(tmp_path / "three")


def test_no_subject_is_in_two_splits(params: dict, pairs: Path, tmp_path: Path) -> None:
    params["ingest"] |= {"subject": r"^(p\d)_", "validate_share": 0.25, "test_share": 0.25}
    ingest(str(pairs), tmp_path / "out", **params)
    catalogue = Catalogue.load(tmp_path / "out")
    assert {split: len(cases) for split, cases in catalogue.splits.items()} == {
        "train": 4,
        "validate": 2,
        "test": 2,
    }
    by_split = [{catalogue.subjects[c] for c in cases} for cases in catalogue.splits.values()]
    assert len(set.union(*by_split)) == sum(map(len, by_split)) == 4


def test_listed_cases_take_all_scans_of_their_subject_along(
    params: dict, pairs: Path, tmp_path: Path
) -> None:
    params["ingest"] |= {"subject": r"^(p\d)_", "test_cases": ["p3_scan0"]}
    params["ingest"]["validate_cases"] = ["p0_scan0", "p0_scan1"]
    card = ingest(str(pairs), tmp_path / "out", **params)
    assert card.splits["test"] == ["p3_scan0", "p3_scan1"]
    assert card.splits["validate"] == ["p0_scan0", "p0_scan1"]


def test_what_was_read_is_what_is_stored(
    params: dict, pairs: Path, tmp_path: Path, make_case: Callable[..., Case]
) -> None:
    card = ingest(str(pairs), tmp_path / "out", **params)
    expected, found = make_case("p0_scan0", 0), load_case(tmp_path / "out", "p0_scan0")
    np.testing.assert_array_equal(found.image, expected.image)
    np.testing.assert_array_equal(found.label, expected.label)
    np.testing.assert_allclose(found.affine, expected.affine, atol=1e-6)
    assert card.counts["cases with label_2"] == 8
    voxels = sum(int((make_case("x", n).label == 1).sum()) for n in range(8))
    assert card.counts["voxels of label_1"] == voxels


def test_the_fingerprint_knows_the_training_cases_alone(
    params: dict, pairs: Path, tmp_path: Path
) -> None:
    card = ingest(str(pairs), tmp_path / "out", **params)
    found = json.loads((tmp_path / "out" / "fingerprint.json").read_text())
    train = [load_case(tmp_path / "out", name).label for name in card.splits["train"]]
    counted = {str(v): sum(int((label == v).sum()) for label in train) for v in (0, 1, 2)}
    assert found["measured"]["class_voxels"] == counted
    assert found["measured"]["num_cases"] == len(train) < 8
    assert found["plan"]["spacing_mm"] == [1.0, 1.0, 1.5]


def test_a_damaged_case_stops_the_step_or_is_left_out_and_counted(
    params: dict, pairs: Path, tmp_path: Path
) -> None:
    path = pairs / "images" / "p0_scan0.nii.gz"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(DataError, match=r"p0_scan0.nii.gz: cannot be read .* skip leaves"):
        ingest(str(pairs), tmp_path / "out", **params)
    assert not (tmp_path / "out").exists()
    params["ingest"]["bad_cases"] = "skip"
    card = ingest(str(pairs), tmp_path / "out", **params)
    assert card.counts["cases"] == 7
    assert card.rejected == {"case that cannot be used": 1}
    assert "p0_scan0.nii.gz: cannot be read" in card.warnings[0]


def test_oddities_are_counted_on_the_card(
    params: dict, pairs: Path, tmp_path: Path, make_case: Callable[..., Case]
) -> None:
    for number in (0, 1):
        case = make_case("x", number)
        label = np.zeros(case.label.shape, np.float32)
        path = pairs / "labels" / f"p0_scan{number}.nii.gz"
        nib.save(nib.Nifti1Image(label[..., None], case.affine), path)
    assert ingest(str(pairs), tmp_path / "out", **params).warnings == [
        "trailing axes of length 1 were dropped (2 cases)",
        "labels stored as fractions were taken as whole numbers (2 cases)",
        "no voxel is labelled (2 cases)",
    ]


@pytest.mark.parametrize(
    ("names", "is_sided"),
    [
        (("anterior", "bright part"), False),
        (("front", "LV"), False),
        (("LeftVentricle", "aorta"), True),
        (("left_atrium", "aorta"), True),
        (("kidney R", "k"), True),
    ],
)
def test_labels_of_one_side_are_known_by_their_names(
    params: dict, pairs: Path, tmp_path: Path, names: tuple[str, str], is_sided: bool
) -> None:
    params["ingest"]["labels"] = {names[0]: 1, names[1]: 2}
    ingest(str(pairs), tmp_path / "out", **params)
    assert Catalogue.load(tmp_path / "out").is_sided is is_sided


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"background": 0, "front": 1}, "1 to 255; 0 is the background: leave it out"),
        ({"front": 300}, "values must be 1 to 255"),
        ({"front": -1}, "values must be 1 to 255"),
        ({"front": 1, "back": 1}, "each name needs a value of its own"),
    ],
)
def test_labels_that_are_no_structures_are_refused(
    params: dict, labels: dict[str, int], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        IngestParams.model_validate({**params["ingest"], "labels": labels})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": {"front": 1}}, r"has the values \[2\], expected \[0, 1\]"),
        ({"test_cases": ["nobody"]}, r"names \['nobody'\], expected cases such as p0_scan0"),
        ({"subject": "(q)"}, "finds no subject in case p0_scan0"),
        ({"subject": "p("}, "expected a regular expression with one group"),
        (
            {"subject": r"(p\d)", "test_cases": ["p0_scan0"], "validate_cases": ["p0_scan1"]},
            "is in validate_cases and in test_cases",
        ),
        ({"subject": "(scan.)"}, "2 subjects leave none for train"),
    ],
)
def test_settings_that_do_not_fit_the_cases_are_refused(
    params: dict, pairs: Path, tmp_path: Path, change: dict, message: str
) -> None:
    params["ingest"] |= change
    with pytest.raises(DataError, match=message):
        ingest(str(pairs), tmp_path / "out", **params)


def test_a_source_that_is_nowhere_says_what_may_be_there(params: dict, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder, expected sample, public, or a folder"):
        ingest(str(tmp_path / "nothing"), tmp_path / "out", **params)


def test_the_real_hippocampus_has_its_known_counts(
    params: dict, tmp_path: Path, test_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not (test_data / "medical" / "hippocampus" / "images").is_dir():
        pytest.skip("no Hippocampus cases in the folder of real samples")
    folder = tmp_path / "mirror" / "medical" / "hippocampus"
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True)
        every = sorted((test_data / "medical" / "hippocampus" / part).iterdir())
        for path in every[:9]:
            (folder / part / path.name).symlink_to(path)
    monkeypatch.setenv("CONVOY_MIRROR", str(tmp_path / "mirror"))
    params["ingest"] |= {"max_patch_voxels": 49152, "patch_multiple": 16}
    card = ingest("public", tmp_path / "out", **params)
    assert card.counts["cases with anterior"] == card.counts["cases with posterior"] == 9
    assert sum(card.rejected.values()) == 251
    found = json.loads((tmp_path / "out" / "fingerprint.json").read_text())
    assert found["plan"]["patch"] == [32, 48, 32]
    assert 0.02 < found["measured"]["class_frequency"]["1"] < 0.04


def test_real_brats_patients_get_their_regions(
    params: dict, tmp_path: Path, test_data: Path
) -> None:
    folder = test_data / "medical" / "brats2015_2mm"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    ingest(str(folder), tmp_path / "out", **params)
    catalogue = Catalogue.load(tmp_path / "out")
    assert list(catalogue.channels) == ["flair", "t1c"]
    assert catalogue.regions["tumour_core"] == [1, 3, 4]
    found = json.loads((tmp_path / "out" / "fingerprint.json").read_text())
    assert {how["within"] for how in found["plan"]["normalisation"]} == {"nonzero"}
