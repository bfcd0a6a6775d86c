"""Who trains, validates and tests: grouped so that nothing leaks, and at random beside it.

A publisher's or an event's articles share words that have nothing to do with truth.  In a grouped
fold the test articles share no value of any group key with training: keys are divided into folds
one by one, an article tests in fold k if all its keys lie in part k, trains if none does, and is
unused in between.  Near duplicates never lie in two roles.  Validation is whole groups of the
first key; where too few groups are left it is drawn at random, by clusters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ROLES = ("train", "validate", "test", "unused")
Roles = NDArray[np.str_]
Labels = NDArray[np.int8]
Clusters = NDArray[np.int32]


@dataclass(frozen=True)
class Fold:
    """Roles (N,) of one fold.

    Args:
        roles: of each article.
        name: the values that test, or the number of the fold.
        has_grouped_validation: whether validation shares no group with training.
    """

    roles: Roles
    name: str
    has_grouped_validation: bool


def grouped_folds(
    keys: Mapping[str, Sequence[str]],
    labels: Labels,
    clusters: Clusters,
    num_folds: int,
    leave_out: Sequence[str] | None,
    validate_share: float,
    seed: int,
) -> list[Fold]:
    """The honest folds.

    Args:
        keys: name -> (N,) values; one key or more.
        labels: (N,) 1 = fake, 0 = real.
        clusters: (N,) of near duplicates.
        num_folds: number of folds without ``leave_out``.
        leave_out: values of the first key, each the test of a fold; the other keys are then free.
        validate_share: of what is not test.
        seed: of ties and of validation.
    """
    random = np.random.default_rng([seed, 1])
    values = [np.asarray(key, dtype=str) for key in keys.values()]
    if leave_out is not None:
        values = values[:1]
        parts = [_numbered(values[0], {name: k for k, name in enumerate(leave_out)})]
        names, num_folds = list(leave_out), len(leave_out)
    else:
        parts = [_numbered(value, balanced(value, labels, num_folds, random)) for value in values]
        names = [str(k) for k in range(num_folds)]
    folds = []
    for number in range(num_folds):
        inside = np.array([part == number for part in parts])
        roles = np.full(len(labels), "unused", dtype="<U8")
        roles[inside.all(axis=0)] = "test"
        roles[~inside.any(axis=0)] = "train"
        _part(roles, clusters, "test", "train")
        grouped = _validation(roles, values[0], labels, clusters, validate_share, random)
        folds.append(Fold(roles, names[number], grouped))
    return folds


def random_folds(
    folds: Sequence[Fold], labels: Labels, clusters: Clusters, seed: int
) -> list[Fold]:
    """Folds with the sizes of ``folds`` in each role and label, drawn at random by clusters."""
    random = np.random.default_rng([seed, 2])
    num = int(clusters.max()) + 1
    sizes = np.stack([np.bincount(clusters[labels == k], minlength=num) for k in (0, 1)])
    order = random.permutation(num)
    found = []
    for number, fold in enumerate(folds):
        turned = np.roll(order, -number * num // len(folds))
        role_of = np.full(num, "unused", dtype="<U8")
        for role in ("test", "validate", "train"):
            wanted = [int(np.sum((fold.roles == role) & (labels == k))) for k in (0, 1)]
            _fill(role_of, turned, sizes, wanted, role)
        found.append(Fold(role_of[clusters], f"random {number}", False))
    return found


def balanced(
    values: NDArray[np.str_], labels: Labels, num_folds: int, random: np.random.Generator
) -> dict[str, int]:
    """Value -> part, so that each part has about the same number of fakes, and of reals.

    Values are placed from the largest; one that is mostly fake goes to the part with the fewest
    fakes, another to the one with the fewest reals.
    """
    unique, inverse, sizes = np.unique(values, return_inverse=True, return_counts=True)
    fakes = np.bincount(inverse, weights=labels, minlength=len(unique))
    totals = np.zeros((num_folds, 2))
    part_of: dict[str, int] = {}
    for index in sorted(range(len(unique)), key=lambda i: (-sizes[i], random.random())):
        kind = int(2 * fakes[index] >= sizes[index])
        part = int(np.argmin(totals[:, kind] + 1e-6 * totals.sum(axis=1)))
        totals[part] += (sizes[index] - fakes[index], fakes[index])
        part_of[str(unique[index])] = part
    return part_of


def _numbered(values: NDArray[np.str_], part_of: Mapping[str, int]) -> NDArray[np.int64]:
    return np.array([part_of.get(value, -1) for value in values.tolist()])


def _part(roles: Roles, clusters: Clusters, kept: str, freed: str) -> None:
    """Articles of role ``freed`` become unused where their cluster has one of role ``kept``."""
    touched = np.isin(clusters, clusters[roles == kept])
    roles[touched & (roles == freed)] = "unused"


def _validation(
    roles: Roles,
    values: NDArray[np.str_],
    labels: Labels,
    clusters: Clusters,
    share: float,
    random: np.random.Generator,
) -> bool:
    """Turn part of ``train`` into ``validate``; whether that was done by whole groups.

    For each label its groups are taken in random order as long as they fit into the share.
    """
    pool = roles == "train"
    chosen: list[str] = []
    unique = np.unique(values[pool])
    for kind in (0, 1):
        room = 1.25 * share * np.sum(pool & (labels == kind))
        for value in random.permutation(unique).tolist():
            members = labels[pool & (values == value)]
            count = int(np.sum(members == kind))
            if count * 2 >= len(members) and count <= room and value not in chosen:
                chosen.append(value)
                room -= count
    taken = pool & np.isin(values, chosen)
    if _has_both(labels[taken]) and _has_both(labels[pool & ~taken]):
        roles[taken] = "validate"
        _part(roles, clusters, "train", "validate")
        if _has_both(labels[roles == "validate"]):
            return True
        roles[taken] = "train"
    for kind in (0, 1):  # too few groups
        own = np.unique(clusters[pool & (labels == kind)])
        drawn = random.permutation(own)[: max(1, round(share * len(own)))]
        roles[pool & np.isin(clusters, drawn)] = "validate"
    return False


def _has_both(labels: Labels) -> bool:
    return bool(np.any(labels == 0) and np.any(labels == 1))


def _fill(
    role_of: Roles,
    order: NDArray[np.int64],
    sizes: NDArray[np.int64],
    wanted: Sequence[int],
    role: str,
) -> None:
    """Give ``role`` to free clusters in ``order`` until both labels have what is ``wanted``.

    A cluster that would overshoot by more than a tenth is passed over.
    """
    have, most = np.zeros(2, int), 1.1 * np.asarray(wanted) + 1
    for number in order.tolist():
        own = sizes[:, number]
        fits = np.all((own == 0) | ((have < wanted) & (have + own <= most)))
        if role_of[number] == "unused" and fits:
            role_of[number] = role
            have += sizes[:, number]
