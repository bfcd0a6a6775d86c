"""The block ``dance_generation`` of ``params.yaml``: keys, units and ranges."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from domains.params import DomainParams, Section, TrainParams

Number = Annotated[int, Field(ge=1, le=30, description="number of a CMU salsa take")]
Name = Annotated[str, Field(description="name of a file without its ending")]


class SampleParams(Section):
    """The synthetic songs and the parametric dancer of ``source: sample``."""

    seed: int = Field(ge=0, description="of songs and of the dancer's manner")
    duration_s: float = Field(ge=10, le=600, description="length of a song in s")
    train_songs: int = Field(ge=1, le=2000, description="number of songs to train on")
    validate_songs: int = Field(ge=1, le=200, description="... to choose weights on")
    test_songs: int = Field(ge=1, le=200, description="... to score, never seen before")
    tempo_low_bpm: float = Field(ge=60, le=200, description="slowest tempo")
    tempo_high_bpm: float = Field(ge=60, le=200, description="fastest tempo")
    band_share: float = Field(
        ge=0, le=1, description="share of songs with guitars, a lead, fills and a loud master"
    )

    @model_validator(mode="after")
    def _tempi_rise(self) -> SampleParams:
        if self.tempo_low_bpm > self.tempo_high_bpm:
            raise ValueError("tempo_low_bpm is above tempo_high_bpm, expected low ≤ high")
        return self


class PublicParams(Section):
    """CMU salsa takes by number; take n and n + 15 are partners and stay in one split."""

    train_takes: list[Number] = Field(description="takes that teach")
    validate_takes: list[Number] = Field(description="takes that choose the weights")
    test_takes: list[Number] = Field(description="takes that are scored")
    songs: str | None = Field(
        description="folder of music; null = synthetic songs of ingest.sample"
    )
    test_songs: str | None = Field(
        description="folder of music for the test alone, all of it; null = as songs"
    )


class FilesParams(Section):
    """How to read the user's own motions and music, also for ``public.songs``."""

    fps: float | None = Field(ge=5, le=1000, description="true frame rate; null = as files say")
    unit: Literal["m", "cm", "mm", "inch"] = Field(description="of lengths in BVH and NPZ files")
    train_files: list[Name] = Field(description="takes and songs to train on; all empty = by order")
    validate_files: list[Name] = Field(description="... to choose weights on")
    test_files: list[Name] = Field(description="... to score")


class PairingParams(Section):
    """How a take and a song that were not recorded together become a pair."""

    form: Literal["loop", "whole"] = Field(
        description="loop = the take's best eight beats over and over; whole = once from its start"
    )
    songs_per_take: int = Field(ge=1, le=20, description="songs that each take is warped to")
    length_s: float = Field(ge=10, le=3600, description="longest pair in s; songs are cut there")


class IngestParams(Section):
    """Raw motions and music to dataset."""

    fps: float = Field(ge=10, le=120, description="frames per second of the dataset")
    audio_rate_hz: int = Field(
        ge=8000, le=48000, multiple_of=100, description="samples per second of the dataset"
    )
    sample: SampleParams
    public: PublicParams
    files: FilesParams
    pairing: PairingParams


Network = Literal["phase", "audio", "paper_cnn", "paper_residual"]


class PaperParams(Section):
    """The networks of Yalta et al."""

    hidden: int = Field(ge=8, le=2048, description="width of every LSTM; 500 in the paper")
    channels: int = Field(ge=1, le=64, description="of the first convolution; 16 in the paper")
    is_contrastive: bool = Field(description="train with the contrastive cost on weak labels")


class ModelParams(Section):
    """Which network, and its size."""

    network: Network = Field(
        description="phase = driven by the beat grid; audio = by our encoder; paper_... = Yalta's"
    )
    companions: list[Network] = Field(description="trained beside it as baselines")
    hidden: int = Field(ge=8, le=2048, description="width of every LSTM of phase and audio")
    loudness: Literal["frame", "global"] = Field(
        description="of spectra: frame = the paper's (each frame's loudest is 0 dB), or kept"
    )
    paper: PaperParams


class DanceTrainParams(TrainParams):
    """The engine's keys and our own."""

    sequence_frames: int = Field(ge=10, le=5000, description="frames of a training sequence")
    tempo_range: float = Field(
        ge=1, le=1.5, description="sequences are played at up to this factor faster or slower"
    )
    companion_batch: int = Field(ge=1, description="sequences of each batch that companions see")
    weight_decay: float = Field(ge=0, description="of AdamW, per step relative to lr")
    gradient_noise: float = Field(
        ge=0, description="variance added to gradients; 0.01 in the paper"
    )


class PredictParams(Section):
    """What ``predict`` does with a song (``evaluate.predict``)."""

    bpm: float | None = Field(ge=20, le=400, description="tempo; null = tracked")
    offset_s: float | None = Field(ge=0, description="s, any beat; null = tracked")
    beats_per_bar: int = Field(ge=1, le=16, description="the metre, where no file of beats says it")
    beats: str | None = Field(description="file of beats, a time in s per line; null = tracked")
    step: str | None = Field(description="name of the step to dance; null = the best in training")


class EvaluateParams(Section):
    """Scores and output."""

    drift_minutes: float = Field(ge=1, le=60, description="length of the long dance, minutes")
    noise_songs: int = Field(ge=0, description="test songs that are danced to in noise as well")
    predict: PredictParams


class Params(DomainParams):
    """The whole block."""

    ingest: IngestParams
    model: ModelParams
    train: DanceTrainParams
    evaluate: EvaluateParams
