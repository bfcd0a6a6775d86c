"""Dataset to batches: pieces of dances at tempi around the song's own, with the song where heard.

Legend: F frames of a pair, T frames of a sequence, S audio samples, D numbers of a pose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from domains.dance_generation.models.step_table import Danced
from domains.dance_generation.science.cycle import cycle_of, passed_beats
from domains.dance_generation.science.dance import Facts, Motion, Pair, load_pairs
from domains.dance_generation.science.rotations import about, heading, to_6d
from domains.errors import DataError
from domains.task import DataModule, one_at_a_time

_VALIDATE_S = 10.0  # s of each validation pair, danced from its first pose on
_SILENCE = 1e-5  # noise of a silence (Yalta et al.)
_SILENT_SHARE = 0.1  # of sequences that begin or end in silence
_NOISE_DB = (None, 10.0, 5.0)  # signal to noise of each third of the sequences (Yalta et al.)


@dataclass(frozen=True)
class Cues:
    """What a dancer is told, frame by frame.

    Args:
        passed: (F,) beats since the beginning of a bar.
        cycle: beats of a step, 8 or 6.
        step: (F,) index of the step to dance.
        audio: (S,) mono; ``None`` for one who does not hear.
    """

    passed: NDArray[np.float64]
    cycle: int
    step: NDArray[np.int64]
    audio: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.passed)


def cues_of(pair: Pair, beats_s: NDArray | None = None, count: NDArray | None = None) -> Cues:
    """The cues of ``pair``; with ``beats_s`` and ``count`` of another grid than its own."""
    beats_s = pair.beats_s if beats_s is None else beats_s
    count = pair.count if count is None else count
    passed = passed_beats(beats_s, count, pair.times_s)
    return Cues(passed, cycle_of(pair.beats_per_bar), pair.step.astype(np.int64), pair.audio)


def pose_vectors(motion: Motion, moving: Sequence[int]) -> NDArray[np.float64]:
    """Poses (F, D) of ``motion`` about its own middle, looking along +z on average.

    A dance is the same wherever it is danced: the mean place on the floor is taken out, and the
    mean heading.
    """
    facing = heading(motion.rotations[:, 0])
    mean = np.arctan2(np.sin(facing).mean(), np.cos(facing).mean())
    back = about("Y", np.asarray(-mean))
    middle = motion.root_position.mean(axis=0) * [1.0, 0.0, 1.0]
    root = (motion.root_position - middle) @ back.T
    turned = motion.rotations[:, list(moving)].copy()
    if 0 in moving:
        turned[:, list(moving).index(0)] = back @ motion.rotations[:, 0]
    return np.concatenate([root, to_6d(turned).reshape(len(root), -1)], -1)


def danced(pair: Pair, moving: Sequence[int]) -> Danced:
    """``pair`` as the table of steps takes it."""
    cues = cues_of(pair)
    return Danced(pose_vectors(pair.motion, moving), cues.passed, cues.cycle, cues.step)


class DanceData(DataModule):
    """Sequences to train on: pieces of pairs, slower or faster than they were.

    Args:
        train: training pairs.
        validate: validation pairs.
        facts: of the dataset.
        moving: joints that move.
        section: section ``train``.
        hears: whether a network needs the sound.
        pauses: whether some sequences begin or end in silence, as Yalta et al. have it; of no use
            to a dancer that does not hear.
    """

    def __init__(
        self,
        train: Sequence[Pair],
        validate: Sequence[Pair],
        facts: Facts,
        moving: Sequence[int],
        section: Mapping[str, Any],
        *,
        hears: bool,
        pauses: bool,
    ) -> None:
        self.pauses = pauses
        self.train, self.validate = train, validate
        self.facts, self.moving, self.hears = facts, moving, hears
        self.length = int(section["sequence_frames"])
        self.tempo_range = float(section["tempo_range"])
        shortest = min(len(pair.root_position) for pair in train)
        if self.length * self.tempo_range + 2 > shortest:
            raise DataError(
                f"dance_generation: train.sequence_frames is {self.length}, at up to "
                f"{self.tempo_range:g} times the tempo, the shortest training dance has {shortest} "
                f"frames; set it to at most {int((shortest - 2) / self.tempo_range)}"
            )
        frames = sum(len(pair.root_position) for pair in train)
        super().__init__(max(len(train), frames // self.length), int(section["batch_size"]))
        self._vectors = [pose_vectors(pair.motion, moving).astype(np.float32) for pair in train]
        self._cues = [cues_of(pair) for pair in train]

    def train_sample(self, index: int, seed: int) -> dict[str, Tensor]:
        """``pose`` (T + 1, D), ``passed``, ``step`` (T + 1,), ``cycle`` (), ``audio`` (S,)."""
        rng = np.random.default_rng(seed)
        pair = index % len(self.train)
        vectors, cues = self._vectors[pair], self._cues[pair]
        rate = self.tempo_range ** rng.uniform(-1.0, 1.0)
        start = rng.uniform(0.0, len(vectors) - 1 - self.length * rate)
        frame = start + rate * np.arange(self.length + 1)
        low = np.minimum(frame.astype(int), len(vectors) - 2)
        share = (frame - low).astype(np.float32)[:, None]
        pose = vectors[low] + share * (vectors[low + 1] - vectors[low])
        passed = np.interp(frame, np.arange(len(vectors)), cues.passed)
        passed = passed - cues.cycle * np.floor(passed[0] / cues.cycle)
        sample = {
            "pose": torch.from_numpy(pose),
            "passed": torch.from_numpy(passed.astype(np.float32)),
            "cycle": torch.tensor(cues.cycle),
            "step": torch.from_numpy(cues.step[low]),
        }
        if self.hears:
            sample["audio"] = torch.from_numpy(self._sound(pair, start, rate, rng))
            if self.pauses and rng.random() < _SILENT_SHARE:
                self._silence(sample, rng)
        return sample

    def _sound(
        self, index: int, start: float, rate: float, rng: np.random.Generator
    ) -> NDArray[np.float32]:
        """The song under the sequence, played at ``rate`` (pitch and all), clean or with noise."""
        audio, per_frame = self.train[index].audio, self.facts.audio_rate_hz / self.facts.fps
        num = int((self.length + 1) * per_frame)
        at = start * per_frame + rate * np.arange(num)
        heard = np.interp(at, np.arange(len(audio)), audio)
        level_db = _NOISE_DB[int(rng.integers(len(_NOISE_DB)))]
        if level_db is not None:
            power = float(np.mean(heard**2)) * 10 ** (-level_db / 10)
            heard = heard + rng.normal(0.0, np.sqrt(power), num)
        return heard.astype(np.float32)

    def _silence(self, sample: dict[str, Tensor], rng: np.random.Generator) -> None:
        """Let the sequence begin or end in silence, the dancer holding the pose, in place."""
        cut = int(rng.integers(1, self.length))
        sample_at = int(cut * self.facts.audio_rate_hz / self.facts.fps)
        begins = bool(rng.random() < 0.5)
        frames, sound = (
            (slice(0, cut), slice(0, sample_at))
            if begins
            else (
                slice(cut, None),
                slice(sample_at, None),
            )
        )
        held = cut if begins else cut - 1
        for key in ("pose", "passed"):
            sample[key][frames] = sample[key][held].clone()
        noise = rng.normal(0.0, _SILENCE, len(sample["audio"][sound]))
        sample["audio"][sound] = torch.from_numpy(noise.astype(np.float32))

    def val_dataloader(self) -> DataLoader:
        """The first seconds of all validation pairs, one batch, as ``train_sample`` has them."""
        shortest = min(len(pair.root_position) for pair in self.validate)
        num = min(shortest, round(_VALIDATE_S * self.facts.fps))
        samples = int(num * self.facts.audio_rate_hz / self.facts.fps)
        cues = [cues_of(pair) for pair in self.validate]
        poses = [pose_vectors(pair.motion, self.moving)[:num] for pair in self.validate]
        batch = {
            "pose": np.stack(poses).astype(np.float32),
            "passed": np.stack([one.passed[:num] for one in cues]).astype(np.float32),
            "step": np.stack([one.step[:num] for one in cues]),
            "cycle": np.array([one.cycle for one in cues]),
            "audio": np.stack([pair.audio[:samples] for pair in self.validate]),
        }
        return one_at_a_time([{key: torch.from_numpy(value) for key, value in batch.items()}])


def load_dances(dataset: Path | str) -> tuple[Facts, dict[str, list[Pair]]]:
    """Facts, and the pairs of training and validation.

    A validation pair whose step nobody trained on says nothing; without any that does, those of
    training choose the weights.

    Raises:
        DataError: nothing to train on.
    """
    facts = Facts.load(Path(dataset))
    pairs = {split: load_pairs(dataset, split) for split in ("train", "validate")}
    if not pairs["train"]:
        raise DataError(f"{dataset}: no training pair; run the ingest step of dance_generation")
    known = {step for pair in pairs["train"] for step in pair.step.tolist()}
    usable = [pair for pair in pairs["validate"] if set(pair.step.tolist()) <= known]
    pairs["validate"] = usable or pairs["train"]
    return facts, pairs
