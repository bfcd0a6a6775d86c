"""The simulated cohort: smooth anatomies without folds, no labels for the asking."""

from __future__ import annotations

import numpy as np
import pytest

from domains.medical_segmentation.science.cases import Case
from domains.medical_segmentation.science.geometry import Grid, to_canonical
from domains.medical_segmentation.sources import cohort
from domains.medical_segmentation.sources.atlas import Atlas, load_atlas


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    return load_atlas(2.0)


@pytest.fixture(scope="module")
def cases(atlas: Atlas) -> list[Case]:
    return [cohort.simulate_case(f"c{n}", atlas, (0, n), 2.0, 1.5) for n in range(8)]


def test_the_atlas_has_two_nuclei_of_plausible_size_apart_from_each_other(atlas: Atlas) -> None:
    caudate, putamen = atlas.structures
    assert 3500 < caudate.sum() < 6000  # mm³, a normal caudate has about 4 ml
    assert 4000 < putamen.sum() < 7000
    assert ((caudate > 0.5) & (putamen > 0.5)).sum() == 0
    centres = [np.argwhere(one).mean(axis=0) + atlas.origin_mm for one in atlas.structures]
    assert centres[0][0] < centres[1][0]  # the caudate is nearer to the middle
    assert centres[0][2] > centres[1][2]  # and above


def test_a_subject_is_a_function_of_its_seed(atlas: Atlas, cases: list[Case]) -> None:
    again = cohort.simulate_case("c1", atlas, (0, 1), 2.0, 1.5)
    np.testing.assert_array_equal(again.image, cases[1].image)
    np.testing.assert_array_equal(again.label, cases[1].label)
    other = cohort.simulate_case("c1", atlas, (1, 1), 2.0, 1.5)
    assert other.image.shape != again.image.shape or not np.array_equal(other.image, again.image)


def test_subjects_differ_in_axes_and_both_kinds_show_the_same_side(cases: list[Case]) -> None:
    signs = {float(np.sign(case.affine[0, 0])) for case in cases}
    assert signs == {-1.0, 1.0}
    for case in cases:
        grid = Grid(case.image.shape[1:], case.affine)
        label = to_canonical(case.label, grid)
        places = [np.argwhere(label == v).mean(axis=0) for v in (1, 2)]
        assert places[0][0] < places[1][0]
        middle = grid.canonical().affine @ np.r_[np.mean(places, axis=0), 1]
        np.testing.assert_allclose(middle[:3], cohort.CENTRE_MM, atol=8)


def test_an_anatomy_never_folds() -> None:
    axes = [start + 2.0 * np.arange(24) for start in (-2, -22, -18)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"))
    for seed in range(5):
        there = cohort.anatomy(points, np.random.default_rng(seed), 2.0, 1.5)
        gradient = np.stack(np.gradient(there, 2.0, axis=(1, 2, 3)), axis=1)  # (3, 3, X, Y, Z)
        assert np.linalg.det(np.moveaxis(gradient, (0, 1), (-2, -1))).min() > 0.2


def test_the_displacement_has_the_wished_spread() -> None:
    fields = [
        cohort._smooth_field((20, 20, 20), 3.0, np.random.default_rng(seed)) for seed in range(30)
    ]
    assert np.std(fields) == pytest.approx(1.0, abs=0.1)
    neighbours = np.mean([np.mean(field[3:] * field[:-3]) for field in fields])
    # white noise through a Gaussian of width w correlates as exp(−d² / 4w²)
    assert neighbours / np.var(fields) == pytest.approx(np.exp(-0.25), abs=0.05)


def test_brightness_alone_finds_neither_structure(cases: list[Case]) -> None:
    """The best window of intensities, fitted on each volume itself, has a low Dice."""
    for case in cases:
        levels = np.percentile(case.image, np.arange(0, 101, 10))
        windows = [(low, high) for i, low in enumerate(levels) for high in levels[i + 1 :]]
        for value in (1, 2):
            truth = case.label == value
            found = [(case.image[0] >= low) & (case.image[0] < high) for low, high in windows]
            dice = [2 * (one & truth).sum() / (one.sum() + truth.sum()) for one in found]
            assert max(dice) < 0.4
