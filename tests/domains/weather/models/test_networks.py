"""PuYun and its peer: symmetries of the globe, odd sizes, memory, and what is learnt."""

import numpy as np
import pytest
import torch
from torch import nn

from domains.weather.models.forecaster import Forecaster, position_maps
from domains.weather.models.networks import make_network
from domains.weather.models.puyun import PatchNetwork, pad_to_multiple
from domains.weather.models.resnet import count_parameters

MODEL = {
    "dim": 16, "stages": 2, "blocks": 1, "patch": 2, "kernel_size": 9, "dilation": 2,
    "expansion": 2, "time": "none", "recompute": "none",
}  # fmt: skip


def network(kind: str, is_global: bool = True, **changes) -> PatchNetwork:
    """One with a head that is not zero, 2 channels and 2 position maps."""
    torch.manual_seed(0)
    made = make_network(kind, {**MODEL, **changes}, 2, 2, is_global)
    torch.nn.init.normal_(made.head.weight, std=0.1)
    return made


@pytest.mark.parametrize("kind", ["puyun", "resnet"])
def test_on_a_globe_turning_the_input_turns_the_output(kind):
    made, x = network(kind), torch.randn(1, 6, 8, 32)
    turned = made(x.roll(6, dims=3))
    torch.testing.assert_close(turned, made(x).roll(6, dims=3), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", ["puyun", "resnet"])
@pytest.mark.parametrize("is_global", [True, False])
def test_the_west_edge_reaches_the_east_edge_round_the_globe_only(kind, is_global):
    made, x = network(kind, is_global=is_global), torch.randn(1, 6, 8, 128)
    for module in list(made.modules()):  # a mean over the whole map reaches everywhere
        for name, child in module.named_children():
            if isinstance(child, nn.GroupNorm):
                setattr(module, name, nn.Identity())
    changed = x.clone()
    changed[..., 0] += 1.0
    moved = (made(changed) - made(x)).abs().amax((0, 1, 2))
    assert moved[0] > 1e-3
    assert (moved[-1] > 1e-5) == is_global
    assert moved[64] == 0


@pytest.mark.parametrize("size", [(33, 49), (8, 16), (5, 7)])
@pytest.mark.parametrize("patch", [1, 2, 4])
def test_sizes_that_the_patch_does_not_divide_come_back_whole(size, patch):
    made = network("puyun", is_global=False, patch=patch, kernel_size=3, dilation=1)
    assert made(torch.randn(2, 6, *size)).shape == (2, 2, *size)


def test_padding_repeats_the_last_row_and_goes_on_round_the_globe():
    x = torch.arange(15.0).reshape(1, 1, 3, 5)
    padded = pad_to_multiple(x, 4, ("replicate", "circular"))
    np.testing.assert_array_equal(padded[0, 0, :, 5:], padded[0, 0, :, :3])
    np.testing.assert_array_equal(padded[0, 0, 3], padded[0, 0, 2])
    np.testing.assert_array_equal(padded[:, :, :3, :5], x)


def test_the_peer_has_nearly_as_many_parameters():
    for dim in (24, 48):
        ours, peer = (
            count_parameters(make_network(kind, {**MODEL, "dim": dim}, 6, 2, True))
            for kind in ("puyun", "resnet")
        )
        assert peer == pytest.approx(ours, rel=0.06)


def test_recomputed_blocks_give_the_same_gradient():
    gradients = []
    for recompute in ("none", "blocks"):
        made = network("puyun", recompute=recompute)
        torch.manual_seed(1)
        made(torch.randn(2, 6, 8, 16)).square().sum().backward()
        gradients.append(torch.cat([p.grad.flatten() for p in made.parameters()]))
    torch.testing.assert_close(*gradients, rtol=1e-5, atol=1e-6)


def test_time_moves_the_forecast_where_the_network_is_told_of_it():
    made = network("puyun", time="year")
    x = torch.randn(1, 6, 8, 16)
    assert not torch.allclose(made(x, torch.zeros(1, 12)), made(x, torch.ones(1, 12)))


def test_an_untrained_forecaster_is_persistence():
    position = position_maps([60, 20, -20, -60], range(0, 360, 45), False)
    made = Forecaster(make_network("puyun", MODEL, 2, 2, True), 2, position)
    made.set_statistics(torch.tensor([54_000.0, 270.0]), torch.tensor([2e3, 10.0]), torch.ones(2))
    frames = torch.randn(3, 2, 2, 4, 8) + torch.tensor([54_000.0, 270.0])[:, None, None]
    torch.testing.assert_close(made(frames), frames[:, 1], rtol=0, atol=0)


def test_what_a_network_sees_does_not_depend_on_the_unit():
    """A field in other units, with its statistics, gives the same forecast in those units."""
    position = position_maps([60, 20, -20, -60], range(0, 360, 45), False)
    factor = torch.tensor([1 / 9.80665, 1000.0])
    statistics = torch.tensor([[54_000.0, 270.0], [2e3, 10.0], [200.0, 2.0]])
    frames = torch.randn(1, 2, 2, 4, 8) * statistics[1][:, None, None]
    frames = frames + statistics[0][:, None, None]
    forecasts = []
    for scale in (torch.ones(2), factor):
        made = Forecaster(network("puyun"), 2, position)
        made.set_statistics(*(statistics * scale))
        scaled = made(frames * scale[:, None, None])
        forecasts.append(scaled / scale[:, None, None])
    torch.testing.assert_close(*forecasts, rtol=1e-5, atol=1e-3)


def test_position_is_a_point_of_the_unit_sphere():
    maps = position_maps([90.0, 0.0, -30.0], [0.0, 90.0, 180.0, 270.0], True)
    torch.testing.assert_close(maps.square().sum(0), torch.ones(3, 4))
    torch.testing.assert_close(maps[:, 1, 1], torch.tensor([0.0, 0.0, 1.0]))  # equator, 90° E
    assert maps[0, 2, 0] == pytest.approx(-0.5)


@pytest.mark.parametrize("kind", ["puyun", "resnet"])
def test_it_runs_in_bf16_and_answers_in_float32(kind):
    position = position_maps([60, 20, -20, -60], range(0, 360, 45), False)
    made = Forecaster(network(kind, kernel_size=3, dilation=1), 2, position)
    frames = 54_000 + torch.randn(1, 2, 2, 4, 8)
    made.set_statistics(torch.full((2,), 54_000.0), torch.ones(2), torch.ones(2))
    exact = made(frames)
    with torch.autocast("cpu", torch.bfloat16):
        rough = made(frames)
    assert rough.dtype == torch.float32
    # 54,000 in bf16 would be off by up to 128
    torch.testing.assert_close(rough, exact, rtol=0, atol=0.1)
