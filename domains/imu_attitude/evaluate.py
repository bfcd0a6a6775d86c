"""BROAD's protocol on the test trials: ours and every baseline, in the same run, trial by trial.

Legend: N samples.  Protocol: Laidig, Caruso, Cereatti, Seel 2021, doi:10.3390/data6070072: root
mean square over the samples that move, per trial, then the mean over trials; see
``science.quaternions`` for the errors.  A filter without magnetometer has no heading of its own,
so before the total error is taken its heading is set right over the first second with reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from domains.contract import Evaluation, Metric
from domains.errors import DataError
from domains.imu_attitude.figures import draw
from domains.imu_attitude.science import latency, quaternions
from domains.imu_attitude.science.earth_frame import Mode, anchor
from domains.imu_attitude.science.filters import FILTERS
from domains.imu_attitude.science.quaternions import Array
from domains.imu_attitude.science.recording import Recording, load_dataset
from domains.imu_attitude.science.truth import moving_of, reference_of
from domains.imu_attitude.train import Task

LATENCY_ONLY = {"offline": "offline_latency_only", "causal": "causal_latency_only"}
"""The hybrid without its network, VQF moved by the latency: what that alone is worth."""

BARS = {"offline": ("offline_vqf", 0.75), "causal": ("vqf", 0.85)}
"""Ratio to the strongest published filter that the suite aims at on BROAD."""

_QUANTITIES = {
    "inclination_rmse": "angle between estimated and true vertical",
    "total_rmse": "angle of the whole rotation error, heading set right over the first second",
}


def evaluate(
    dataset: Path | str, task: Task, out: Path | str, *, evaluate: Mapping[str, Any], **_: Any
) -> Evaluation:
    """Score the test trials of ``dataset``.

    Args:
        dataset: folder that ``ingest`` wrote.
        task: trained.
        out: folder for figures.
        evaluate: section ``evaluate``.

    Raises:
        DataError: no test trial has a reference.
    """
    recordings = [r for r in load_dataset(dataset, "test") if r.reference is not None]
    if not recordings:
        raise DataError(
            f"{dataset}: no test trial with a reference attitude; scoring needs one: set "
            "ingest.files.columns.reference"
        )
    rows, notes, inclinations = [], [], []
    for recording in recordings:
        attitudes, remarks = estimates(task, recording)
        notes += [f"Trial {recording.name}, {remark}." for remark in remarks]
        errors = {name: errors_deg(q, recording) for name, q in attitudes.items()}
        rows.append(_row(task, recording, errors))
        inclinations.append({name: error["inclination_rmse"] for name, error in errors.items()})
    cases = pd.DataFrame(rows)
    metrics = _metrics(task, cases)
    figures = draw(Path(out), task, recordings, cases, inclinations, evaluate["max_figure_points"])
    return Evaluation(metrics, cases, figures, [*_notes(task, recordings, metrics), *notes])


def estimates(task: Task, recording: Recording) -> tuple[dict[str, Array], list[str]]:
    """Attitudes (N, 4) of one recording: ours under the name of its mode, and each baseline's."""
    gyr, acc, rate_hz = recording.gyr, recording.acc, recording.rate_hz
    attitudes: dict[str, Array] = {}
    remarks: list[str] = []
    for mode in task.modes:
        estimate = task.estimate(gyr, acc, rate_hz, mode, recording.device)
        attitudes[mode] = estimate.attitude
        remarks += [f"{mode}: {note}" for note in estimate.notes]
    attitudes |= {name: filter_(gyr, acc, rate_hz) for name, filter_ in FILTERS.items()}
    if task.network == "hybrid":
        advance_s = task.advance_s(rate_hz, recording.device) or 0.0  # unknown device: not moved
        for mode in task.modes:
            vqf = anchor(gyr, acc, rate_hz, mode)
            moved = latency.moved(vqf.attitude, gyr - vqf.bias, advance_s)
            attitudes[LATENCY_ONLY[mode]] = moved
    return attitudes, remarks


def errors_deg(attitude: Array, recording: Recording) -> dict[str, Array]:
    """Inclination and total error in degrees at each sample (N,); NaN without reference."""
    reference = reference_of(recording)
    inclination = quaternions.inclination_error(attitude, reference)
    total = quaternions.total_error(with_heading(attitude, reference, recording.rate_hz), reference)
    return {"inclination_rmse": np.rad2deg(inclination), "total_rmse": np.rad2deg(total)}


def with_heading(attitude: Array, reference: Array, rate_hz: float) -> Array:
    """``attitude`` (N, 4) turned about the vertical to the mean heading of the first second."""
    error = quaternions.multiply(reference, quaternions.conjugate(attitude))
    w, z = error[:, 0], error[:, 3]
    known = np.flatnonzero(np.isfinite(w))[: max(1, round(rate_hz))]
    # The double angle has no sign ambiguity: q and -q turn alike
    angle = np.arctan2(2 * w * z, w * w - z * z)[known]
    mean = np.angle(np.mean(np.exp(1j * angle)))
    turn = np.array([np.cos(mean / 2), 0.0, 0.0, np.sin(mean / 2)])
    return quaternions.multiply(turn, attitude)


