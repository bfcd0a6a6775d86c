"""Pictures that move, and what they show."""

from types import SimpleNamespace

import numpy as np
from PIL import Image

from domains.dance_generation.figures import _frames_of, draw
from domains.dance_generation.models.comparison import long_dances, score
from domains.dance_generation.science.dance import load_pairs
from domains.dance_generation.science.nearest import Memory


def test_the_film_moves_at_half_the_rate_and_the_others_stand(task, dataset, tmp_path):
    memory = Memory.of(load_pairs(dataset, "train"))
    scored = [score(task, pair, memory) for pair in load_pairs(dataset, "test")[:1]]
    figures = draw(tmp_path, task, scored, long_dances(task, scored[0], 1.0))
    files = {figure.file: figure for figure in figures}
    with Image.open(tmp_path / "figures" / "dance.png") as film:
        assert film.n_frames == len(_frames_of(scored[0], 16)[::2])
        assert round(film.info["duration"]) == 67
    for file in set(files) - {"figures/dance.png"}:
        with Image.open(tmp_path / file) as picture:
            assert getattr(picture, "n_frames", 1) == 1
    assert scored[0].pair.song in files["figures/beats.png"].caption


def test_a_song_of_five_beats_is_shown_from_its_first():
    pair = SimpleNamespace(
        count=np.array([1, 2, 3, 4, 1]), beats_s=np.arange(0.2, 2.7, 0.5), fps=30.0
    )
    frames = _frames_of(SimpleNamespace(pair=pair, cues=range(90)), 16)
    np.testing.assert_array_equal(frames, np.arange(6, 66))


def test_a_strip_begins_with_a_bar(task, dataset):
    pair = load_pairs(dataset, "test")[0]
    memory = Memory.of(load_pairs(dataset, "train"))
    one = score(task, pair, memory)
    first = _frames_of(one, 8)[0] / pair.fps
    begins = pair.beats_s[pair.count == 1]
    assert abs(begins - first).min() < 0.02
