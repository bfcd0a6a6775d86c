"""Path networks: where they start, what they see, and what their guard lets through."""

import numpy as np
import pytest
import torch

from domains.ais_trajectories.models.guard import Guard
from domains.ais_trajectories.models.inputs import straight_on
from domains.ais_trajectories.models.multipath import ABLATIONS, Multipath
from domains.ais_trajectories.models.paths import PathNetworks, with_goal
from domains.ais_trajectories.models.peers import size_of
from domains.ais_trajectories.science import kinematics

SIZE = {"context": 6, "horizon": 12, "hidden": 8, "decode_every": 3, "candidates": 2}


def batch_of(num: int = 5, seed: int = 0) -> dict[str, torch.Tensor]:
    """Random ships at about 2 km per step, with candidates and a future."""
    random = torch.Generator().manual_seed(seed)
    way = torch.randn(num, 1, 2, generator=random) * 2 + 0.2 * torch.randn(
        num, 6, 2, generator=random
    )
    km = way.cumsum(1) - way.sum(1, keepdim=True)
    course = torch.atan2(way[..., :1], way[..., 1:])
    ahead = torch.arange(1, 13)[None, :, None] * way.mean(1, keepdim=True)
    return {
        "track": torch.cat(
            [km, 6 * way.norm(dim=-1, keepdim=True), course.sin(), course.cos()], -1
        ),
        "place": torch.randn(num, 2, generator=random) + torch.tensor([-62.0, 48.0]),
        "candidates": torch.rand(num, 2, 2, 3, generator=random),
        "entropy": torch.rand(num, 2, generator=random),
        "kind": torch.arange(num) % 8,
        "is_moving": torch.arange(num) % 5 != 0,
        "future": ahead + torch.tensor([0.0, 3.0]),
        "known": torch.ones(num, 12, dtype=torch.bool),
        "goal": torch.randn(num, 2, generator=random) * 100,
        "goal_known": torch.ones(num, dtype=torch.bool),
    }


def networks(compare: tuple[str, ...] = (), **changes: float) -> PathNetworks:
    torch.manual_seed(0)
    settings = {**SIZE, "min_context": 3, "grids": {}, "reveal": 0.0, **changes}
    made = PathNetworks(compare=compare, **settings)
    made.set_statistics(batch_of(40, seed=9))
    return made.eval()


def test_straight_on_is_the_constant_velocity_of_the_baseline() -> None:
    track = batch_of()["track"]
    expected = kinematics.constant_velocity(track[..., :2].double().numpy(), 12)
    np.testing.assert_allclose(straight_on(track, 12), expected, atol=1e-4)


@pytest.mark.parametrize("name", ["multipath", "elman", "gru", "lstm", *ABLATIONS])
def test_every_network_starts_with_95_percent_of_constant_velocity(name: str) -> None:
    batch = batch_of()
    made = networks(() if name == "multipath" else (name,))
    path = made.networks[name](batch)
    kept = 1 / (1 + np.exp(-3.0))
    torch.testing.assert_close(path, kept * straight_on(batch["track"], 12), atol=1e-4, rtol=1e-4)


def test_a_region_across_180_is_as_wide_as_one_elsewhere() -> None:
    batch = batch_of(40, seed=9)
    inputs = networks().networks["multipath"].inputs
    moved = batch["place"] + torch.tensor([242.0, 0.0])
    place = torch.where(moved >= 180, moved - torch.tensor([360.0, 0.0]), moved)
    assert (place[:, 0] < 0).any()
    assert (place[:, 0] > 0).any()
    made = networks()
    made.set_statistics({**batch, "place": place})
    across = made.networks["multipath"].inputs
    torch.testing.assert_close(across.extent, inputs.extent, atol=1e-4, rtol=0)
    features, expected = across({**batch, "place": place})[1], inputs(batch)[1]
    torch.testing.assert_close(features[:, :2], expected[:, :2], atol=1e-4, rtol=0)


def test_peers_are_of_the_same_size() -> None:
    made = networks(("elman", "gru", "lstm"), hidden=24)
    sizes = {name: size_of(network) for name, network in made.networks.items()}
    for name, size in sizes.items():
        assert size == pytest.approx(sizes["multipath"], rel=0.04), name


def wakened(without: str | None) -> Multipath:
    """A network whose last layer is not zero, so that what it sees shows."""
    torch.manual_seed(1)
    network = Multipath(**SIZE, without=without).eval()
    torch.nn.init.normal_(network.head.out.weight)
    return network


@pytest.mark.parametrize(("without", "listens"), [(None, True), ("no_probabilities", False)])
def test_only_the_ablation_is_deaf_to_the_probabilities(without: str | None, listens: bool) -> None:
    batch, network = batch_of(), wakened(without)
    changed = {**batch, "candidates": batch["candidates"].flip(0)}
    assert torch.equal(network(batch), network(changed)) is not listens


def test_a_shorter_past_is_taken() -> None:
    batch, network = batch_of(), wakened(None)
    short = network({**batch, "track": batch["track"][:, -3:]})
    assert short.shape == (5, 12, 2)
    assert not torch.allclose(short, network(batch))


