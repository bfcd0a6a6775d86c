"""The block ``cmb_inpainting`` of ``params.yaml``: keys, units and ranges."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from domains.params import DomainParams, Section, TrainParams

MaskSpec = Annotated[
    str,
    Field(
        pattern=r"^((gal|turned|discs|strip)\d{1,2}(x\d{1,3})?|files)$",
        description="kind, per cent of the sky, and xN for N of them; or files",
    ),
]
"""``gal15`` the Galaxy, ``turned15x20`` the same turned at random, 20 of them, ``discs10``,
``strip20``, or ``files``: the masks that came with the source."""


class IngestParams(Section):
    """Spectra, masks, and the fixed skies to validate and test on."""

    nside: Literal[8, 16, 32, 64, 128, 256, 512, 1024] = Field(description="12·nside² pixels")
    lmax: int | None = Field(ge=2, description="highest multipole; null = 3·nside − 1")
    fwhm_arcmin: float = Field(gt=0, description="Gaussian beam, full width at half maximum in ′")
    noise_uk: float = Field(gt=0, description="white noise of the skies, standard deviation, µK")
    seed: int = Field(ge=0, description="of skies, random masks and drawn cosmologies")
    cosmologies: int = Field(
        ge=1, le=256, description="1 = Planck 2018; more = drawn within ±2σ of its parameters"
    )
    validate_skies: int = Field(ge=1, description="simulated skies that choose the weights")
    test_skies: int = Field(ge=1, description="simulated skies that are scored")
    train_masks: list[MaskSpec] = Field(min_length=1, description="masks to train on")
    validate_masks: list[MaskSpec] = Field(min_length=1, description="masks to choose weights on")
    test_masks: list[MaskSpec] = Field(min_length=1, description="masks to score")
    reference: Literal["auto", "exact", "local", "none"] = Field(
        description="constrained mean of the test skies: auto = exact up to nside 32, else local"
    )
    template: str | None = Field(
        description="FITS map whose brightest pixels gal masks take; null = the source's own"
    )
    unit: Literal["auto", "K", "mK", "uK"] = Field(
        description="of map files; auto = their unit card, else the spread of the values"
    )


class PredictParams(Section):
    """What ``predict`` reads beside the map and writes beside the filled map."""

    mask: str | None = Field(
        description="FITS mask, 1 = observed; null = what is UNSEEN or NaN in the map alone"
    )
    mask_column: str | None = Field(description="its column by name or number; null = the first")
    column: str | None = Field(description="map column by name or number; null = the first")
    offset: Literal["none", "monopole", "dipole"] = Field(
        description="fitted where observed, left out of the network, and added to the fill again"
    )
    realisations: int = Field(
        ge=0, le=1000, description="random fills written beside; 2 or more give a sigma map"
    )
    seed: int = Field(ge=0, description="of the random fills")


class EvaluateParams(Section):
    """What ``evaluate`` scores and ``predict`` writes."""

    realisations: int = Field(
        ge=2, le=100, description="random fills for sigma; at least as many as skies are scored"
    )
    predict: PredictParams


class ModelParams(Section):
    """Which network, and its size."""

    network: Literal["precision", "mask_gated", "skyreconnet", "pepsi", "medfe"] = Field(
        description="precision, mask_gated = ours; the papers' SkyReconNet, PEPSI++, MEDFE"
    )
    window: Literal[3, 5, 7, 9] = Field(description="precision: side of its windows in pixels")
    refine_steps: int = Field(
        ge=0,
        le=200,
        description="precision: conjugate gradients from its fill to the optimum, not trained",
    )
    channels: int = Field(ge=8, le=512, multiple_of=8, description="the others: width")
    dilations: list[Annotated[int, Field(ge=1, description="pixels")]] = Field(
        min_length=1, description="the others but medfe: rates, each at most nside (pepsi: /4)"
    )
    start: Literal["diffusive", "zero"] = Field(
        description="the others: the fill that they correct"
    )


class SkyTrainParams(TrainParams):
    """The engine's keys and our own."""

    skies_per_mask: int = Field(ge=1, description="simulated skies behind each mask of a batch")
    weight_decay: float = Field(ge=0, description="of AdamW, per step relative to lr")
    ssim_weight: float = Field(ge=0, description="of 1 − SSIM beside the mean square error over σ²")
    average: float = Field(
        ge=0, lt=1, description="weights in use are a moving average that keeps this share a step"
    )


class Params(DomainParams):
    """The block of ``params.yaml``."""

    ingest: IngestParams
    model: ModelParams
    train: SkyTrainParams
    evaluate: EvaluateParams
