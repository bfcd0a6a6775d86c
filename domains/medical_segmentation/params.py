"""The block ``medical_segmentation`` of ``params.yaml``: keys, units and ranges."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from domains.params import DomainParams, Section, TrainParams

CaseName = Annotated[str, Field(description="name of a case, as its files begin")]
Millimetres = Annotated[float, Field(gt=0, description="mm")]


class SampleParams(Section):
    """The simulated cohort of ``source: sample``."""

    num_cases: int = Field(ge=6, le=500, description="simulated subjects")
    spacing_mm: float = Field(ge=1, le=3, description="edge of a voxel in mm")
    deformation_mm: float = Field(ge=0, le=6, description="standard deviation of the anatomy, mm")


class IngestParams(Section):
    """Raw volumes to dataset: who is in which split, and what the plan may cost."""

    seed: int = Field(ge=0, description="of the split and of the simulated cohort")
    validate_share: float = Field(gt=0, lt=0.5, description="share of subjects that choose weights")
    test_share: float = Field(gt=0, lt=0.5, description="share of subjects that are scored")
    validate_cases: list[CaseName] = Field(description="cases instead of validate_share")
    test_cases: list[CaseName] = Field(description="cases instead of test_share")
    subject: str | None = Field(
        description="regular expression whose first group is the subject in a case's name; "
        "null = each case is a subject"
    )
    modality: Literal["auto", "MR", "CT"] = Field(
        description="CT = intensities are Hounsfield units, normalised alike for all volumes"
    )
    spacing_mm: Annotated[list[Millimetres], Field(min_length=3, max_length=3)] | None = Field(
        description="spacing of the network's grid; null = from the fingerprint"
    )
    max_patch_voxels: int = Field(ge=512, description="largest number of voxels in a patch")
    patch_multiple: Literal[4, 8, 16, 32] = Field(description="each edge of a patch divides by it")
    tolerance_mm: float = Field(
        gt=0, le=1, description="how far corners of image and label may be apart"
    )
    allow_missing_affine: bool = Field(
        description="take a header without position as axes right, front, up, instead of refusing"
    )
    bad_cases: Literal["stop", "skip"] = Field(
        description="a case that cannot be used ends the step, or is left out and counted"
    )
    labels: dict[str, int] | None = Field(
        description="name -> value (1 to 255) of the labels of NIfTI pairs; "
        "null = label_1, label_2, …"
    )
    sample: SampleParams

    @field_validator("labels")
    @classmethod
    def _are_structures(cls, labels: dict[str, int] | None) -> dict[str, int] | None:
        values = list((labels or {}).values())
        if any(not 1 <= value <= 255 for value in values):
            raise ValueError("values must be 1 to 255; 0 is the background: leave it out")
        if len(set(values)) < len(values):
            raise ValueError("each name needs a value of its own")
        return labels


class PredictParams(Section):
    """What ``predict`` writes beside the label volume."""

    overlay: bool = Field(description="also draw three planes to a .png beside the output")
    volumes: bool = Field(description="also write volumes in ml to a .json beside the output")


class EvaluateParams(Section):
    """What ``evaluate`` scores and ``predict`` writes."""

    tolerance_mm: float = Field(gt=0, description="of the normalised surface Dice, mm")
    predict: PredictParams


class XLSTMParams(Section):
    """xLSTM-UNet."""

    blocks: int = Field(
        ge=1, le=8, description="residual blocks of a stage in the encoder's finer half"
    )
    variant: Literal["bot", "enc"] = Field(
        description="bot = Vision-LSTM on the coarsest map, enc = on all deep ones"
    )
    directions: Literal[1, 2] = Field(description="1 = scan one way as published, 2 = both ways")


class ReversibleParams(Section):
    """Reversible mobile-inverted-bottleneck U-Net."""

    blocks: int = Field(ge=1, le=64, description="pairs of bottlenecks of a stage, down and up")
    expansion: int = Field(ge=1, le=8, description="width inside a bottleneck over its channels")
    is_reversible: bool = Field(description="false = keep activations: faster, more memory")


class SWTRParams(Section):
    """SWTR-Unet."""

    blocks: list[Annotated[int, Field(ge=1, description="bottlenecks")]] = Field(
        min_length=1, max_length=4, description="bottlenecks of each encoder stage behind the stem"
    )
    transformer_blocks: int = Field(ge=0, le=24, description="Swin blocks on the coarsest map")
    num_heads: int = Field(ge=1, description="of their attention; divides the map's channels")
    window: int = Field(ge=2, le=16, description="edge of their windows on that map")
    pretrained: str | None = Field(
        description="safetensors file of a ResNet-50 (torchvision's names); null = random start"
    )


class ModelParams(Section):
    """Which network, and its size."""

    network: Literal["xlstm_unet", "reversible", "swtr", "monai_unet", "segresnet", "swinunetr"] = (
        Field(description="the papers' three, or a peer from MONAI")
    )
    dims: Literal[2, 3] = Field(description="3 = volumes, 2 = slices across the coarsest axis")
    base_channels: int = Field(ge=4, le=128, description="width of the finest stage")
    max_channels: int = Field(ge=8, le=1024, description="a stage is at most so wide (U-Nets)")
    max_stages: int | None = Field(
        ge=2, le=8, description="resolutions; null = as many as the patch allows"
    )
    xlstm: XLSTMParams
    reversible: ReversibleParams
    swtr: SWTRParams


class SegmentationTrainParams(TrainParams):
    """The engine's keys and our own."""

    optimizer: Literal["adamw", "sgd"] = Field(
        description="adamw = one cycle of the rate; sgd = Nesterov 0.99, polynomial decay (nnU-Net)"
    )
    weight_decay: float = Field(ge=0, description="per step relative to lr")
    patches_per_case: int = Field(ge=1, description="patches of a case in an epoch")
    foreground_share: float = Field(
        ge=0, le=1, description="share of patches that are centred on a labelled voxel"
    )
    spatial_share: float = Field(
        ge=0, le=1, description="share of patches that are turned, scaled and bent"
    )
    intensity_share: float = Field(
        ge=0, le=1, description="share of patches whose contrast changes and that get noise"
    )


class Params(DomainParams):
    """The block of ``params.yaml``."""

    ingest: IngestParams
    model: ModelParams
    train: SegmentationTrainParams
    evaluate: EvaluateParams
