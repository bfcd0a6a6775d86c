"""The nearest neighbour by sound."""

import numpy as np

from domains.dance_generation.science.dance import load_pairs
from domains.dance_generation.science.nearest import Memory, sound_of


def test_a_song_of_the_memory_is_danced_as_it_was(dataset):
    pairs = load_pairs(dataset, "train")
    memory = Memory.of(pairs)
    pair = pairs[1]
    sound = sound_of(pair.audio, len(pair.root_position), pair.audio_rate_hz, pair.fps)
    found = memory.dance(sound)
    np.testing.assert_allclose(found.root_position, pair.motion.root_position)
    np.testing.assert_allclose(found.rotations, pair.motion.rotations)


def test_a_dance_is_as_long_as_its_song(dataset):
    memory = Memory.of(load_pairs(dataset, "train"))
    sound = memory.sounds[0][:47]
    assert len(memory.dance(sound).root_position) == 47
