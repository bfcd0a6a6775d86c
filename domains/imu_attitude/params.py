"""The block ``imu_attitude`` of ``params.yaml``: keys, units and ranges."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from domains.params import DomainParams, Section, TrainParams

Trial = Annotated[int | str, Field(description="number that a trial's name begins with, or name")]
Split = list[Trial]


class SampleParams(Section):
    """The simulated recordings of ``source: sample``."""

    seed: int = Field(ge=0, description="of motions, sensor errors and noise")
    duration_s: float = Field(ge=20, le=600, description="length of a trial in s")
    train_trials: int = Field(ge=1, le=99, description="number of trials to train on")
    validate_trials: int = Field(ge=1, le=99, description="... to choose weights on")
    test_trials: int = Field(ge=1, le=99, description="... to score, never seen before")


class PublicParams(Section):
    """Whole trials of BROAD (1 to 39) by split; a trial in two lists is refused."""

    train_trials: Split = Field(description="trials that teach the network")
    validate_trials: Split = Field(description="trials that choose the weights")
    test_trials: Split = Field(description="trials that are scored")


class Columns(Section):
    """Names of columns or arrays in the user's files; ``null`` where a quantity is absent.

    A quantity of several components is one name of a (N, 3) or (N, 4) array, what the names of
    its columns begin with, or the list of those names in order.
    """

    time: str | None = Field(description="time stamps; null = evenly sampled at rate or rate_hz")
    rate: str | None = Field(description="a single number in the file: its sampling rate in Hz")
    gyr: str | list[str] = Field(description="angular rate: an array, or columns x, y, z")
    acc: str | list[str] = Field(description="specific force: an array, or columns x, y, z")
    reference: str | list[str] | None = Field(description="true attitude, in files.order")
    moving: str | None = Field(description="true where a sample counts for the error")


class FilesParams(Section):
    """How to read the user's own recordings (CSV, NPZ, HDF5 or MAT)."""

    columns: Columns
    time_unit: Literal["s", "ms", "us", "ns"] = Field(description="unit of the time stamps")
    gyr_unit: Literal["rad/s", "deg/s"] = Field(description="unit of the gyroscope")
    acc_unit: Literal["m/s2", "g"] = Field(description="unit of the accelerometer")
    rate_hz: float | None = Field(gt=0, description="sampling rate in Hz; null = from time stamps")
    order: Literal["wxyz", "xyzw"] = Field(description="of the reference's four numbers")
    frame: Literal["ENU", "NED", "NWU"] = Field(description="earth frame of the reference")
    direction: Literal["sensor_to_earth", "earth_to_sensor"] = Field(description="of the reference")
    device: str = Field(description="name of the sensor, by which a model knows it")
    train_trials: Split = Field(description="file names to train on; three empty lists = by order")
    validate_trials: Split = Field(description="file names to choose weights on")
    test_trials: Split = Field(description="file names to score")


class IngestParams(Section):
    """Raw recordings to dataset."""

    rate_hz: float | None = Field(gt=0, description="resample all to this rate in Hz; null = keep")
    min_segment_s: float = Field(gt=0, description="shorter stretches between gaps are dropped, s")
    sample: SampleParams
    public: PublicParams
    files: FilesParams


class PredictParams(Section):
    """Convention of the attitudes that ``predict`` writes (``evaluate.predict``)."""

    order: Literal["wxyz", "xyzw"] = Field(description="of the four numbers")
    frame: Literal["ENU", "NED", "NWU"] = Field(
        description="earth frame; x of a 6-D attitude is free"
    )
    direction: Literal["sensor_to_earth", "earth_to_sensor"] = Field(description="of the rotation")
    mode: Literal["offline", "causal"] = Field(description="offline uses the future, causal not")
    figure: bool = Field(description="also draw roll and pitch to a .png beside the output")


class HybridParams(Section):
    """Our correction of VQF's tilt; both modes have the same size."""

    hidden: int = Field(ge=4, le=512, description="width of every layer")
    dropout: float = Field(ge=0, lt=1, description="share of activations dropped in training")


class PaperParams(Section):
    """The paper's networks A to D."""

    window_s: float = Field(gt=0, le=60, description="length of a window in s; 0.35 in the paper")
    rate_hz: float = Field(ge=10, le=1000, description="faster recordings are averaged down to it")
    label: Literal["centre", "last"] = Field(
        description="sample the answer is for: centre (half the window is future) or last (causal)"
    )
    units: int = Field(ge=4, le=512, description="width of convolutions and LSTM; 128 in the paper")
    stride_s: float = Field(gt=0, description="between the starts of neighbouring windows, in s")


class ModelParams(Section):
    """Which network, and its size."""

    network: Literal["hybrid", "A", "B", "C", "D"] = Field(
        description="hybrid = ours on top of VQF; A to D = Golroudbari & Sabour"
    )
    hybrid: HybridParams
    paper: PaperParams


class AttitudeTrainParams(TrainParams):
    """The engine's keys and our own; the last three are the hybrid's alone."""

    weight_decay: float = Field(ge=0, description="of AdamW, per step relative to lr")
    window_s: float = Field(ge=5, le=300, description="length of a training window in s")
    augment_gyr_bias_deg_s: float = Field(ge=0, description="added bias, standard deviation, deg/s")
    augment_acc_bias: float = Field(ge=0, description="added bias, standard deviation, m/s²")


class EvaluateParams(Section):
    """What ``evaluate`` scores and ``predict`` writes."""

    max_figure_points: int = Field(ge=100, description="points of a line in a figure")
    predict: PredictParams


class Params(DomainParams):
    """The block of ``params.yaml``."""

    ingest: IngestParams
    model: ModelParams
    train: AttitudeTrainParams
    evaluate: EvaluateParams
