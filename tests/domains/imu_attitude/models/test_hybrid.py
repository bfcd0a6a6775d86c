"""The tilt network: starts as VQF, knows no heading, looks ahead only offline."""

import pytest
import torch

from domains.imu_attitude.models.hybrid import TiltNetwork, tilt_loss
from domains.imu_attitude.science.earth_frame import num_channels


def channels(mode, batch=2, time=60):
    return 0.3 * torch.randn(batch, time, num_channels(mode))


def turned(x, angle):
    """The channels in an earth frame turned by ``angle`` about the vertical."""
    x, (c, s) = x.clone(), (torch.tensor(angle).cos(), torch.tensor(angle).sin())
    for i in [0, 3, 6, 9, *range(16, x.shape[-1], 2)]:
        x[..., i], x[..., i + 1] = (
            c * x[..., i] - s * x[..., i + 1],
            s * x[..., i] + c * x[..., i + 1],
        )
    return x


@pytest.fixture(params=["causal", "offline"])
def network(request):
    torch.manual_seed(0)
    network = TiltNetwork(request.param, hidden=12, dropout=0.1).eval()
    torch.nn.init.normal_(network.head.weight, std=0.5)
    return network


def test_an_untrained_network_corrects_nothing():
    for mode in ("causal", "offline"):
        up = TiltNetwork(mode, hidden=8, dropout=0.0)(channels(mode))
        assert up.shape == (2, 60, 2)
        assert (up == 0).all()


def test_turning_the_earth_frame_turns_the_answer(network):
    x = channels(network.mode)
    up = network(x)
    assert up.norm(dim=-1).max() > 1e-3
    expected = turned(torch.cat([up, torch.zeros(2, 60, 14)], dim=-1), 1.1)[..., :2]
    torch.testing.assert_close(network(turned(x, 1.1)), expected, atol=1e-6, rtol=1e-4)


def test_only_the_offline_network_sees_the_future(network):
    x = channels(network.mode)
    changed = x.clone()
    changed[:, 40:] += 1.0
    before, after = network(x)[:, :40], network(changed)[:, :40]
    if network.mode == "causal":
        assert torch.equal(before, after)
    else:
        assert (before - after).abs().max() > 1e-4


def test_block_by_block_is_the_same_as_all_at_once():
    torch.manual_seed(0)
    network = TiltNetwork("causal", hidden=12, dropout=0.1).eval()
    torch.nn.init.normal_(network.head.weight, std=0.5)
    x = channels("causal")
    state, steps = network.initial_state(2), []
    for t in range(60):
        up, state = network.step(x[:, t], state)
        steps.append(up)
    torch.testing.assert_close(torch.stack(steps, dim=1), network(x), atol=1e-7, rtol=1e-4)


def test_trust_scales_what_is_answered_but_not_what_is_trained(network):
    x = channels(network.mode)
    full = network(x)
    network.trust.fill_(0.25)
    torch.testing.assert_close(network(x), 0.25 * full)
    torch.testing.assert_close(network.untempered(x), full)


def test_statistics_bring_the_channels_to_unit_size(network):
    x = channels(network.mode, batch=1, time=2000)[0] * 40 + 3
    network.set_statistics(x)
    seen, vectors = network._seen(x)
    assert seen[:, :8].mean().abs() < 0.05
    assert vectors.norm(dim=-1).max() <= 1.0


def test_the_loss_is_a_mean_distance_in_degrees_that_skips_what_is_unknown():
    up, true = torch.zeros(1, 3, 2), torch.tensor([[[0.01, 0.0], [0.0, 0.03], [9.0, 9.0]]])
    weight = torch.tensor([[1.0, 1.0, 0.0]])
    assert tilt_loss(up, true, weight).item() == pytest.approx(0.02 * 57.29578, rel=1e-5)
