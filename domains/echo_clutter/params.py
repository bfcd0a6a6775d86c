"""The block ``echo_clutter`` of ``params.yaml``: keys, units and ranges."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from domains.params import DomainParams, Section, TrainParams

SimulatedVendor = Literal["A", "B", "C", "D", "E", "F"]
Names = list[int | str]


class SampleParams(Section):
    """The simulated clips of ``source: sample``; splits share neither subject nor vendor."""

    seed: int = Field(ge=0, description="of anatomies, motions, speckle")
    frames: int = Field(ge=8, le=200, description="frames of a clip, one heart beat")
    train_vendors: list[SimulatedVendor] = Field(min_length=1, description="scanner presets")
    validate_vendors: list[SimulatedVendor] = Field(min_length=1, description="likewise")
    test_vendors: list[SimulatedVendor] = Field(min_length=1, description="likewise")
    train_subjects: int = Field(ge=1, le=200, description="number of clips to train on")
    validate_subjects: int = Field(ge=1, le=200, description="... to choose weights on")
    test_subjects: int = Field(ge=1, le=200, description="... to score, never seen before")


class PublicParams(Section):
    """The authors' clips by vendor; a vendor in two lists is refused."""

    train_vendors: list[str] = Field(description="clips that teach the network")
    validate_vendors: list[str] = Field(description="clips that choose the weights")
    test_vendors: list[str] = Field(description="clips that are scored")
    in_vivo_subjects: list[int] = Field(description="real clips without truth, 1 to 6")


class FilesParams(Section):
    """How to read the user's own clips (DICOM, video, NPZ)."""

    are_clean: bool = Field(
        description="true = take them for free of clutter and add clutter; false = no truth"
    )
    frame_time_ms: float | None = Field(
        gt=0, description="time between frames in ms; null = from the file"
    )
    sector: Literal["auto", "whole"] = Field(
        description="auto = from the region in the file, else detected; whole = all pixels count"
    )
    train_clips: Names = Field(description="file names to train on; three empty lists = by order")
    validate_clips: Names = Field(description="file names to choose weights on")
    test_clips: Names = Field(description="file names to score")


class ClutterParams(Section):
    """Clutter that is added to clean clips: each kind is drawn with its own probability."""

    seed: int = Field(ge=0, description="of the fixed clutter of validation and test clips")
    near_field: float = Field(ge=0, le=1, description="probability of static near-field clutter")
    reverberation: float = Field(ge=0, le=1, description="... of clutter riding with the wall")
    haze: float = Field(ge=0, le=1, description="... of broad, weak haze")


class IngestParams(Section):
    """Raw clips to dataset."""

    size: int = Field(ge=32, le=512, multiple_of=16, description="depth and width in pixels")
    clutter: ClutterParams
    sample: SampleParams
    public: PublicParams
    files: FilesParams


class PredictParams(Section):
    """What ``predict`` writes (``evaluate.predict``)."""

    deidentify: bool = Field(
        description="drop all tags but an allow-list, black out pixels outside the sector"
    )
    side_by_side: bool = Field(
        description="videos alone: input and filtered clip beside each other"
    )


class BeatParams(Section):
    """Our network, which sees each frame against the whole beat."""

    widths: list[int] = Field(
        min_length=2, max_length=4, description="channels at each resolution, multiples of 4"
    )
    scale: Literal[2, 4] = Field(description="pixels of the image for one of the finest resolution")


class PaperParams(Section):
    """The paper's attention-gated U-Net, 3-D or 2-D."""

    width: int = Field(ge=4, le=64, description="channels of the first convolution; 16 published")
    levels: int = Field(ge=2, le=4, description="resolutions; 4 published")
    normalisation: Literal["group", "batch"] = Field(description="batch = published")
    activation: Literal["leaky_relu", "linear"] = Field(description="linear = published")
    dropout: float = Field(ge=0, lt=1, description="share of activations dropped; 0.05 published")


class ModelParams(Section):
    """Which network, and its size."""

    network: Literal["beat", "paper_3d", "paper_2d"] = Field(
        description="beat = ours; paper_3d and paper_2d = Tabassian et al."
    )
    beat: BeatParams
    paper: PaperParams


class ChanceParams(Section):
    """How often each kind of clutter is drawn for a training sample."""

    near_field: float = Field(ge=0, le=1, description="probability of static near-field clutter")
    reverberation: float = Field(ge=0, le=1, description="... of clutter riding with the wall")
    haze: float = Field(ge=0, le=1, description="... of broad, weak haze")


class EchoTrainParams(TrainParams):
    """The engine's keys and our own."""

    weight_decay: float = Field(ge=0, description="of AdamW, per step relative to lr")
    loss: Literal["mae", "mse"] = Field(description="mean absolute or mean square error")
    adversarial_weight: float = Field(
        ge=0, lt=1, description="of the adversarial loss; 0 = no discriminator, 0.001 published"
    )
    frames: int = Field(
        ge=1, le=200, description="of a training sample: spread over the beat, or in a row (paper)"
    )
    gain: float = Field(ge=0, lt=1, description="brightness is changed by up to this share")
    gamma: float = Field(ge=0, le=1, description="log of the contrast curve, standard deviation")
    floor: float = Field(ge=0, lt=1, description="up to this share of the grey scale turns black")
    untouched: float = Field(ge=0, lt=1, description="share of samples without any clutter")
    edge_weight: float = Field(ge=0, description="of the error's differences between neighbours")
    clutter: ChanceParams


class EvaluateParams(Section):
    """What ``evaluate`` scores and draws, and what ``predict`` writes."""

    figure_frames: int = Field(ge=2, le=100, description="frames of the moving picture")
    predict: PredictParams


class Params(DomainParams):
    """The whole block."""

    ingest: IngestParams
    model: ModelParams
    train: EchoTrainParams
    evaluate: EvaluateParams
