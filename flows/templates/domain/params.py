"""The block ``template_domain`` of ``params.yaml``: keys, units and ranges."""

from __future__ import annotations

from pydantic import Field

from domains.params import DomainParams, Section, TrainParams


class SampleParams(Section):
    """The simulated groups of ``source: sample``."""

    seed: int = Field(ge=0, description="of the groups, their points and the noise")
    groups: int = Field(ge=3, description="number of groups")
    points: int = Field(ge=2, description="points in each group")
    noise_m: float = Field(ge=0, description="standard deviation of the noise of y in m")


class IngestParams(Section):
    """Raw tables to dataset; whole groups go to a split."""

    validate_share: float = Field(gt=0, lt=0.5, description="share of groups that choose weights")
    test_share: float = Field(gt=0, lt=0.5, description="share of groups that are scored")
    sample: SampleParams


class ModelParams(Section):
    """Size of the network."""

    width: int = Field(ge=1, description="units of each hidden layer")
    depth: int = Field(ge=1, description="number of hidden layers")


class CurveTrainParams(TrainParams):
    """The engine's keys and our own."""

    weight_decay: float = Field(ge=0, description="of AdamW, per step relative to lr")


class EvaluateParams(Section):
    """What ``evaluate`` draws."""

    figure_groups: int = Field(ge=1, le=6, description="test groups shown in the figure")


class Params(DomainParams):
    """The block of ``params.yaml``."""

    ingest: IngestParams
    model: ModelParams
    train: CurveTrainParams
    evaluate: EvaluateParams
