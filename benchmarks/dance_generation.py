"""Dancers that the default run does not train: by ear on many songs, and on real salsa; and speed.

    python -m benchmarks.dance_generation [--setup hearing ...] [--songs FOLDER] [--out FILE]

Parameters are those of ``params.yaml`` with ``SETUPS``.  ``FOLDER`` holds recordings with their
beats beside them (``NAME_beats.txt``): each is danced to by every network, and ``salsa`` is scored
on them (with ``CONVOY_MIRROR`` set).  Nobody learns from them.
"""

from __future__ import annotations

import argparse
import copy
import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from numpy.typing import NDArray

from domains.dance_generation.data import Cues
from domains.dance_generation.evaluate import evaluate
from domains.dance_generation.ingest import ingest
from domains.dance_generation.params import Params
from domains.dance_generation.science.beat_grid import librosa_beats, track_beats
from domains.dance_generation.science.beat_scores import f_measure, synchrony
from domains.dance_generation.science.cycle import cycle_of, passed_beats
from domains.dance_generation.sources.songs import Song, read_song
from domains.dance_generation.train import Task, build
from domains.files import write_json
from flows.training import fit

SETUPS: dict[str, dict[str, Any]] = {
    "sample": {},
    "hearing": {
        "ingest.sample": {
            "train_songs": 320,
            "validate_songs": 10,
            "test_songs": 12,
            "band_share": 0.7,
        },
        "model": {"network": "audio", "companions": [], "hidden": 128},
        "train": {"max_steps": 1200, "lr": 0.003, "sequence_frames": 300, "validate_every": 200},
    },
    "salsa": {
        "model": {"companions": [], "hidden": 192},
        "train": {"max_steps": 1600, "lr": 0.003, "validate_every": 200, "patience": 9},
    },
}
"""Name -> section of the domain's block -> what differs from ``params.yaml``."""

SONG_S = 90.0
"""s of each recording."""


def block_of(setup: str, block: Mapping[str, Any], songs: Path | None) -> Params:
    """The parameters of one set-up."""
    changed = copy.deepcopy(dict(block))
    for section, values in SETUPS[setup].items():
        inner = changed
        for key in section.split("."):
            inner = inner[key]
        inner.update(values)
    if setup == "salsa":
        changed["source"] = "public"
        changed["ingest"]["public"]["test_songs"] = str(songs)
    return Params.model_validate(changed)


def run(setup: str, block: Mapping[str, Any], folder: Path, songs: Path | None) -> dict[str, Any]:
    """Metrics of the test, scores on recordings, speed and seconds of one set-up."""
    params = block_of(setup, block, songs)
    sections = params.model_dump(include={"ingest", "model", "train", "evaluate"})
    (folder / "data").mkdir()
    (folder / "figures").mkdir()
    ingest(params.source, folder / "data", **sections)
    begin = time.perf_counter()
    task, data = build(folder / "data", **sections)
    curve = fit(task, data, params.train, folder / "scratch", _ignore, _ignore)
    found = {
        "train_s": round(time.perf_counter() - begin),
        "val_loss": [round(row["val_loss"], 4) for row in curve],
    }
    return found | scores_of(task.eval(), folder, sections, songs)


def scores_of(
    task: Task, folder: Path, sections: Mapping[str, Any], songs: Path | None
) -> dict[str, Any]:
    """Metrics and cases of the test, scores on recordings, and speed of a trained ``task``."""
    result = evaluate(folder / "data", task, folder / "figures", **sections)
    metrics = {
        metric.name: {"ours": metric.value, **metric.baselines, "n": metric.n}
        for metric in result.metrics
    }
    recordings = read_songs(songs, task.facts.audio_rate_hz)
    return {
        "metrics": metrics,
        "cases": json.loads(result.cases.to_json(orient="records")),
        "recordings": {song.name: on_recording(task, song) for song in recordings},
        "times_real_time": times_real_time(task),
    }


