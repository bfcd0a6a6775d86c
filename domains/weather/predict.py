"""An initial state in the user's file to a forecast in NetCDF or Zarr.

Legend: B forecasts, C channels, H latitudes north → south, W longitudes ascending.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from domains.errors import DataError
from domains.weather.params import FilesParams, PredictParams
from domains.weather.science.calendars import TimeAxis
from domains.weather.science.channels import check_mean, plausible_limits
from domains.weather.science.grid import Grid

if TYPE_CHECKING:
    from torch import Tensor

_log = logging.getLogger(__name__)


class WeatherModel(Protocol):
    """What a trained task of this domain is and can do."""

    @property
    def channels(self) -> Sequence[str]: ...
    @property
    def latitude(self) -> Sequence[float]: ...
    @property
    def longitude(self) -> Sequence[float]: ...
    @property
    def step_h(self) -> float: ...
    @property
    def is_simulated(self) -> bool: ...
    @property
    def valid(self) -> Tensor:
        """(C, H, W), false where no training frame had a value."""

    def state_dict(self) -> Mapping[str, Tensor]:
        """Its weights."""

    def forecast(
        self,
        frames: Tensor,
        year_phase: ArrayLike,
        day_phase: ArrayLike,
        num_steps: int,
        first_step: int = 0,
    ) -> Iterator[Tensor]:
        """Fields (B, C, H, W) at step ``first_step`` + 1, + 2, …, in SI units.

        Args:
            frames: (B, 2, C, H, W), the last two known frames, or the last two forecast ones.
            year_phase: (B,) of the second of them.
            day_phase: (B,) of the second of them.
            num_steps: how many fields to give.
            first_step: steps that have been forecast before; says where in the cascade it is.
        """


def predict(
    task: WeatherModel, input: Path | str, output: Path | str, **params: Mapping[str, Any]
) -> None:
    """Write the forecast from the state in ``input`` to ``output``.

    The state is two frames one step apart: those that end at ``evaluate.predict.start``, or the
    last two in the file.  A forecast that was killed goes on at the first lead that is not written.

    Args:
        task: a trained task.
        input: NetCDF, Zarr, GRIB or a folder of them, read as ``ingest.files`` says.  Its grid must
            hold the model's; a region is cut out.
        output: ends in .nc or .zarr; one variable for each channel on lead_time, latitude,
            longitude; it appears whole or not at all.  Cells of which the training data never had
            a value are NaN.
        **params: the domain's block; ``ingest.files`` and ``evaluate.predict`` are read.

    Raises:
        DataError: the input cannot be used, or the output cannot be written.
    """
    from domains.weather.sources.output import ForecastFile, check_output, forecast_frame
    from domains.weather.sources.state import initial_state

    output = Path(output)
    check_output(output)
    if output.resolve() == Path(input).resolve():
        raise DataError(f"{output}: is the input itself; write the forecast to another place")
    wanted = PredictParams.model_validate(params["evaluate"]["predict"])
    frames, start = initial_state(
        task, str(input), FilesParams.model_validate(params["ingest"]["files"]), wanted.start
    )
    num_steps = max(1, round(wanted.days * 24 / task.step_h))
    grid = Grid(np.array(task.latitude), np.array(task.longitude))
    title = f"forecast from {start.labels()[0]} by a network"
    if task.is_simulated:  # of a user's files nobody says what they are
        title += " that learnt from a simulated world"
    frame = forecast_frame(start, num_steps, task.step_h, grid, task.channels, title)
    file = ForecastFile(
        output, _fingerprint(task, frames, start, num_steps), frame, wanted.chunk_steps
    )
    with closing(file):
        if file.done:
            _log.warning("weather: going on after %d of %d leads", file.done, num_steps)
        while file.done < num_steps:
            count = min(wanted.chunk_steps, num_steps - file.done)
            known = np.concatenate([frames, file.last_frames(min(2, file.done))])[-2:]
            file.append(_steps(task, known, start, file.done, count))
        file.finish(task.valid.cpu().numpy())


def _steps(
    task: WeatherModel, frames: NDArray[np.float32], start: TimeAxis, done: int, count: int
) -> NDArray[np.float32]:
    """(count, C, H, W) the leads after ``done`` from the last two ``frames`` (2, C, H, W)."""
    import torch

    now = TimeAxis(start.minutes + round(60 * task.step_h * done), start.calendar)
    fields = task.forecast(
        torch.from_numpy(frames)[None], now.year_phase, now.day_phase, count, first_step=done
    )
    found = np.stack([field[0].float().cpu().numpy() for field in fields])
    if not np.isfinite(found).all():
        raise DataError(
            f"weather: the forecast is not finite {done + 1} to {done + count} steps ahead; the "
            "state is unlike the training data, or the model is not trained well enough"
        )
    return found


def _fingerprint(task: WeatherModel, frames: NDArray, start: TimeAxis, num_steps: int) -> str:
    digest = hashlib.sha256(frames.tobytes())
    digest.update(f"{start.minutes[0]} {start.calendar} {num_steps}".encode())
    for name, weights in sorted(task.state_dict().items()):
        digest.update(name.encode())
        digest.update(weights.detach().float().cpu().numpy().tobytes())
    return digest.hexdigest()


def infer(task: WeatherModel, arrays: Mapping[str, NDArray]) -> dict[str, NDArray[np.float32]]:
    """``fields`` (B, steps, C, H, W), SI units, the forecasts from B states.

    Args:
        task: a trained task.
        arrays: ``frames`` (B, 2, C, H, W) in SI units, one step apart; ``year_phase`` (B,) and
            ``day_phase`` (B,), the shares of year and day that have passed at the second; and
            ``num_steps`` (1,).

    Raises:
        DataError: an array is missing, of another shape, not finite, in other units, or no step is
            asked for.
    """
    import torch

    names = ("frames", "year_phase", "day_phase", "num_steps")
    if missing := [name for name in names if name not in arrays]:
        raise DataError(f"weather: {', '.join(missing)} missing, expected {', '.join(names)}")
    frames = np.asarray(arrays["frames"], np.float32)
    shape = (2, len(task.channels), len(task.latitude), len(task.longitude))
    if frames.ndim != 5 or frames.shape[1:] != shape or len(frames) == 0:
        raise DataError(f"weather: frames have shape {frames.shape}, expected (B, {shape})")
    if not np.isfinite(frames).all():
        raise DataError("weather: frames are not finite everywhere; fill missing cells first")
    for name, mean in zip(task.channels, frames.mean(axis=(0, 1, 3, 4)), strict=True):
        check_mean(name, float(mean), "frames")
    year, day = (np.ravel(arrays[name]).astype(float) for name in names[1:3])
    if len(year) != len(frames) or len(day) != len(frames):
        raise DataError(
            f"weather: {len(year)} year_phase and {len(day)} day_phase, expected {len(frames)} as "
            "there are states"
        )
    steps = np.ravel(arrays["num_steps"])
    if len(steps) != 1 or not steps[0] >= 1:
        raise DataError(f"weather: num_steps is {steps}, expected one number, 1 or more")
    fields = task.forecast(torch.from_numpy(frames), year, day, int(steps[0]))
    return {"fields": np.stack([field.float().cpu().numpy() for field in fields], axis=1)}


def example_input(task: WeatherModel) -> dict[str, NDArray]:
    """A calm state on the model's grid, as ``infer`` takes it, and one day ahead."""
    usual = np.array([sum(plausible_limits(name)) / 2 for name in task.channels], np.float32)
    shape = (1, 2, len(task.channels), len(task.latitude), len(task.longitude))
    return {
        "frames": np.broadcast_to(usual[:, None, None], shape).copy(),
        "year_phase": np.zeros(1),
        "day_phase": np.zeros(1),
        "num_steps": np.array([max(1, round(24 / task.step_h))]),
    }
