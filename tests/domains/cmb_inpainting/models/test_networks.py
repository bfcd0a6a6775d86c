"""All networks: what they start from, what they leave alone, linearity, and seams."""

import pytest
import torch

from domains.cmb_inpainting.models.faces import SphereConv, doubled, halved
from domains.cmb_inpainting.models.similarity import ssim
from domains.cmb_inpainting.science.sphere import from_faces, to_faces
from domains.cmb_inpainting.train import make_network

NSIDE = 16
NAMES = ["precision", "mask_gated", "skyreconnet", "pepsi", "medfe"]


def made(name):
    torch.manual_seed(0)
    return make_network(
        name, window=3, channels=8, dilations=[1, 2, 4], nside=NSIDE, lmax=3 * NSIDE - 1
    )


def shaken(name):
    """The network with all weights moved off their start, as after training."""
    network = made(name).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    return network


@pytest.fixture
def observed():
    mask = torch.ones(12, NSIDE, NSIDE, dtype=torch.bool)
    mask[4:6, 3:14, 5:12] = False
    mask[0, 12:, 12:] = False
    return mask


@pytest.fixture
def sky():
    return torch.randn(2, 12, NSIDE, NSIDE, generator=torch.Generator().manual_seed(1))


DISTANCE = torch.ones(12, NSIDE, NSIDE)


@pytest.mark.parametrize("name", ["mask_gated", "skyreconnet", "medfe"])
def test_an_untrained_network_is_the_fill_it_starts_from(name, sky, observed):
    assert torch.equal(made(name)(sky, observed, DISTANCE), sky)


@pytest.mark.parametrize("name", NAMES)
def test_observed_pixels_stay_as_they_are_and_others_do_not(name, sky, observed):
    filled = shaken(name)(sky, observed, DISTANCE)
    assert torch.equal(filled[:, observed], sky[:, observed])
    assert (filled != sky)[:, ~observed].float().mean() > 0.99


@pytest.mark.parametrize("name", NAMES)
def test_every_weight_learns(name, sky, observed):
    network = made(name).train()
    with torch.no_grad():  # a head of zeros passes no gradient back
        for parameter in network.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    network(sky, observed, DISTANCE)[:, ~observed].square().mean().backward()
    for key, parameter in network.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.abs().sum() > 0, key


@pytest.mark.parametrize("name", ["precision", "mask_gated"])
def test_our_networks_are_linear_in_the_sky(name, sky, observed):
    network = shaken(name)
    first, second = sky[:1], sky[1:]
    both = network(2 * first - 3 * second, observed, DISTANCE)
    apart = 2 * network(first, observed, DISTANCE) - 3 * network(second, observed, DISTANCE)
    torch.testing.assert_close(both, apart, atol=1e-4, rtol=1e-4)


def test_skyreconnet_is_not_linear(sky, observed):
    network = shaken("skyreconnet")
    assert not torch.allclose(
        network(-sky, observed, DISTANCE), -network(sky, observed, DISTANCE), atol=1e-3
    )


def test_an_even_kernel_of_the_sphere_knows_no_seams():
    from domains.cmb_inpainting.science.covariance import unit_vectors

    # The same smooth sky, told by positions: a mean of neighbours is smooth across all edges
    vectors = torch.from_numpy(unit_vectors(NSIDE).copy()).float()
    sky = to_faces(vectors.T.contiguous())  # x, y, z as three skies
    conv = SphereConv(1, 1, bias=False)
    torch.nn.init.constant_(conv.conv.weight, 1 / 9)
    with torch.no_grad():
        mean = from_faces(conv(sky[:, None])[:, 0]).T  # (N, 3)
    assert (mean - vectors).norm(dim=1).max() < 0.05  # the width of a pixel is 0.064


def test_halving_takes_the_mean_of_four_children_and_doubling_undoes_it():
    x = torch.randn(1, 2, 12, 4, 4)
    assert halved(x)[0, 1, 5, 0, 1] == pytest.approx(float(x[0, 1, 5, :2, 2:].mean()), abs=1e-6)
    torch.testing.assert_close(halved(doubled(x)), x)


def test_similarity_is_one_for_equal_skies_and_zero_for_a_constant(sky):
    torch.testing.assert_close(ssim(sky, sky, 6.0), torch.ones(2))
    assert ssim(sky, torch.zeros_like(sky), 6.0).max() < 0.1


def test_similarity_of_constants_is_the_closed_form():
    first, second = torch.full((1, 12, 8, 8), 2.0), torch.full((1, 12, 8, 8), 3.0)
    c1 = (0.01 * 6) ** 2
    expected = (2 * 2 * 3 + c1) / (2**2 + 3**2 + c1)
    assert float(ssim(first, second, 6.0)) == pytest.approx(expected, rel=1e-3)
