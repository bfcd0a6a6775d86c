"""Folders as users have them become cases; what does not fit is counted or named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from domains.errors import DataError
from domains.medical_segmentation.sources.layouts import find_layout

MSD = {
    "name": "Heart",
    "modality": {"0": "CT"},
    "labels": {"0": "background", "1": "Left Atrium"},
}
NNUNET = {
    "channel_names": {"0": "T1", "1": "T2"},
    "labels": {"background": 0, "liver": 1, "lesion": 2, "ignore": 3},
    "file_ending": ".nii.gz",
}


@pytest.fixture
def touch(tmp_path: Path) -> Callable[..., Path]:
    """Empty files by name below ``tmp_path``: layouts look at names alone."""

    def make(*names: str, dataset: dict | None = None) -> Path:
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        if dataset is not None:
            (tmp_path / "dataset.json").write_text(json.dumps(dataset))
        return tmp_path

    return make


def files_of(folder: Path) -> dict[str, tuple[list[str], str]]:
    layout = find_layout(folder)
    return {
        name: ([path.name for path in files.images], files.label.name)
        for name, files in layout.cases.items()
    }


def test_the_decathlons_folder_is_read_with_its_labels_and_without_side_files(
    touch: Callable[..., Path],
) -> None:
    names = ("imagesTr/a.nii.gz", "labelsTr/a.nii.gz", "imagesTr/._a.nii.gz", "imagesTs/b.nii.gz")
    folder = touch(*names, dataset=MSD)
    assert files_of(folder) == {"a": (["a.nii.gz"], "a.nii.gz")}
    layout = find_layout(folder)
    assert (layout.kind, layout.channels, layout.labels) == ("Heart", ["CT"], {"left_atrium": 1})
    assert layout.rejected == {"volume of imagesTs, which has no label": 1}


def test_nnunets_folder_is_read_with_its_channels(touch: Callable[..., Path]) -> None:
    names = ("imagesTr/a_0001.nii.gz", "imagesTr/a_0000.nii.gz", "labelsTr/a.nii.gz")
    folder = touch(*names, "imagesTr/b_0000.nii.gz", "labelsTr/c.nii.gz", dataset=NNUNET)
    assert files_of(folder) == {"a": (["a_0000.nii.gz", "a_0001.nii.gz"], "a.nii.gz")}
    layout = find_layout(folder)
    assert (layout.channels, layout.labels) == (["T1", "T2"], {"liver": 1, "lesion": 2})
    assert layout.rejected == {"image without a label": 1, "label without an image": 1}


def test_nnunets_regions_are_kept(touch: Callable[..., Path]) -> None:
    labels = {"background": 0, "whole": [1, 2, 3], "core": [2, 3], "hot": 3}
    dataset = {**NNUNET, "labels": labels, "regions_class_order": [1, 2, 3]}
    layout = find_layout(touch("imagesTr/a_0000.nii.gz", "labelsTr/a.nii.gz", dataset=dataset))
    assert layout.labels == {"label_1": 1, "label_2": 2, "label_3": 3}
    assert layout.regions == {"whole": [1, 2, 3], "core": [2, 3], "hot": [3]}
    assert layout.paint == {"whole": 1, "core": 2, "hot": 3}


def test_the_decathlons_brain_tumour_has_the_names_of_brats(touch: Callable[..., Path]) -> None:
    labels = {"0": "background", "1": "edema", "2": "non-enhancing tumor", "3": "enhancing tumour"}
    folder = touch("imagesTr/a.nii.gz", "labelsTr/a.nii.gz", dataset={**MSD, "labels": labels})
    assert find_layout(folder).labels == {"oedema": 1, "non_enhancing": 2, "enhancing": 3}


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ({"modality": {"0": "CT"}}, r"KeyError.* expected labels and channel_names"),
        ({**NNUNET, "labels": {"all": [1, 2]}}, "regions_class_order"),
        ({**NNUNET, "labels": {"all": [1, 2]}, "regions_class_order": [5]}, "no region has"),
        ({**NNUNET, "labels": {"liver": 1, "lesion": 1}}, r"values \[1, 1\], expected different"),
        ({**NNUNET, "labels": {"liver": 300}}, "expected different ones of 1 to 255"),
    ],
)
def test_a_dataset_json_that_does_not_say_enough_is_refused(
    touch: Callable[..., Path], dataset: dict, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        find_layout(touch("imagesTr/a.nii.gz", "labelsTr/a.nii.gz", dataset=dataset))


def test_a_number_that_the_label_has_too_is_the_cases(touch: Callable[..., Path]) -> None:
    names = [f"{part}/scan_{n:04d}.nii.gz" for part in ("images", "labels") for n in (1, 2)]
    assert files_of(touch(*names)) == {
        "scan_0001": (["scan_0001.nii.gz"], "scan_0001.nii.gz"),
        "scan_0002": (["scan_0002.nii.gz"], "scan_0002.nii.gz"),
    }


@pytest.mark.parametrize(
    ("pattern", "channels"),
    [
        ("{p}_flair.nii.gz {p}_t1ce.nii.gz {p}_seg.nii.gz", ["flair", "t1c"]),
        ("{p}/{p}_t2.nii.gz {p}/{p}_flair.nii.gz {p}/{p}_seg.nii.gz", ["flair", "t2"]),
        ("{p}/{p}-t2f.nii.gz {p}/{p}-t1n.nii.gz {p}/{p}-seg.nii.gz", ["flair", "t1"]),
        ("{p}/flair.nii.gz {p}/seg.nii.gz", ["flair"]),
        ("{p}/{p}_flair.nii.gz {p}/{p}_seg.nii.gz {p}/brain_mask.nii.gz", ["flair"]),
    ],
)
def test_brats_patients_of_all_years_are_found(
    touch: Callable[..., Path], pattern: str, channels: list[str]
) -> None:
    patients = ("BraTS-GLI-001", "BraTS20_Training_002")
    if "-t2f" in pattern:
        patients = patients[:1]  # 2023 names have no underscore
    names = [name for patient in patients for name in pattern.format(p=patient).split()]
    layout = find_layout(touch(*names, "BraTS20_Training_003/BraTS20_Training_003_flair.nii.gz"))
    assert (layout.kind, layout.channels, list(layout.cases)) == ("BraTS", channels, list(patients))
    assert list(layout.rejected.values()) == [1]


def test_a_label_beside_its_volume_makes_a_case(touch: Callable[..., Path]) -> None:
    folder = touch("a.nii.gz", "a_seg.nii.gz", "b.nii", "b_mask.nii.gz", "c.nii.gz")
    assert files_of(folder) == {
        "a": (["a.nii.gz"], "a_seg.nii.gz"),
        "b": (["b.nii"], "b_mask.nii.gz"),
    }
    assert find_layout(folder).rejected == {"volume without a label beside it": 1}


@pytest.mark.parametrize(
    ("files", "images"),
    [
        (("t1.nii.gz", "t1_seg.nii.gz"), ["t1.nii.gz"]),
        (
            ("t1_flair.nii.gz", "t1_t2.nii.gz", "t1_seg.nii.gz"),
            ["t1_flair.nii.gz", "t1_t2.nii.gz"],
        ),
    ],
)
def test_files_of_one_name_in_many_folders_are_as_many_cases(
    touch: Callable[..., Path], files: tuple[str, ...], images: list[str]
) -> None:
    layout = find_layout(touch(*(f"{folder}/{name}" for folder in ("p1", "p2") for name in files)))
    assert list(layout.cases) == ["p1_t1", "p2_t1"]
    for folder, case in zip(("p1", "p2"), layout.cases.values(), strict=True):
        assert [path.name for path in case.images] == images
        assert {path.parent.name for path in (*case.images, case.label)} == {folder}
    assert layout.rejected == {}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a.txt"], "no cases found; expected dataset.json"),
        (["images/a.nii.gz", "labels/b.nii.gz"], r"no label with the name of an image \(1 labels"),
        (["images/a.nii.gz", "images/a.nii", "labels/a.nii"], "goes by the name of .*a.nii; exp"),
        (["images/a.nii", "labels/a.nii.gz", "labels/a.nii"], "a.nii.gz: goes by the name of"),
        (["p/a.nii", "p/a.nii.gz", "p/a_seg.nii"], "a.nii.gz: goes by the name of .*a.nii; exp"),
        (["a_flair.nii", "a_t1ce.nii", "a_t1gd.nii", "a_seg.nii"], "gd.nii: goes by the name of"),
        (
            ["images/a.nii", "images/a_0000.nii", "labels/a.nii"],
            "a.nii: lies beside a_0000.nii, expected one volume or its numbered channels",
        ),
    ],
)
def test_folders_without_cases_are_refused_with_what_was_looked_for(
    touch: Callable[..., Path], names: list[str], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        find_layout(touch(*names))
