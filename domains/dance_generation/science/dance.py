"""One dance to one song, and the dataset folder that holds many.

Legend: S audio samples, F frames of motion, J joints, B beats.

At rest a dataset is ``dataset.json`` (frame rate, audio rate, names of the steps, skeleton) and
one NetCDF file ``pairs/<split>_<name>.nc`` per pair with dimensions ``sample, frame, joint, axis
(x, y, z), component (6-D rotation), beat`` and variables ``audio [1], root_position [m],
rotations [1], step, beats [s], count``; the attributes say song, take, performance, split, metre,
tempo and whether it is simulated.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domains.dance_generation.science import rotations
from domains.dance_generation.science.skeleton import Skeleton, joint_positions
from domains.errors import DataError
from domains.files import write_json

SPLITS = ("train", "validate", "test")

_ENCODING = {"zlib": True, "complevel": 4, "shuffle": True}
_TEXTS = ("name", "song", "take", "performance")


@dataclass(frozen=True)
class Motion:
    """Poses at one frame rate.

    Args:
        root_position: (F, 3) m.
        rotations: (F, J, 3, 3) in the parent's frame.
    """

    root_position: NDArray[np.float64]
    rotations: NDArray[np.float64]

    def positions(self, skeleton: Skeleton) -> NDArray[np.float64]:
        """(F, J, 3) joint positions in m."""
        return joint_positions(skeleton, self.root_position, self.rotations)


@dataclass(frozen=True)
class Pair:
    """A song and a dance to it, from the same instant on.

    Args:
        name: unique in a dataset.
        song: name of the music; a song is in one split only.
        take: name of the motion that was danced or warped.
        performance: who danced together; partners share it, and it is in one split only.
        audio: (S,) mono, at ``audio_rate_hz``, largest magnitude 1.
        root_position: (F, 3) m, y up, at ``fps``.
        rotations: (F, J, 6) of each joint in its parent's frame, ``science.rotations.to_6d``.
        step: (F,) index into the dataset's ``steps``: what is danced.
        beats_s: (B,) s since the start of the audio, rising.
        count: (B,) place of each beat in its bar, from 1.
        beats_per_bar: the metre.
        audio_rate_hz: audio samples per second.
        fps: frames per second.
        is_simulated: whether song or dance come from a simulator.
    """

    name: str
    song: str
    take: str
    performance: str
    audio: NDArray[np.float32]
    root_position: NDArray[np.float32]
    rotations: NDArray[np.float32]
    step: NDArray[np.int16]
    beats_s: NDArray[np.float64]
    count: NDArray[np.int16]
    beats_per_bar: int
    audio_rate_hz: int
    fps: float
    is_simulated: bool

    def __post_init__(self) -> None:
        frames = len(self.root_position)
        ok = self.rotations.shape[::2] == (frames, 6) and len(self.step) == frames
        if not ok or len(self.count) != len(self.beats_s):
            raise ValueError(f"{self.name}: arrays of frames or beats differ in length")

    @property
    def duration_s(self) -> float:
        """Length of the dance in s."""
        return len(self.root_position) / self.fps

    @property
    def tempo_bpm(self) -> float:
        """Beats per minute: 60 over the median beat."""
        return float(60.0 / np.median(np.diff(self.beats_s)))

    @property
    def times_s(self) -> NDArray[np.float64]:
        """(F,) instants of the frames in s since the start of the audio."""
        return np.arange(len(self.root_position)) / self.fps

    @property
    def motion(self) -> Motion:
        """The dance without its music."""
        turned = rotations.from_6d(self.rotations.astype(np.float64))
        return Motion(self.root_position.astype(np.float64), turned)

    def positions(self, skeleton: Skeleton) -> NDArray[np.float64]:
        """(F, J, 3) joint positions in m."""
        return self.motion.positions(skeleton)


@dataclass(frozen=True)
class Facts:
    """What all pairs of a dataset share: ``dataset.json``.

    Args:
        skeleton: of every take.
        steps: names of what ``Pair.step`` counts.
        fps: frames per second.
        audio_rate_hz: audio samples per second.
    """

    skeleton: Skeleton
    steps: tuple[str, ...]
    fps: float
    audio_rate_hz: int

    def to_json(self) -> dict[str, Any]:
        """Plain lists and numbers, for ``dataset.json`` or a model's configuration."""
        return {
            "fps": self.fps,
            "audio_rate_hz": self.audio_rate_hz,
            "steps": list(self.steps),
            "skeleton": self.skeleton.to_json(),
        }

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> Facts:
        """The facts that ``to_json`` wrote."""
        return Facts(
            skeleton=Skeleton.from_json(values["skeleton"]),
            steps=tuple(values["steps"]),
            fps=float(values["fps"]),
            audio_rate_hz=int(values["audio_rate_hz"]),
        )

    def save(self, folder: Path) -> None:
        """Write ``dataset.json``."""
        write_json(Path(folder) / "dataset.json", self.to_json())

    @staticmethod
    def load(folder: Path | str) -> Facts:
        """The facts in ``folder``.

        Raises:
            DataError: no dataset there.
        """
        path = Path(folder) / "dataset.json"
        if not path.is_file():
            raise DataError(f"{path}: no such file; run the ingest step of dance_generation first")
        return Facts.from_json(json.loads(path.read_text()))


