"""The Markov field: the right sums, the right solution, the right gradient, no mask learned."""

import numpy as np
import pytest
import torch

from domains.cmb_inpainting.models.precision import MaskedSystem, PrecisionNetwork
from domains.cmb_inpainting.models.solvers import dense_solver, sparse_solver
from domains.cmb_inpainting.models.windows import WindowRoots, kinds, turns, windows
from domains.cmb_inpainting.science.covariance import Covariance, unit_vectors
from domains.cmb_inpainting.science.sphere import face_index

NSIDE, SIDE = 8, 3
SPECTRUM = np.r_[0, 0, 1e3 / np.arange(2, 24) ** 3.0]


@pytest.fixture
def network():
    made = PrecisionNetwork(SIDE, NSIDE, len(SPECTRUM) - 1)
    made.spectrum.copy_(torch.from_numpy(SPECTRUM))
    torch.manual_seed(0)
    torch.nn.init.normal_(made.factor, std=0.3)
    with torch.no_grad():
        made.factor += torch.eye(SIDE**2)
    return made


@pytest.fixture
def observed():
    mask = torch.ones(12, NSIDE, NSIDE, dtype=torch.bool)
    mask[4, 2:7, 2:6] = False
    mask[0, 6:, 6:] = False  # at a pole, where faces are turned against each other
    mask[1, 7, 7] = False
    return mask


def precision_matrix(network):
    """P of the whole sky, (N, N), window by window from its definition."""
    place = windows(NSIDE, SIDE).numpy()
    vectors = unit_vectors(NSIDE)[face_index(NSIDE).ravel()]
    covariance = Covariance(SPECTRUM, 1.0)
    total = np.zeros((len(place), len(place)))
    form = network.form().detach().double().numpy()
    for window in place:
        matrix = covariance.at(vectors[window] @ vectors[window].T) + np.eye(SIDE**2)
        values, axes = np.linalg.eigh(matrix)
        root = axes / np.sqrt(values.clip(0) + 1e-6 * values[-1]) @ axes.T
        pick = np.zeros((len(window), len(place)))
        pick[np.arange(len(window)), window] = 1
        total += pick.T @ root @ form @ root @ pick
    return total


def test_the_fill_minimises_the_energy_with_observed_pixels_held(network, observed):
    sky = torch.randn(3, 12, NSIDE, NSIDE)
    filled = network(sky, observed, torch.zeros(()))
    matrix, hole = precision_matrix(network), ~observed.flatten().numpy()
    values = sky.flatten(1).double().numpy()
    right = -matrix[np.ix_(hole, ~hole)] @ values[:, ~hole].T
    expected = np.linalg.solve(matrix[np.ix_(hole, hole)], right).T
    found = filled.detach().flatten(1)[:, hole].numpy()
    np.testing.assert_allclose(found, expected, atol=2e-4 * np.abs(expected).max())
    assert torch.equal(filled[:, observed], sky[:, observed])


def test_what_lies_behind_the_mask_is_not_read(network, observed):
    sky = torch.randn(2, 12, NSIDE, NSIDE)
    other = torch.where(observed, sky, torch.full_like(sky, 7.0))
    empty = torch.zeros(())
    assert torch.equal(network(sky, observed, empty), network(other, observed, empty))


def test_the_gradient_is_that_of_finite_differences(network, observed):
    sky = torch.randn(2, 12, NSIDE, NSIDE)
    target = torch.randn(2, 12, NSIDE, NSIDE)

    def loss():
        return ((network(sky, observed, torch.zeros(())) - target)[:, ~observed] ** 2).mean()

    loss().backward()
    gradient = network.factor.grad.clone()
    direction = torch.randn_like(gradient)
    step = 1e-2
    with torch.no_grad():
        network.factor += step * direction
        above = loss().item()
        network.factor -= 2 * step * direction
        below = loss().item()
    expected = (above - below) / (2 * step)
    assert float((gradient * direction).sum()) == pytest.approx(expected, rel=0.02)


def test_dense_and_sparse_factorisations_agree(network, observed):
    roots = WindowRoots(NSIDE, SIDE, Covariance(SPECTRUM, 1.0))
    system = MaskedSystem(observed, network.form().detach(), roots)
    arguments = (system._place, system.forms, system.kind, len(system.masked))
    right = torch.randn(4, len(system.masked), dtype=torch.float64)
    dense, sparse = dense_solver(*arguments)(right), sparse_solver(*arguments)(right)
    torch.testing.assert_close(dense, sparse, rtol=1e-6, atol=1e-9)


def test_windows_of_one_kind_have_the_same_angles():
    place, kind = windows(NSIDE, SIDE), kinds(NSIDE)
    vectors = unit_vectors(NSIDE)[face_index(NSIDE).ravel()]
    cosine = np.einsum("wki,wli->wkl", vectors[place], vectors[place])
    for number in range(0, 3 * NSIDE**2, 7):
        same = cosine[(kind == number).numpy()]
        assert len(same) == 4
        assert np.ptp(same, axis=0).max() < 1e-12


def test_a_window_of_gaussian_sky_is_white_after_its_root():
    roots = WindowRoots(NSIDE, SIDE, Covariance(SPECTRUM, 1.0))
    place = windows(NSIDE, SIDE)[100]
    vectors = unit_vectors(NSIDE)[face_index(NSIDE).ravel()][place]
    matrix = torch.from_numpy(Covariance(SPECTRUM, 1.0).at(vectors @ vectors.T))
    matrix += torch.eye(SIDE**2)  # the noise
    root = roots.of(kinds(NSIDE)[[100]])[0].double()
    torch.testing.assert_close(root @ matrix @ root, torch.eye(SIDE**2).double(), atol=5e-3, rtol=0)


def test_the_form_is_the_same_under_the_eight_turns(network):
    form = network.form()
    for turn in turns(SIDE):
        torch.testing.assert_close(form[turn][:, turn], form)