def read_songs(folder: Path | None, rate_hz: int) -> list[Song]:
    """The recordings in ``folder``, cut to ``SONG_S``."""
    if folder is None:
        return []
    found = sorted(path for path in folder.iterdir() if path.suffix in (".ogg", ".wav", ".flac"))
    return [read_song(path, rate_hz).cut(SONG_S, rate_hz) for path in found]


def on_recording(task: Task, song: Song) -> dict[str, dict[str, float]]:
    """Scores against the beats beside ``song``: by ear, or on each grid of beats with its own F."""
    rate_hz = task.facts.audio_rate_hz
    if task.dancer().hears:
        return {"by_ear": _scores(task, song, song.beats_s, song.count)}
    grids = {
        "beats_beside": song.beats_s,
        "tracked": track_beats(song.audio, rate_hz).beats_s,
        "librosa": librosa_beats(song.audio, rate_hz),
    }
    found = {}
    for name, beats_s in grids.items():
        count = np.arange(len(beats_s)) % song.beats_per_bar + 1
        own = {"grid_f": f_measure(song.beats_s, beats_s)}
        found[name] = own | _scores(task, song, beats_s, count)
    return found


def _scores(task: Task, song: Song, beats_s: NDArray, count: NDArray) -> dict[str, float]:
    fps = task.facts.fps
    num = int(len(song.audio) / task.facts.audio_rate_hz * fps)
    passed = passed_beats(beats_s, count, np.arange(num) / fps)
    step = np.full(num, task.step_index(None))
    motion = task.dance(Cues(passed, cycle_of(song.beats_per_bar), step, song.audio))
    scores = synchrony(song.beats_s, task.body(motion), fps)
    return {name: value for name, value in scores.items() if not name.startswith("filtered")}


def times_real_time(task: Task, duration_s: float = 60.0) -> dict[str, float]:
    """Seconds of dance per second of one CPU thread: whole, and in chunks of 0.1 s."""
    rate_hz, fps = task.facts.audio_rate_hz, task.facts.fps
    audio = np.random.default_rng(0).normal(0.0, 0.1, int(duration_s * rate_hz)).astype(np.float32)
    passed = 2.0 * np.arange(int(duration_s * fps)) / fps
    cues = Cues(passed, 8, np.full(len(passed), task.step_index(None)), audio)

    def stream() -> None:
        dance = task.stream()
        for chunk in np.array_split(audio, round(10 * duration_s)):
            dance.update(chunk)
        dance.finish()

    ways: dict[str, Callable[[], Any]] = {"whole": lambda: task.dance(cues), "stream": stream}
    return {name: round(duration_s / _fastest(way), 1) for name, way in ways.items()}


def _fastest(way: Callable[[], Any], tries: int = 3) -> float:
    seconds = []
    for _ in range(tries):
        begin = time.perf_counter()
        way()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def _ignore(*_: Any) -> None:
    """Nobody watches."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the set-ups asked for, one after the other, and write their table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--setup", action="append", choices=SETUPS, help="all by default")
    parser.add_argument("--songs", type=Path, help="recordings with their beats beside them")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--out", type=Path, help="JSON; other set-ups found there are kept")
    options = parser.parse_args(arguments)
    setups = options.setup or [name for name in SETUPS if name != "salsa" or options.songs]
    if "salsa" in setups and options.songs is None:
        parser.error("salsa is scored on recordings; name their folder with --songs")
    torch.set_num_threads(1)
    block = yaml.safe_load(options.params.read_text())["dance_generation"]
    found = {}
    if options.out and options.out.is_file():
        found = json.loads(options.out.read_text())
    for setup in setups:
        with tempfile.TemporaryDirectory() as folder:
            found[setup] = run(setup, block, Path(folder), options.songs)
        print(setup, json.dumps(found[setup], indent=1), flush=True)
        if options.out:
            write_json(options.out, found)


if __name__ == "__main__":
    main()