def baselines(mode: Mode) -> list[str]:
    """Names of what ours is compared with: a causal one not with the one that looks ahead."""
    return [name for name in FILTERS if mode == "offline" or name != "offline_vqf"]


def _row(task: Task, recording: Recording, errors: Mapping[str, Mapping]) -> dict[str, Any]:
    moving = moving_of(recording)
    row: dict[str, Any] = {
        "case": recording.name,
        "device": recording.device,
        "rate_hz": round(recording.rate_hz, 3),
        "moving_s": round(float(np.sum(moving)) / recording.rate_hz, 1),
    }
    for mode in task.modes:
        for quantity in _QUANTITIES:
            others = baselines(mode)
            if task.network == "hybrid":
                others = [*others, LATENCY_ONLY[mode]]
            rms = {
                name: quaternions.rms_over_movement(errors[name][quantity], moving)
                for name in (mode, *others)
            }
            metric = f"{quantity}_{mode}"
            row[metric] = rms[mode]
            row |= {f"{metric}:{name}": rms[name] for name in others}
    return row


def _metrics(task: Task, cases: pd.DataFrame) -> list[Metric]:
    """Means over trials: the headline, offline inclination where there is one, comes first."""
    metrics = []
    for quantity, what in _QUANTITIES.items():
        for mode in task.modes:
            name = f"{quantity}_{mode}"
            usable = cases[np.isfinite(cases[name])]
            if usable.empty:
                raise DataError(f"imu_attitude: {name}: no test trial has a moving, known sample")
            metrics.append(
                Metric(
                    name=name,
                    value=float(usable[name].mean()),
                    unit="deg",
                    better="lower",
                    n=len(usable),
                    baselines={
                        other: float(usable[f"{name}:{other}"].mean()) for other in baselines(mode)
                    },
                    description=f"{mode}: {what}, RMS over movement, mean over trials"
                    + ("" if task.trust(mode) else "; VQF moved by the latency, no network"),
                )
            )
    return [*metrics, *_ablations(task, cases)]


def _ablations(task: Task, cases: pd.DataFrame) -> list[Metric]:
    """What the latency alone is worth, beside the same filter without it."""
    if task.network != "hybrid":
        return []
    metrics = []
    for mode in task.modes:
        name, rival = f"inclination_rmse_{mode}", BARS[mode][0]
        usable = cases[np.isfinite(cases[name])]
        metrics.append(
            Metric(
                name=f"{name}_latency_only",
                value=float(usable[f"{name}:{LATENCY_ONLY[mode]}"].mean()),
                unit="deg",
                better="lower",
                n=len(usable),
                baselines={rival: float(usable[f"{name}:{rival}"].mean())},
                description=f"{mode}: ablation, ours without the network: VQF moved by the "
                f"sensor's latency; what {name} is better by, the network has added",
            )
        )
    return metrics


def _notes(task: Task, recordings: Sequence[Recording], metrics: Sequence[Metric]) -> list[str]:
    """What a reader of the numbers must know."""
    notes = []
    if any(recording.is_simulated for recording in recordings):
        notes.append(
            "The test trials are simulated: the numbers show that the pipeline works, not how "
            "good it is on a real sensor; for that, source: public."
        )
    by_name = {metric.name: metric for metric in metrics}
    for mode in task.modes:
        metric = by_name[f"inclination_rmse_{mode}"]
        name, bar = BARS[mode]
        ratio = metric.value / metric.baselines[name]
        verdict = "reached" if ratio <= bar else "missed"
        note = f"{mode}: {ratio:.3f} × {name} (aim ≤ {bar}: {verdict})"
        if task.network == "hybrid":
            alone = by_name[f"{metric.name}_latency_only"].value / metric.baselines[name]
            note += f"; {alone:.3f} with the sensor's latency made up for and no network"
            if task.trust(mode) == 0:
                note += (
                    ": all of the gain comes from the latency; the network did not improve "
                    "validation by 1 % and is shut out"
                )
        notes.append(note + ".")
    for (device, about), seconds in zip(task.devices.items(), task.latency_s.tolist(), strict=True):
        if task.network == "hybrid" and not about["simulated"]:
            notes.append(
                f"{device} reads {1e3 * seconds:.1f} ms late, measured on the training and "
                "validation trials; a device that was not trained on gets VQF's attitude."
            )
    if any(recording.device == "myon aktos-t" for recording in recordings):
        notes.append("RIANN was trained on most of BROAD's trials, which flatters it here.")
    return notes