def save_pair(folder: Path, pair: Pair, split: str) -> Path:
    """Write ``pair`` to ``folder/pairs`` as NetCDF; the same pair gives the same bytes."""
    import xarray as xr

    variables: dict[str, Any] = {
        "audio": ("sample", pair.audio.astype(np.float32), {"units": "1"}),
        "root_position": (("frame", "axis"), pair.root_position.astype(np.float32), _units("m")),
        "rotations": (
            ("frame", "joint", "component"),
            pair.rotations.astype(np.float32),
            _units("1"),
        ),
        "step": ("frame", pair.step.astype(np.int16), {"long_name": "index into dataset.json"}),
        "beats": ("beat", pair.beats_s.astype(np.float64), _units("s")),
        "count": ("beat", pair.count.astype(np.int16), {"long_name": "place in the bar, from 1"}),
    }
    attributes = {key: getattr(pair, key) for key in _TEXTS} | {
        "split": split,
        "beats_per_bar": int(pair.beats_per_bar),
        "tempo_bpm": pair.tempo_bpm,
        "audio_rate_hz": int(pair.audio_rate_hz),
        "fps": float(pair.fps),
        "simulated": int(pair.is_simulated),
    }
    dataset = xr.Dataset(variables, coords={"axis": ["x", "y", "z"]}, attrs=attributes)
    path = Path(folder) / "pairs" / f"{split}_{pair.name}.nc"
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.to_netcdf(path, engine="h5netcdf", encoding=dict.fromkeys(variables, _ENCODING))
    return path


def _units(unit: str) -> dict[str, str]:
    return {"units": unit}


def load_pair(path: Path) -> Pair:
    """The pair in one NetCDF file that ``save_pair`` wrote."""
    import xarray as xr

    # without decode_times=False xarray takes a variable in "s" for a time span
    with xr.open_dataset(path, engine="h5netcdf", decode_times=False) as dataset:
        return Pair(
            **{key: str(dataset.attrs[key]) for key in _TEXTS},
            audio=dataset["audio"].values,
            root_position=dataset["root_position"].values,
            rotations=dataset["rotations"].values,
            step=dataset["step"].values,
            beats_s=dataset["beats"].values,
            count=dataset["count"].values,
            beats_per_bar=int(dataset.attrs["beats_per_bar"]),
            audio_rate_hz=int(dataset.attrs["audio_rate_hz"]),
            fps=float(dataset.attrs["fps"]),
            is_simulated=bool(dataset.attrs["simulated"]),
        )


def load_pairs(folder: Path | str, split: str) -> list[Pair]:
    """All pairs of one split (train, validate or test), by name; empty where it has none.

    Raises:
        DataError: ``folder`` holds no dataset of this domain.
    """
    pairs = Path(folder) / "pairs"
    if not pairs.is_dir():
        raise DataError(f"{pairs}: no such folder; run the ingest step of dance_generation first")
    if split not in SPLITS:
        raise ValueError(f"split is one of {SPLITS}, not {split!r}")
    return [load_pair(path) for path in sorted(pairs.glob(f"{split}_*.nc"))]


def moving_joints(pairs: Sequence[Pair]) -> NDArray[np.bool_]:
    """(J,) joints whose rotation changes anywhere in ``pairs``; the others (fingers) stand still.

    A network need not learn the constant ones: it copies them from the first pose.
    """
    first = pairs[0].rotations[0]
    changes = [np.abs(pair.rotations - first).max(axis=(0, 2)) for pair in pairs]
    return np.max(changes, axis=0) > 1e-5
