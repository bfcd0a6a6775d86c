"""Who teaches, who chooses, who is scored: whole subjects, never scans of one in two splits."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from domains.errors import DataError
from domains.medical_segmentation.params import IngestParams
from domains.medical_segmentation.science.cases import SPLITS


def subject_of(name: str, pattern: str | None) -> str:
    """The subject in a case's name: the first group of ``pattern``, or the whole name.

    Raises:
        DataError: the pattern is none, or finds nothing.
    """
    if pattern is None:
        return name
    try:
        found = re.search(pattern, name)
        subject = found.group(1) if found else None
    except (re.error, IndexError) as error:
        raise DataError(
            f"medical_segmentation: ingest.subject {pattern!r}: {error}; expected a regular "
            "expression with one group"
        ) from error
    if not subject:
        raise DataError(
            f"medical_segmentation: ingest.subject {pattern!r} finds no subject in case {name}"
        )
    return subject


def draw_splits(subjects: Mapping[str, str], settings: IngestParams) -> dict[str, list[str]]:
    """Cases of each split; subjects are drawn by ``ingest.seed`` unless cases are listed.

    Raises:
        DataError: a subject in two splits, an unknown case, or a split without one.
    """
    wanted = {"validate": settings.validate_cases, "test": settings.test_cases}
    chosen = {case: split for split, cases in wanted.items() for case in cases}
    if unknown := sorted(set(chosen) - set(subjects)):
        raise DataError(
            f"medical_segmentation: ingest.validate_cases or test_cases names {unknown}, expected "
            f"cases such as {', '.join(list(subjects)[:3])}"
        )
    split_of = {subjects[case]: split for case, split in chosen.items()}
    if clash := [case for case, split in chosen.items() if split_of[subjects[case]] != split]:
        raise DataError(
            f"medical_segmentation: the subject of {clash[0]} is in validate_cases and in "
            "test_cases, expected in one split only; take it out of one"
        )
    names = sorted(set(subjects.values()))
    free = [subject for subject in names if subject not in split_of]
    free = [free[i] for i in np.random.default_rng(settings.seed).permutation(len(free))]
    for split, share in (("test", settings.test_share), ("validate", settings.validate_share)):
        if not wanted[split]:
            count = max(1, round(share * len(names)))
            split_of |= dict.fromkeys(free[:count], split)
            free = free[count:]
    splits: dict[str, list[str]] = {split: [] for split in SPLITS}
    for case in sorted(subjects):
        splits[split_of.get(subjects[case], "train")].append(case)
    if lacking := [split for split in SPLITS if not splits[split]]:
        raise DataError(
            f"medical_segmentation: {len(names)} subjects leave none for {' and '.join(lacking)}, "
            "expected at least three; give more cases or smaller shares"
        )
    return splits
