"""Raw points to one dataset: a table with the split of each group, and a card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from domains.contract import Card
from domains.errors import DataError
from domains.files import fetch
from domains.template_domain.params import IngestParams, SampleParams
from domains.template_domain.science.points import SPLITS, UNITS, save_points


def ingest(source: str, out: Path, **params: Mapping[str, Any]) -> Card:
    """Write the dataset folder ``out`` and return its card.

    Args:
        source: ``sample`` (simulated), or the path or URL of a CSV.
        out: folder to write to.
        **params: the domain's block; only ``ingest`` is read.

    Raises:
        DataError: no public data set yet, or a table that cannot be used.
    """
    settings = IngestParams.model_validate(params["ingest"])
    found, about = _collect(source, settings.sample)
    table = found.dropna()
    table = table.assign(split=table["group"].map(_splits(table["group"], settings)))
    save_points(out, table)
    groups = table.groupby("split", sort=False)["group"].unique()
    num_rejected = len(found) - len(table)
    return Card(
        **about,
        units=UNITS,
        splits={split: list(groups[split]) for split in SPLITS},
        counts={"groups": table["group"].nunique(), "points": len(table)},
        rejected={"points without group, x or y": num_rejected} if num_rejected else {},
    )


def _collect(source: str, sample: SampleParams) -> tuple[pd.DataFrame, dict[str, str]]:
    """The table of points, and title, source and licence for the card."""
    if source == "public":
        raise DataError(
            "template_domain: there is no public data set yet; set source to sample or to "
            "your CSV, or write sources/public.py on domains.files.fetch"
        )
    if source == "sample":
        from domains.template_domain.sources.simulator import simulate

        return simulate(**sample.model_dump()), {
            "title": "simulated points of groups, no measurement",
            "source": f"domains/template_domain/sources/simulator.py, seed {sample.seed}",
            "licence": "BSD-3-Clause, as Convoy itself",
        }
    from domains.template_domain.sources.files import read_table

    path = fetch(source, None, "template_domain") if "://" in source else Path(source)
    about = {"title": f"points of {path.name}", "source": source, "licence": "the user's own"}
    return read_table(path, list(UNITS)), about


def _splits(group: pd.Series, settings: IngestParams) -> dict[str, str]:
    """Split of each group: the last ones test, those before validate, the others train."""
    names = list(group.unique())
    num_test, num_validate = (
        max(1, round(len(names) * share))
        for share in (settings.test_share, settings.validate_share)
    )
    num_train = len(names) - num_validate - num_test
    if num_train < 1:
        raise DataError(
            f"template_domain: {len(names)} groups, expected at least "
            f"{num_validate + num_test + 1} to train, validate and test on; a group is what the "
            "column group names"
        )
    order = np.repeat(SPLITS, (num_train, num_validate, num_test))
    return dict(zip(names, order.tolist(), strict=True))
