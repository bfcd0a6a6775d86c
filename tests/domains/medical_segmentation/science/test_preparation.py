"""To the network's grid and back: an answer lies on the voxels that were given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from domains.medical_segmentation.science import preparation
from domains.medical_segmentation.science.cases import Case
from domains.medical_segmentation.science.fingerprint import measure, plan

PLAN = {
    "spacing_mm": [1.0, 1.0, 1.5],
    "patch": [8, 8, 8],
    "normalisation": [{"kind": "volume", "within": "all"}],
}


def turned(case: Case, codes: str) -> Case:
    """``case`` stored along other axes; the anatomy stays where it is in mm."""
    turn = nib.orientations.ornt_transform(
        nib.orientations.io_orientation(case.affine), nib.orientations.axcodes2ornt(codes)
    )
    image = nib.Nifti1Image(case.image[0], case.affine).as_reoriented(turn)
    label = nib.Nifti1Image(case.label, case.affine).as_reoriented(turn)
    return Case(
        case.name,
        np.asarray(image.dataobj)[None],
        image.affine,
        np.asarray(label.dataobj, np.uint8),
    )


def one_hot(label: np.ndarray, values: tuple[int, ...]) -> np.ndarray:
    return np.stack([label == value for value in values]).astype(np.float32)


@pytest.mark.parametrize("codes", ["RAS", "LPS", "SAL"])
def test_whatever_its_axes_a_volume_looks_the_same_to_the_network(
    make_case: Callable[..., Case], codes: str
) -> None:
    case = make_case("a", 0)
    straight = preparation.prepare(case, PLAN)
    prepared = preparation.prepare(turned(case, codes), PLAN)
    np.testing.assert_allclose(prepared.image, straight.image, atol=1e-5)
    np.testing.assert_array_equal(prepared.label, straight.label)
    np.testing.assert_allclose(prepared.grid.affine, straight.grid.affine, atol=1e-6)


@pytest.mark.parametrize("codes", ["RAS", "LPS", "SAL"])
def test_an_answer_at_the_planned_spacing_returns_exactly(
    make_case: Callable[..., Case], codes: str
) -> None:
    case = turned(make_case("a", 0), codes)
    prepared = preparation.prepare(case, PLAN)
    back = preparation.restore(one_hot(prepared.label, (0, 1, 2)), prepared)
    np.testing.assert_array_equal(preparation.to_label(back, [1, 2]), case.label)


@pytest.mark.parametrize(
    ("spacing", "least"), [([0.5, 0.5, 0.5], 1.0), ([0.7, 1.1, 0.9], 0.96), ([2.0, 2.0, 2.0], 0.8)]
)
def test_an_answer_at_another_spacing_returns_nearly(
    make_case: Callable[..., Case], spacing: list[float], least: float
) -> None:
    case = turned(make_case("a", 0), "LPS")
    prepared = preparation.prepare(case, {**PLAN, "spacing_mm": spacing})
    assert prepared.grid.distance_mm(prepared.original) > 0
    back = preparation.restore(one_hot(prepared.label, (0, 1, 2)), prepared)
    answer = preparation.to_label(back, [1, 2])
    assert answer.shape == case.label.shape
    for value in (1, 2):
        both = ((answer == value) & (case.label == value)).sum()
        dice = 2 * both / ((answer == value).sum() + (case.label == value).sum())
        assert dice >= least


def test_classes_get_their_label_values_and_regions_their_paint() -> None:
    probability = np.array([[0.2, 0.1, 0.5], [0.7, 0.1, 0.4], [0.1, 0.8, 0.1]])[:, :, None, None]
    np.testing.assert_array_equal(preparation.to_label(probability, [3, 7]).ravel(), [3, 7, 0])
    regions = {"whole": [1, 2], "core": [1], "hot": [1]}
    paint = {"whole": 2, "core": 1, "hot": 4}
    painted = preparation.to_label(probability, [1, 2, 4], regions, paint).ravel()
    np.testing.assert_array_equal(painted, [1, 4, 0])


@pytest.mark.parametrize(
    ("image", "label", "ending"),
    [
        ("ct_mr_abdomen/example_ct_sm", "ct_mr_abdomen/example_seg", "RAS"),
        ("ct_mr_abdomen/example_mr_sm", "ct_mr_abdomen/example_seg_mr", "LPS"),
        (
            "brats2015_2mm/brats_2013_pat0003_1_flair",
            "brats2015_2mm/brats_2013_pat0003_1_seg",
            "LPS",
        ),
    ],
)
def test_real_labels_return_exactly_through_the_grid_that_was_planned_for_them(
    test_data: Path, image: str, label: str, ending: str
) -> None:
    paths = [test_data / "medical" / f"{name}.nii.gz" for name in (image, label)]
    if not all(path.is_file() for path in paths):
        pytest.skip(f"no {paths[0]}")
    given, truth = (nib.load(path) for path in paths)
    assert "".join(nib.aff2axcodes(given.affine)) == ending
    values = np.asarray(truth.dataobj).astype(np.uint8)
    case = Case("real", np.asarray(given.dataobj, np.float32)[None], given.affine, values)
    planned = plan(measure([case], ["MR"]), "MR", 64**3, 16)
    prepared = preparation.prepare(case, planned)
    present = [int(value) for value in np.unique(values)]
    back = preparation.restore(one_hot(prepared.label, tuple(present)), prepared)
    np.testing.assert_array_equal(preparation.to_label(back, present[1:]), values)
