"""The block ``toy`` of params.yaml."""

from pydantic import Field

from domains.params import DomainParams, Section, TrainParams


class Ingest(Section):
    num_points: int = Field(ge=8, description="simulated points")


class Model(Section):
    width: int = Field(ge=1, description="hidden units")


class Evaluate(Section):
    slope: float = Field(description="of the baseline")


class Params(DomainParams):
    ingest: Ingest
    model: Model
    train: TrainParams
    evaluate: Evaluate
