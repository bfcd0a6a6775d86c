"""The block ``weather`` of ``params.yaml``: keys, units and ranges."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from domains.params import DomainParams, IsoDate, Section, TrainParams

Degrees = Annotated[float, Field(ge=-180, le=360)]
Hours = Annotated[float, Field(gt=0)]


class RegionParams(Section):
    """A box to cut out; ``null`` keeps the whole axis."""

    latitude: tuple[Degrees, Degrees] | None = Field(description="south and north end, degrees")
    longitude: tuple[Degrees, Degrees] | None = Field(
        description="west and east end, degrees east; west may be greater than east"
    )


class SplitParams(Section):
    """Blocks in time, in the order train, validate, test, with a gap between them."""

    validate_share: float = Field(gt=0, lt=0.5, description="share of the record that chooses")
    test_share: float = Field(gt=0, lt=0.8, description="share of the record that is scored")
    gap_days: float = Field(ge=0, le=60, description="left out between two blocks, days")
    validate_from: IsoDate | None = Field(
        description="ISO date at which validation begins, instead of shares; null = by share"
    )
    test_from: IsoDate | None = Field(
        description="ISO date at which the test begins; null = by share"
    )


class PublicParams(Section):
    """What to take from a store of WeatherBench 2's layout."""

    address: str = Field(description="gs:// or https:// address, or folder, of the Zarr store")
    channels: list[str] = Field(min_length=1, description="names such as z500, t850, 2t")
    first_year: int = Field(ge=1940, le=2100, description="first calendar year")
    last_year: int = Field(ge=1940, le=2100, description="last calendar year, included")


class FilesParams(Section):
    """How to read the user's own files."""

    channels: list[str] | None = Field(description="names to take, in order; null = all found")
    rename: dict[str, str] = Field(description="variable in the file -> channel or quantity")
    select: dict[str, int | float | str] = Field(
        description="value of a further dimension, e.g. number: 0; for GRIB also filter keys"
    )
    missing: Literal["refuse", "nearest"] = Field(
        description="cells without a value: refuse, or fill from the nearest and never score them"
    )
    is_zonally_symmetric: bool = Field(description="true for idealised worlds without geography")


class IngestParams(Section):
    """Raw fields to dataset."""

    step_h: float = Field(gt=0, le=24, description="hours between frames that are kept")
    start: IsoDate | None = Field(description="ISO date of the first frame; null = all there is")
    end: IsoDate | None = Field(description="ISO date of the last frame; null = all there is")
    region: RegionParams
    split: SplitParams
    harmonics: int = Field(ge=0, le=8, description="of the year, in the smoothed climatology")
    public: PublicParams
    files: FilesParams


class PredictParams(Section):
    """What ``convoy predict`` writes (``evaluate.predict``)."""

    days: float = Field(gt=0, le=60, description="length of the forecast, days")
    chunk_steps: int = Field(ge=1, le=100, description="leads computed and written at once")
    start: IsoDate | None = Field(
        description="ISO date of the last known frame; null = the last in the file"
    )


class ModelParams(Section):
    """The forecasters and their size."""

    network: Literal["puyun", "resnet"] = Field(
        description="puyun = large kernel attention; resnet = plain convolutions of PuYun's size"
    )
    dim: int = Field(ge=4, le=4096, description="width of a block")
    stages: int = Field(ge=1, le=16, description="groups of blocks whose outputs are joined")
    blocks: int = Field(ge=1, le=64, description="blocks in each of them")
    patch: int = Field(ge=1, le=16, description="grid points along the side of a patch")
    kernel_size: int = Field(ge=1, le=63, description="patches that the attention sees across")
    dilation: int = Field(ge=1, le=9, description="of the attention's second kernel")
    expansion: int = Field(ge=1, le=8, description="width of the pointwise layers over dim")
    cascade: Literal[1, 2, 3] = Field(description="forecasters: Short, and Medium, and Long")
    handover_steps: int = Field(ge=1, le=100, description="forecast steps of each but the last")
    time: Literal["none", "day", "year"] = Field(
        description="what a network is told of time: nothing, the hour, or hour and season"
    )
    recompute: Literal["none", "steps", "blocks"] = Field(
        description="activations computed again to save memory: of each forecast step, or block"
    )
    peer: bool = Field(description="train a plain ResNet of equal size beside, as a baseline")


class WeatherTrainParams(TrainParams):
    """The engine's keys and our own."""

    weight_decay: float = Field(ge=0, description="of AdamW, per step relative to lr")
    loss: Literal["mse", "l1"] = Field(description="of the field over the spread of its change")
    channel_weights: Literal["uniform", "pressure"] = Field(
        description="pressure: a level counts as its pressure over the mean of all levels"
    )
    pretrain_share: float = Field(gt=0, lt=1, description="share of max_steps on single steps")
    short_share: float = Field(
        gt=0, lt=1, description="share of max_steps on Short's rollouts; Medium has the rest"
    )
    finetune_lr_share: float = Field(gt=0, le=1, description="peak rate of rollouts over lr")
    rollout_steps: int = Field(ge=1, le=40, description="forecast steps that a rollout learns from")
    reach_steps: int = Field(
        ge=1, le=80, description="steps after a hand-over within which rollouts learn"
    )
    mirror: bool = Field(
        description="worlds without geography: learn from north and south exchanged as well"
    )
    validate_starts: int = Field(ge=1, description="forecasts that choose the weights")
    validate_steps: int = Field(ge=1, description="steps of each of them")

    @field_validator("short_share")
    @classmethod
    def _leaves_a_rest(cls, value: float, info: ValidationInfo) -> float:
        if value + info.data.get("pretrain_share", 0) >= 1:
            raise ValueError("pretrain_share and short_share must add up to less than 1")
        return value

    @field_validator("reach_steps")
    @classmethod
    def _holds_a_rollout(cls, value: int, info: ValidationInfo) -> int:
        if value < info.data.get("rollout_steps", 1):
            raise ValueError("reach_steps must be at least rollout_steps")
        return value


class EvaluateParams(Section):
    """What ``evaluate`` scores and ``predict`` writes."""

    lead_days: float = Field(gt=0, le=60, description="length of the scored forecasts, days")
    start_every: int = Field(ge=1, description="frames between two forecasts that are scored")
    headline_channel: str | None = Field(
        min_length=1, description="of the headline; null = the first there of z500, t850, 2t, msl"
    )
    headline_lead_h: float = Field(gt=0, description="its lead, h")
    table_leads_h: list[Hours] = Field(min_length=1, description="leads in the table of metrics")
    predict: PredictParams


class Params(DomainParams):
    """The block of ``params.yaml``."""

    ingest: IngestParams
    model: ModelParams
    train: WeatherTrainParams
    evaluate: EvaluateParams
