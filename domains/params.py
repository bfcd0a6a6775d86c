"""What every block of ``params.yaml`` has: the keys the engine reads, with units and ranges.

A domain's ``params.py`` defines ``Params(DomainParams)`` and narrows ``ingest``, ``model``,
``train`` and ``evaluate`` to its own models, all derived from ``Section``.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def iso_text(value: Any) -> Any:
    """A date as text: YAML reads an unquoted ``2018-01-31`` as a date, not as a string.

    A time with a zone is told in UTC.  What is no date is left for the schema to refuse.
    """
    if isinstance(value, datetime):
        value = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        return value.isoformat()
    return value.isoformat() if isinstance(value, date) else value


IsoDate = Annotated[str, BeforeValidator(iso_text)]
"""An ISO date, or date and time, in any calendar: 30 February is one in some."""


class Section(BaseModel):
    """A mapping of ``params.yaml`` that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TrainParams(Section):
    """Keys of ``train`` that the engine reads; a domain adds its own."""

    seed: int = Field(ge=0, description="seeds weights, batches and augmentation")
    max_steps: int = Field(ge=1, description="optimiser steps")
    batch_size: int = Field(ge=1, description="samples per step")
    lr: float = Field(gt=0, description="peak learning rate")
    grad_clip: float = Field(ge=0, description="gradient norm is clipped here; 0 = never")
    validate_every: int = Field(ge=1, description="optimiser steps between validations")
    patience: int = Field(ge=1, description="validations without improvement before stopping")
    checkpoint_every: int = Field(ge=1, description="optimiser steps between checkpoints")
    threads: int = Field(ge=1, description="CPU threads of torch")
    accelerator: Literal["auto", "cpu", "gpu"] = Field(description="auto = GPU where there is one")
    devices: Literal["auto"] | int = Field(
        description="auto = one GPU, or those of CUDA_VISIBLE_DEVICES; a number = processes"
    )
    precision: Literal["auto", "32-true", "bf16-mixed"] = Field(
        description="auto = bf16-mixed on a GPU that has it, else 32-true"
    )


class DomainParams(Section):
    """One domain's block of ``params.yaml``."""

    format: int = Field(ge=1, description="raise it by one when the meaning of results changes")
    source: str = Field(min_length=1, description="sample, public, or a path or URL")
    ingest: Section
    model: Section
    train: TrainParams
    evaluate: Section
