"""Intensities without a unit become comparable; Hounsfield units stay so."""

from __future__ import annotations

import numpy as np
import pytest

from domains.medical_segmentation.science.normalisation import normalise, robust_scale

VOLUME = [{"kind": "volume", "within": "all"}]


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).normal(100.0, 20.0, (1, 20, 20, 20)).astype(np.float32)


@pytest.mark.parametrize(("gain", "offset"), [(1e4, 0.0), (0.01, 3.0), (2.0, -500.0)])
def test_gain_and_offset_of_a_scanner_vanish(image: np.ndarray, gain: float, offset: float) -> None:
    expected = normalise(image, VOLUME)
    np.testing.assert_allclose(normalise(gain * image + offset, VOLUME), expected, atol=2e-3)
    assert np.median(expected) == pytest.approx(0, abs=1e-3)
    assert expected.std() == pytest.approx(1, abs=0.03)


def test_a_few_wildly_bright_voxels_change_nothing_elsewhere(image: np.ndarray) -> None:
    spoilt = image.copy()
    spoilt[0, 0, 0, :8] = 1.7e6
    np.testing.assert_allclose(normalise(spoilt, VOLUME)[0, 1:], normalise(image, VOLUME)[0, 1:],
                               atol=0.02)  # fmt: skip
    assert normalise(spoilt, VOLUME).max() == 5.0


def test_a_constant_volume_becomes_zeros_not_nan() -> None:
    assert (normalise(np.full((1, 4, 4, 4), 1e6 / 3, np.float32), VOLUME) == 0).all()
    assert robust_scale(np.full(10, 0.1)) == (pytest.approx(0.1), 1.0)


def test_a_taken_away_background_stays_zero_and_does_not_count(image: np.ndarray) -> None:
    brain = image.copy()
    brain[0, :10] = 0
    normal = normalise(brain, [{"kind": "volume", "within": "nonzero"}])
    assert (normal[0, :10] == 0).all()
    np.testing.assert_allclose(normal[:, 10:], normalise(image[:, 10:], VOLUME))
    assert (normalise(0 * brain, [{"kind": "volume", "within": "nonzero"}]) == 0).all()


def test_hounsfield_units_are_normalised_alike_in_all_volumes() -> None:
    ct = [{"kind": "dataset", "low": -100.0, "high": 200.0, "mean": 50.0, "std": 50.0}]
    values = np.array([-1000.0, -100, 50, 100, 3000], np.float32).reshape(1, 5, 1, 1)
    np.testing.assert_allclose(normalise(values, ct).ravel(), [-3, -3, 0, 1, 3])
