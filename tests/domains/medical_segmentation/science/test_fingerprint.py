"""The plan follows from the training cases by nnU-Net's rules."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from domains.medical_segmentation.science.cases import Case
from domains.medical_segmentation.science.fingerprint import measure, plan


def case(shape: tuple[int, int, int], spacing: tuple[float, float, float], **parts: object) -> Case:
    image = np.random.default_rng(0).random((1, *shape)).astype(np.float32) + 1
    return Case("case", image, np.diag([*spacing, 1.0]), **parts)  # type: ignore[arg-type]


def test_frequencies_and_intensities_are_those_of_the_labelled_voxels() -> None:
    label = np.zeros((4, 4, 4), np.uint8)
    label[0], label[1, 0] = 1, 3
    image = np.where(label == 1, 10.0, np.where(label == 3, 30.0, -500.0))[None].astype(np.float32)
    found = measure([Case("a", image, np.eye(4), label)], ["CT"])
    assert found["class_voxels"] == {"0": 44, "1": 16, "3": 4}
    assert found["class_frequency"]["3"] == pytest.approx(4 / 64)
    assert found["intensity"]["CT"]["mean"] == pytest.approx(14.0)
    assert found["intensity"]["CT"]["median"] == 10.0


def test_the_limits_of_volumes_and_extents_are_kept_for_predictions() -> None:
    label = np.zeros((4, 4, 4), np.uint8)
    label[0], label[1, 0, 0] = 1, 3
    image = np.ones((1, 4, 4, 4), np.float32)
    cases = [
        Case("a", image, np.diag([10.0, 10.0, 10.0, 1.0]), label),
        Case("b", image, np.diag([-5.0, 10.0, 10.0, 1.0]), np.minimum(label, 1)),
    ]
    seen = plan(measure(cases, ["CT"]), "auto", 4096, 4)["seen"]
    assert seen["volume_ml"] == {"1": [8.5, 16.0], "3": [0.0, 1.0]}
    regions = {"whole": [1, 3], "core": [3]}
    nested = plan(measure(cases, ["CT"], regions), "auto", 4096, 4)["seen"]["volume_ml"]
    assert nested == {"1+3": [8.5, 17.0], "3": [0.0, 1.0]}
    assert seen["extent_mm"] == [[20.0, 40.0, 40.0], [40.0, 40.0, 40.0]]


def test_spacing_and_shape_are_measured_along_canonical_axes() -> None:
    affine = np.zeros((4, 4))
    affine[2, 0], affine[0, 1], affine[1, 2], affine[3, 3] = 5.0, -1.0, 2.0, 1.0  # S, L, A
    turned = Case("a", np.ones((1, 3, 7, 9), np.float32), affine)
    found = measure([turned], ["MR"])
    assert found["spacing_mm"]["median"] == [1.0, 2.0, 5.0]
    assert found["shape"]["median"] == [7.0, 9.0, 3.0]


def test_thick_slices_are_resampled_to_the_tenth_percentile() -> None:
    thick = [case((8, 8, 4), (1.0, 1.0, z)) for z in (4.0, 5.0, 5.0, 5.0, 8.0)]
    found = measure(thick, ["MR"])
    assert plan(found, "MR", 4096, 4)["spacing_mm"] == [1.0, 1.0, pytest.approx(4.4)]
    alike = measure([case((8, 8, 4), (1.0, 1.0, z)) for z in (2.0, 2.5, 2.9)], ["MR"])
    assert plan(alike, "MR", 4096, 4)["spacing_mm"] == [1.0, 1.0, 2.5]


@pytest.mark.parametrize(
    ("shape", "budget", "multiple", "patch"),
    [
        ((35, 51, 35), 49152, 16, [32, 48, 32]),
        ((35, 51, 35), 10**9, 16, [48, 64, 48]),
        ((20, 24, 4), 4096, 8, [16, 24, 8]),
        ((64, 64, 16), 600, 8, [8, 8, 8]),
    ],
)
def test_a_patch_is_the_median_volume_cut_to_the_budget(
    shape: tuple[int, int, int], budget: int, multiple: int, patch: list[int]
) -> None:
    found = measure([case(shape, (1.0, 1.0, 1.0))], ["MR"])
    assert plan(found, "MR", budget, multiple)["patch"] == patch
    assert np.prod(patch) <= max(budget, multiple**3)


def test_a_wished_spacing_changes_the_patch_with_it() -> None:
    found = measure([case((32, 32, 32), (1.0, 1.0, 1.0))], ["MR"])
    wished = plan(found, "MR", 10**6, 8, spacing_mm=[2.0, 2.0, 4.0])
    assert (wished["spacing_mm"], wished["patch"]) == ([2.0, 2.0, 4.0], [16, 16, 8])


def test_ct_is_known_by_its_channel_and_a_stripped_brain_by_its_zeros(
    make_case: Callable[..., Case],
) -> None:
    ball = make_case("a", 0)
    stripped = Case("b", np.where(ball.label > 0, ball.image, 0), ball.affine, ball.label)
    ct, head = (measure([ball], [name]) for name in ("CT", "T1"))
    assert plan(ct, "auto", 4096, 8)["normalisation"][0]["kind"] == "dataset"
    assert plan(ct, "MR", 4096, 8)["normalisation"][0]["kind"] == "volume"
    assert plan(head, "auto", 4096, 8)["normalisation"] == [{"kind": "volume", "within": "all"}]
    assert plan(measure([stripped], ["T1"]), "auto", 4096, 8)["normalisation"] == [
        {"kind": "volume", "within": "nonzero"}
    ]
