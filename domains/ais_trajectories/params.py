"""The block ``ais_trajectories`` of ``params.yaml``: keys, units and ranges."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from domains.params import DomainParams, Section, TrainParams

Degrees = Annotated[float, Field(ge=-180, le=180)]
Share = Annotated[float, Field(gt=0, lt=1)]


class CleanParams(Section):
    """When a message is set aside; each reason is counted."""

    max_speed_kn: float = Field(
        gt=0, description="a fix that needs more speed is a teleport, knots"
    )
    stale_h: float = Field(gt=0, description="the same fix for longer while reporting speed, hours")


class TrackParams(Section):
    """How messages become tracks."""

    gap_min: float = Field(gt=0, description="a longer silence begins a new track, minutes")
    step_min: float = Field(gt=0, description="spacing of resampled points, minutes")
    min_points: int = Field(ge=2, description="shorter tracks are dropped, resampled points")
    moving_kn: float = Field(ge=0, description="faster than this is moving, knots")


class SplitParams(Section):
    """Vessels and time are both divided; what is in neither's part is dropped and counted."""

    train_vessels: Share = Field(description="share of vessels, by a hash of the MMSI and seed")
    validate_vessels: Share = Field(description="likewise; the rest tests")
    train_time: Share = Field(description="share of the messages, from the earliest on")
    validate_time: Share = Field(description="share of those after them; the rest tests")

    @model_validator(mode="after")
    def _leave_some_to_test(self) -> SplitParams:
        for name in ("vessels", "time"):
            total = getattr(self, f"train_{name}") + getattr(self, f"validate_{name}")
            if total >= 1:
                raise ValueError(
                    f"train_{name} + validate_{name} = {total:g}, expected below 1: the rest tests"
                )
        return self


class SampleParams(Section):
    """The simulated traffic of ``source: sample``."""

    vessels: int = Field(ge=8, le=5000, description="number of vessels")
    days: float = Field(ge=2, le=365, description="simulated time in days")
    report_s: float = Field(ge=2, le=600, description="time between messages in s")


class ColumnNames(Section):
    """Names of the columns of ``format: columns``; ``null`` where there is none."""

    vessel: str = Field(description="MMSI or another whole number that names the vessel")
    time: str = Field(
        description="s since 1970, or ISO 8601 as 2024-01-01T00:00:00Z (UTC if it names no zone)"
    )
    longitude: str = Field(description="degrees, WGS84")
    latitude: str = Field(description="degrees, WGS84")
    sog: str | None = Field(description="speed over ground, knots")
    cog: str | None = Field(description="course over ground, degrees")
    heading: str | None = Field(description="true heading, degrees")
    rot: str | None = Field(description="rate of turn, degrees per minute")
    status: str | None = Field(description="navigational status, 0 to 15")
    ship_type: str | None = Field(description="AIS code of the ship's type")


class FilesParams(Section):
    """How to read the user's own files."""

    format: Literal[
        "auto", "nmea", "dma", "marinecadastre", "digitraffic", "columns", "geoparquet"
    ] = Field(description="auto = by the ending and the header")
    bad_sentences: Literal["count", "refuse"] = Field(
        description="NMEA that cannot be decoded: counted by reason, or the file is refused"
    )
    columns: ColumnNames


class PublicParams(Section):
    """Which days of the Danish Maritime Authority's archive."""

    first_day: date = Field(description="first day, YYYY-MM-DD")
    days: int = Field(ge=1, le=366, description="number of days")


class IngestParams(Section):
    """Raw messages to dataset."""

    seed: int = Field(ge=0, description="of the split by vessel and of the simulation")
    region: tuple[Degrees, Degrees, Degrees, Degrees] | None = Field(
        description="west, south, east, north; west > east crosses 180°; null = everywhere"
    )
    clean: CleanParams
    tracks: TrackParams
    split: SplitParams
    sample: SampleParams
    public: PublicParams
    files: FilesParams


class PredictParams(Section):
    """What ``predict`` writes (``evaluate.predict``)."""

    paths: int = Field(ge=1, le=20, description="most likely paths of each vessel")


Peer = Literal["elman", "gru", "lstm", "no_conv", "no_attention", "no_probabilities"]


class MultipathParams(Section):
    """Hours of tracks in, hours of path out (arXiv:2310.18948); sizes are choices."""

    context_h: float = Field(gt=0, le=48, description="past that is seen, in h; paper: 1 to 3")
    horizon_h: float = Field(gt=0, le=96, description="future that is asked for, in h; paper: 12")
    hidden: int = Field(ge=4, le=1024, description="width of every layer")
    decode_every: int = Field(ge=1, le=72, description="steps between the decoder's answers")
    candidates: int = Field(ge=1, le=20, description="route and destination cells shown, each")
    cell_resolution: int = Field(ge=0, le=9, description="H3 resolution of where a ship is")
    target_resolution: int = Field(ge=0, le=9, description="H3 resolution of where ships go")
    route_h: float = Field(gt=0, le=96, description="the route cell is where a ship is then, in h")
    concentration: float = Field(gt=0, description="voyages that smoothing counts for, Dirichlet")


class MessagesParams(Section):
    """The content of the next message (arXiv:2202.13867); sizes are choices."""

    length: int = Field(ge=2, le=512, description="messages that are seen")
    hidden: int = Field(ge=4, le=1024, description="width of every layer")
    max_gap_min: float = Field(gt=0, description="a longer silence between messages ends a window")


class ModelParams(Section):
    """Which network, and its size."""

    network: Literal["multipath", "messages"] = Field(
        description="multipath = arXiv:2310.18948, messages = arXiv:2202.13867"
    )
    compare: list[Peer] = Field(
        description="networks of the same size trained beside; no_... are ablations of multipath"
    )
    multipath: MultipathParams
    messages: MessagesParams

    @model_validator(mode="after")
    def _compare_what_there_is(self) -> ModelParams:
        if len(set(self.compare)) < len(self.compare):
            raise ValueError(f"compare names a network twice: {self.compare}")
        ablations = [name for name in self.compare if name.startswith("no_")]
        if self.network == "messages" and ablations:
            raise ValueError(f"compare: {ablations} are ablations of multipath; leave them out")
        return self


class TrajectoryTrainParams(TrainParams):
    """The engine's keys and our own."""

    weight_decay: float = Field(ge=0, description="of AdamW, per step relative to lr")
    stride: int = Field(ge=1, description="steps (or messages) between neighbouring windows")
    min_context_h: float = Field(gt=0, description="least past shown in training, in h")
    reveal: float = Field(ge=0, le=1, description="share of windows told their true destination")


class EvaluateParams(Section):
    """What ``evaluate`` scores and ``predict`` writes."""

    stride: int = Field(ge=1, description="steps (or messages) between the windows scored")
    predict: PredictParams


class Params(DomainParams):
    """The block of ``params.yaml``."""

    ingest: IngestParams
    model: ModelParams
    train: TrajectoryTrainParams
    evaluate: EvaluateParams
