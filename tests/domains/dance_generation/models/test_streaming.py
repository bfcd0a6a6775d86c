"""A dance in chunks is the dance in one go."""

import numpy as np
import pytest

from domains.dance_generation.data import Cues
from domains.dance_generation.science.dance import load_pairs
from domains.errors import DataError


@pytest.mark.parametrize("which", ["task", "hearing_task"])
def test_chunks_of_any_size_give_the_whole_dance(which, dataset, request):
    task = request.getfixturevalue(which)
    task.eval()
    audio = load_pairs(dataset, "test")[0].audio[: 3 * 16000 + 77]
    passed = np.arange(91) / 30 * 2.0 - 0.5
    step = np.full(91, task.table.known_steps[0])
    whole = task.dance(Cues(passed, 8, step, audio))
    stream = task.stream(bpm=120.0, offset_s=0.25, step=task.facts.steps[step[0]])
    cuts = np.cumsum([1, 500, 533, 534, 7000, 0, 20000])
    parts = [stream.update(chunk) for chunk in np.split(audio, cuts)]
    parts.append(stream.finish())
    assert len(parts[0].root_position) == 0
    rotations = np.concatenate([part.rotations for part in parts])
    root = np.concatenate([part.root_position for part in parts])
    assert len(root) == len(whole.root_position) == 91
    np.testing.assert_allclose(root, whole.root_position, atol=1e-4)
    np.testing.assert_allclose(rotations, whole.rotations, atol=1e-3)


def test_a_pose_comes_when_the_sound_of_its_frame_is_complete(hearing_task):
    stream = hearing_task.stream()
    assert stream.latency_s == pytest.approx(534 / 16000)
    assert len(stream.update(np.zeros(533)).root_position) == 0
    assert len(stream.update(np.zeros(1)).root_position) == 1
    assert len(stream.update(np.zeros(16000)).root_position) == 30


def test_a_chunk_that_is_no_sound_is_refused(task):
    stream = task.stream()
    with pytest.raises(DataError, match=r"a chunk of sound \(2, 100\), expected \(samples,\)"):
        stream.update(np.zeros((2, 100)))
    with pytest.raises(DataError, match="all finite"):
        stream.update(np.array([0.0, np.nan]))