def test_knots_are_spread_evenly_over_their_steps() -> None:
    path = wakened(None)(batch_of())
    way = torch.diff(path, dim=1, prepend=torch.zeros(5, 1, 2)).unflatten(1, (4, 3))
    torch.testing.assert_close(way, way[:, :, :1].expand_as(way), atol=1e-4, rtol=1e-4)


def test_a_told_destination_replaces_the_candidates_of_those_told() -> None:
    batch = batch_of()
    told = torch.tensor([True, False, True, False, False])
    sure = with_goal(batch, batch["goal"], told)
    torch.testing.assert_close(sure["candidates"][0, 1, 0, :2], batch["goal"][0])
    assert sure["candidates"][0, 1, :, 2].tolist() == [1, 0]
    assert sure["entropy"][0, 1] == 0
    for key in ("candidates", "entropy"):
        torch.testing.assert_close(sure[key][~told], batch[key][~told])
        torch.testing.assert_close(sure[key][:, 0], batch[key][:, 0])  # the route stays


def test_the_loss_is_the_error_over_that_of_constant_velocity() -> None:
    batch, made = batch_of(40, seed=9), networks()
    made.networks["multipath"].head.out.bias.data[2] = 100.0  # keeps all of the velocity
    ((_, loss),) = made.losses(batch, vary=False)
    assert loss.item() == pytest.approx(1, rel=1e-4)
    half = {**batch, "known": batch["known"] & (torch.arange(12) < 6)}
    half["future"] = torch.where(half["known"][..., None], batch["future"], 1e6)
    ((_, loss),) = made.losses(half, vary=False)
    assert loss.item() == pytest.approx(1, rel=1e-4)  # what is not known has no say


@pytest.mark.parametrize("name", ["multipath", "lstm"])
def test_a_network_learns_one_batch_by_heart(name: str) -> None:
    made = networks(() if name == "multipath" else (name,)).train()
    batch = batch_of()
    optimiser = torch.optim.Adam(made.parameters(), lr=0.02)
    for _ in range(100):
        optimiser.zero_grad()
        loss = dict(made.losses(batch, vary=False))[name]
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.2


def guard_on(path: torch.Tensor, true: torch.Tensor, straight: torch.Tensor) -> Guard:
    guard = Guard(12)
    moving = torch.ones(len(true), dtype=torch.bool)
    guard.fit(path, straight, moving, true, torch.ones(len(true), 12, dtype=torch.bool))
    return guard


def test_a_perfect_network_is_trusted_and_a_wild_one_is_not() -> None:
    batch = batch_of(40)
    true, straight = batch["future"], straight_on(batch["track"], 12)
    moving = torch.ones(40, dtype=torch.bool)
    good = guard_on(true, true, straight)
    assert torch.equal(good.trust[1], torch.ones(12))
    wild = true + 500 * torch.randn(true.shape, generator=torch.Generator().manual_seed(0))
    bad = guard_on(wild, true, straight)
    assert bad.trust[1].max() < 0.05
    base = guard_on(wild, true, straight).goes_on[1] * straight
    assert (bad(wild, straight, moving) - true).norm(dim=-1).mean() <= 1.05 * (base - true).norm(
        dim=-1
    ).mean()
    assert torch.equal(bad.trust[0], torch.ones(12))  # no ship at rest: nothing learned of them


def test_ships_at_rest_stay_where_that_is_better() -> None:
    straight = torch.ones(4, 12, 2)
    guard = Guard(12)
    rest = torch.zeros(4, dtype=torch.bool)
    known = torch.ones(4, 12, dtype=torch.bool)
    guard.fit(2 * straight, straight, rest, torch.zeros(4, 12, 2), known)
    torch.testing.assert_close(guard(2 * straight, straight, rest), torch.zeros(4, 12, 2))


def test_trust_has_no_steps_along_the_horizon() -> None:
    horizon = 72
    late = (torch.arange(horizon) >= 36)[:, None]
    true = torch.where(late, 2.0, 0.0).expand(9, -1, 2)
    path = torch.where(late, 2.0, 5.0).expand(9, -1, 2)  # wrong at first, then right
    straight = torch.full((9, horizon, 2), 9.0)
    guard = Guard(horizon)
    known = torch.ones(9, horizon, dtype=torch.bool)
    guard.fit(path, straight, torch.ones(9, dtype=torch.bool), true, known)
    assert guard.trust[1, 0] == 0
    assert guard.trust[1, -1] == 1
    assert guard.trust[1].diff().abs().max() < 0.1


def test_a_ship_at_rest_does_not_leap_where_trust_begins_late() -> None:
    horizon = 72
    late = (torch.arange(horizon) >= 60)[:, None]
    path = torch.full((9, horizon, 2), 50.0)
    true = torch.where(late, path, 0.0)  # the network is right at the very end alone
    straight = torch.zeros(9, horizon, 2)
    guard, rest = Guard(horizon), torch.zeros(9, dtype=torch.bool)
    guard.fit(path, straight, rest, true, torch.ones(9, horizon, dtype=torch.bool))
    assert guard.trust[0].diff().max() <= 1 / horizon + 1e-6
    assert 0.1 < guard.trust[0, -1] < 0.3
    held = (guard(path, straight, rest) - true).norm(dim=-1).mean(0)
    plain = (straight - true).norm(dim=-1).mean(0)
    assert (held[60:] < plain[60:]).all()  # less trust than the best is better than none
