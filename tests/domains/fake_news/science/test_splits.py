"""What never crosses a split, and how large its parts are."""

from __future__ import annotations

import numpy as np
import pytest

from domains.fake_news.science.splits import balanced, grouped_folds, random_folds

NUM = 900


@pytest.fixture(scope="module")
def table() -> dict:
    random = np.random.default_rng(3)
    source = random.integers(30, size=NUM)
    clusters = np.arange(NUM, dtype=np.int32)
    clusters[1::10] = clusters[::10]  # pairs of near duplicates in different sources
    return {
        "keys": {
            "source": [f"s{k}" for k in source],
            "event": [f"e{k}" for k in random.integers(20, size=NUM)],
        },
        "labels": (source % 2).astype(np.int8),
        "clusters": np.unique(clusters, return_inverse=True)[1].astype(np.int32),
    }


@pytest.fixture(scope="module")
def folds(table: dict) -> list:
    return grouped_folds(**table, num_folds=3, leave_out=None, validate_share=0.25, seed=0)


def parts(values: list[str], roles: np.ndarray, role: str) -> set:
    return set(np.asarray(values)[roles == role].tolist())


def test_the_test_shares_no_source_and_no_event_with_training(table: dict, folds: list) -> None:
    for fold in folds:
        for key in table["keys"].values():
            test = parts(key, fold.roles, "test")
            assert test.isdisjoint(parts(key, fold.roles, "train"))
            assert test.isdisjoint(parts(key, fold.roles, "validate"))


def test_validation_shares_no_source_with_training(table: dict, folds: list) -> None:
    source = table["keys"]["source"]
    for fold in folds:
        assert fold.has_grouped_validation
        assert parts(source, fold.roles, "validate").isdisjoint(parts(source, fold.roles, "train"))


def test_near_duplicates_never_lie_in_two_roles(table: dict, folds: list) -> None:
    clusters = table["clusters"]
    for fold in [*folds, *random_folds(folds, table["labels"], clusters, 0)]:
        used = fold.roles != "unused"
        pairs = set(zip(clusters[used].tolist(), fold.roles[used].tolist(), strict=True))
        assert len(pairs) == len({cluster for cluster, _ in pairs})


def test_every_source_and_event_tests_in_one_fold_alone(table: dict, folds: list) -> None:
    tests = [parts(table["keys"]["source"], fold.roles, "test") for fold in folds]
    assert sum(map(len, tests)) == len(set.union(*tests)) == 30


def test_random_folds_have_the_sizes_of_the_grouped_ones(table: dict, folds: list) -> None:
    labels = table["labels"]
    for fold, drawn in zip(folds, random_folds(folds, labels, table["clusters"], 0), strict=True):
        for role in ("train", "validate", "test"):
            for label in (0, 1):
                wanted = int(np.sum((fold.roles == role) & (labels == label)))
                found = int(np.sum((drawn.roles == role) & (labels == label)))
                assert abs(found - wanted) <= 2
                assert wanted > 20


def test_a_cluster_as_large_as_half_the_articles_does_not_swell_a_random_test() -> None:
    labels = np.tile([0, 1], 200).astype(np.int8)
    clusters = np.where(np.arange(400) < 200, 0, np.arange(400) - 199).astype(np.int32)
    events = ["a"] * 260 + ["b"] * 140
    folds = grouped_folds({"event": events}, labels, clusters, 2, ["b"], 0.25, 0)
    for seed in range(5):
        drawn = random_folds(folds, labels, clusters, seed)[0]
        assert 130 <= np.sum(drawn.roles == "test") <= 156


def test_a_random_fold_shares_sources_with_training(table: dict, folds: list) -> None:
    drawn = random_folds(folds, table["labels"], table["clusters"], 0)[0]
    source = table["keys"]["source"]
    assert len(parts(source, drawn.roles, "test") & parts(source, drawn.roles, "train")) > 20


def test_a_value_that_is_left_out_is_the_whole_test(table: dict) -> None:
    found = grouped_folds(**table, num_folds=9, leave_out=["s4", "s7"], validate_share=0.2, seed=0)
    assert [fold.name for fold in found] == ["s4", "s7"]
    for fold in found:
        assert parts(table["keys"]["source"], fold.roles, "test") == {fold.name}


def test_two_groups_leave_validation_to_chance_and_say_so() -> None:
    labels = np.tile([0, 1], 50).astype(np.int8)
    found = grouped_folds(
        {"origin": ["a"] * 60 + ["b"] * 40}, labels, np.arange(100, dtype=np.int32),
        2, ["a", "b"], 0.25, 0,
    )  # fmt: skip
    assert not found[0].has_grouped_validation
    assert np.sum(found[0].roles == "validate") == 10
    assert set(labels[found[0].roles == "validate"]) == {0, 1}


def test_parts_differ_in_each_label_by_less_than_the_largest_value() -> None:
    random = np.random.default_rng(0)
    values = np.array([f"v{k}" for k in random.zipf(1.5, size=2000).clip(max=60)])
    labels = np.array([int(value[1:]) % 2 for value in values], np.int8)
    part_of = balanced(values, labels, 3, random)
    part = np.array([part_of[value] for value in values.tolist()])
    for label in (0, 1):
        largest = np.unique(values[labels == label], return_counts=True)[1].max()
        sizes = np.bincount(part[labels == label], minlength=3)
        assert sizes.max() - sizes.min() <= largest
        assert sizes.min() > 0


def test_the_same_seed_gives_the_same_roles_and_another_seed_others(table: dict) -> None:
    def roles(seed: int) -> list:
        found = grouped_folds(**table, num_folds=3, leave_out=None, validate_share=0.25, seed=seed)
        return [fold.roles.tolist() for fold in found]

    assert roles(1) == roles(1)
    assert roles(1) != roles(2)
