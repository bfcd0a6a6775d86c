"""Every baseline is scored on our cases, and what is said follows from the numbers."""

import copy

import matplotlib.image
import numpy as np
import pytest

from domains.errors import DataError
from domains.weather.data import Fields
from domains.weather.evaluate import evaluate
from domains.weather.figures import _noise
from domains.weather.train import build

EVALUATE = {
    "lead_days": 1.0, "start_every": 2, "headline_channel": "z500", "headline_lead_h": 12.0,
    "table_leads_h": [6.0, 12.0, 24.0],
}  # fmt: skip
SMALL = {
    "dim": 8, "stages": 1, "blocks": 1, "kernel_size": 3, "dilation": 1, "handover_steps": 2,
    "expansion": 1,
}  # fmt: skip


def at_tiny_size(block):
    """The sections of the block at the size of ``tiny``."""
    found = copy.deepcopy({key: block[key] for key in ("ingest", "model", "train", "evaluate")})
    found["model"].update(SMALL)
    found["train"].update(rollout_steps=2, reach_steps=2, validate_steps=4)
    found["evaluate"].update(EVALUATE)
    return found


@pytest.fixture
def sections(block):
    return at_tiny_size(block)


def evaluated_on(dataset, block, out):
    """The evaluation of an untrained model, and its folder."""
    task, _ = build(dataset, **at_tiny_size(block))
    task.cascade.start_stage(1)
    return evaluate(dataset, task, out, **at_tiny_size(block)), out


@pytest.fixture(scope="module")
def evaluated(tiny, block, tmp_path_factory):
    return evaluated_on(tiny, block, tmp_path_factory.mktemp("evaluation"))


def test_baselines_have_the_errors_that_their_definitions_give(evaluated, tiny):
    result, _ = evaluated
    fields = Fields(tiny)
    starts = fields.starts("test", 4)
    starts = starts[starts - 3 >= fields.starts("test", 0)[0] - 1][::2]
    weights = np.cos(np.deg2rad(fields.dataset["latitude"].to_numpy()))
    weights = (weights / weights.mean())[:, None]

    def rmse(forecast, truth):
        return float(np.sqrt((((forecast - truth) ** 2) * weights).mean((1, 2))).mean())

    truth = fields.frames(starts + 2)[:, 0].astype(np.float64)
    headline = result.headline
    assert (headline.name, headline.unit, headline.n) == ("z500_rmse_12h", "m2 s-2", len(starts))
    assert headline.baselines["persistence"] == pytest.approx(
        rmse(fields.frames(starts)[:, 0], truth)
    )
    daily = fields.frames(starts - 2)[:, 0]
    assert headline.baselines["persistence_24h"] == pytest.approx(rmse(daily, truth))
    split = fields.dataset["split"].to_numpy()
    usual = fields.frames(np.nonzero(split == 0)[0])[:, 0].mean((0, 2), dtype=np.float64)[:, None]
    assert headline.baselines["climatology"] == pytest.approx(rmse(usual, truth), rel=1e-5)
    # without training, ours, Short and the peer are persistence
    for value in (headline.value, headline.baselines["short_alone"], headline.baselines["resnet"]):
        assert value == pytest.approx(headline.baselines["persistence"])


def test_one_row_for_each_start_and_one_column_for_each_method(evaluated):
    result, _ = evaluated
    table = result.cases.set_index("case")
    headline = result.headline
    assert len(table) == headline.n
    assert table.index[0].startswith("1900-01-1")
    assert table["z500_rmse_12h"].mean() == pytest.approx(headline.value)
    for name, value in headline.baselines.items():
        assert table[f"z500_rmse_12h:{name}"].mean() == pytest.approx(value)


def test_figures_are_written_and_described(evaluated):
    result, out = evaluated
    names = [figure.file for figure in result.figures]
    assert names == [
        f"figures/{name}.png" for name in ("maps", "scores_by_lead", "scorecard", "spectrum")
    ]
    for figure in result.figures:
        picture = matplotlib.image.imread(out / figure.file)
        assert np.ptp(picture[..., :3]) > 0.9  # not blank
        assert figure.alt
        assert figure.caption.endswith((".", "%"))


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        ([9, 5, 2, 1], "."),
        ([9, 1, 8, 2], "; from wavenumber 2 up it has 2 times as much, noise of its own."),
        ([0, 9, 9, 9e5], "; from wavenumber 1 up it has over a thousand times as much"),
    ],
)
def test_power_that_the_truth_lacks_is_said_beside_what_is_lost(ours, expected):
    assert _noise(np.array(ours, float), np.array([9.0, 5, 4, 1])).startswith(expected)


def test_simulated_fields_and_lost_comparisons_are_said(evaluated):
    result, _ = evaluated
    notes = " ".join(result.notes)
    assert "Held–Suarez simulation, not observations" in notes
    assert "Short alone, which stopped learning where Medium began, ours is nowhere behind" in notes
    assert "up to: 0 h (persistence)" in notes  # an untrained network is persistence itself
    metrics = {metric.name: metric for metric in result.metrics}
    assert metrics["z500_hours_ahead_of_persistence"].value == 0


def test_a_region_has_no_zonal_spectrum(tiny_region, block, tmp_path):
    result, _ = evaluated_on(tiny_region, block, tmp_path)
    assert "figures/spectrum.png" not in [figure.file for figure in result.figures]
    assert "climatology" in result.headline.baselines


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"headline_channel": "2t"}, "headline_channel 2t is not in the dataset, which has z500"),
        ({"headline_lead_h": 7.0}, r"headline_lead_h 7 is not a multiple of the step \(6 h\)"),
        ({"lead_days": 0.25}, "headline_lead_h 12 is not a multiple"),
        ({"lead_days": 9.0}, "split test has at most 16 frames in a row, .*evaluate.lead_days"),
        ({"lead_days": 3.25}, "no start with 4 known frames before and 13 after it"),
        ({"table_leads_h": [6.0, 48.0]}, r"table_leads_h 48 is not a multiple of the step \(6 h\)"),
    ],
)
def test_what_cannot_be_scored_is_refused_before_it_is_trained(
    sections, tiny, tmp_path, change, message
):
    task, _ = build(tiny, **sections)
    sections["evaluate"].update(change)
    with pytest.raises(DataError, match=message):
        build(tiny, **sections)
    with pytest.raises(DataError, match=message):
        evaluate(tiny, task, tmp_path, **sections)


def test_a_dataset_of_another_grid_is_refused(sections, tiny, tiny_region, tmp_path):
    task, _ = build(tiny, **sections)
    with pytest.raises(DataError, match="the dataset's latitude is not that of the trained model"):
        evaluate(tiny_region, task, tmp_path, **sections)
