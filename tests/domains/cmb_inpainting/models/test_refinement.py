"""Conjugate gradients end at the optimum, start at the field's fill, and need no dense matrix."""

import numpy as np
import pytest
import torch

from domains.cmb_inpainting.models.precision import PrecisionNetwork
from domains.cmb_inpainting.models.refinement import HarmonicCovariance
from domains.cmb_inpainting.science.covariance import Covariance, unit_vectors
from domains.cmb_inpainting.science.fills import ConstrainedMean
from domains.cmb_inpainting.science.sphere import face_index, from_faces, to_faces

NSIDE = 8
SPECTRUM = np.r_[0, 0, 1e3 / np.arange(2, 24) ** 3.0]


@pytest.fixture
def network():
    made = PrecisionNetwork(3, NSIDE, len(SPECTRUM) - 1)
    made.spectrum.copy_(torch.from_numpy(SPECTRUM))
    return made


@pytest.fixture
def mask():
    faces = np.ones((12, NSIDE, NSIDE), dtype=bool)
    faces[4, 2:7, 2:6] = False
    faces[0, 6:, 6:] = False
    return from_faces(faces)


@pytest.fixture
def skies():
    return np.random.default_rng(0).normal(0, 20, (2, 12 * NSIDE**2)).astype(np.float32)


def refined(network, skies, mask, steps):
    given, seen = torch.from_numpy(to_faces(skies)), torch.from_numpy(to_faces(mask))
    return from_faces(network.refined(given, seen, steps).numpy())


def test_two_transforms_are_the_covariance_matrix():
    directions = unit_vectors(NSIDE)[face_index(NSIDE).ravel()]
    matrix = Covariance(SPECTRUM, 1.5).between(directions, directions) + 1.5**2 * np.eye(768)
    maps = np.random.default_rng(1).normal(size=(2, 768))
    product = HarmonicCovariance(SPECTRUM, 1.5, NSIDE)(maps)
    np.testing.assert_allclose(product, maps @ matrix, atol=1e-4 * np.abs(product).max())


def test_many_steps_give_the_constrained_mean(network, skies, mask):
    optimum = ConstrainedMean(mask, Covariance(SPECTRUM, 1.0))(skies)
    np.testing.assert_allclose(refined(network, skies, mask, 150), optimum, atol=0.02)


def test_no_step_is_the_fill_of_the_field(network, skies, mask):
    seen = torch.from_numpy(to_faces(mask))
    field = network(torch.from_numpy(to_faces(skies)), seen, torch.zeros(()))
    np.testing.assert_allclose(
        refined(network, skies, mask, 0), from_faces(field.detach().numpy()), atol=1e-3
    )


def test_observed_pixels_are_not_touched(network, skies, mask):
    assert np.array_equal(refined(network, skies, mask, 3)[:, mask], skies[:, mask])


def test_a_sky_that_is_solved_stays_as_it_is(network, mask):
    nothing = np.zeros((1, 768), dtype=np.float32)
    assert np.array_equal(refined(network, nothing, mask, 5), nothing)
