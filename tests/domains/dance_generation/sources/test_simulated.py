"""Synthetic songs and the parametric dancer do what they are said to do."""

import numpy as np
import pytest

from domains.dance_generation.science.beat_scores import f_measure
from domains.dance_generation.science.motion_beats import motion_beats
from domains.dance_generation.science.skeleton import joint_positions
from domains.dance_generation.sources.dancer import SKELETON, leg_rotations, perform
from domains.dance_generation.sources.music import KITS, click_track, compose
from domains.dance_generation.sources.steps import STEPS


def test_a_song_has_even_beats_within_the_asked_tempo_and_bars_that_count_on():
    for seed in range(8):
        song = compose("a", (0, seed), 12.0, 16000, (100.0, 110.0))
        gaps = np.diff(song.beats_s)
        assert np.ptp(gaps) < 1e-9
        assert 100.0 <= 60 / gaps[0] <= 110.0
        assert 0 <= song.beats_s[0] < gaps[0]
        assert song.beats_s[-1] > 12.0 - gaps[0] - 1e-9
        assert set(np.diff(song.count)) == {1, 1 - song.beats_per_bar}
        assert np.abs(song.audio).max() == 1.0
        assert len(song.audio) == 192000


def test_the_same_seed_gives_the_same_song_and_every_kit_its_own():
    first, again = (compose("a", (1, 2), 5.0, 16000) for _ in range(2))
    np.testing.assert_array_equal(first.audio, again.audio)
    songs = [compose("a", (1, 2), 5.0, 16000, kits=(kit,)).audio for kit in KITS]
    for n, one in enumerate(songs):
        for other in songs[:n]:
            assert np.corrcoef(one, other)[0, 1] < 0.98


def test_songs_are_louder_on_the_beat_than_a_quarter_of_a_beat_later():
    for seed in range(5):
        song = compose("a", (3, seed), 12.0, 16000)
        power = song.audio.astype(float) ** 2

        def energy(at, power=power):
            return np.mean([power[int(t * 16000) : int(t * 16000) + 800].mean() for t in at])

        beats = song.beats_s[1:-1]
        period = np.diff(song.beats_s)[0]
        assert energy(beats) > 1.3 * energy(beats + 0.25 * period)


def test_a_band_changes_the_sound_and_neither_beats_nor_the_rest_of_the_song():
    for seed in range(4):
        plain, full = (compose("a", (4, seed), 12.0, 16000, band_share=share) for share in (0, 1))
        np.testing.assert_array_equal(full.beats_s, plain.beats_s)
        np.testing.assert_array_equal(full.count, plain.count)
        assert np.corrcoef(full.audio, plain.audio)[0, 1] < 0.98
        assert np.abs(full.audio).max() == 1.0
        again = compose("a", (4, seed), 12.0, 16000, band_share=1)
        np.testing.assert_array_equal(full.audio, again.audio)
    shared = [compose("a", (4, seed), 3.0, 16000, band_share=0.5).audio for seed in range(12)]
    plain = [compose("a", (4, seed), 3.0, 16000).audio for seed in range(12)]
    assert 2 <= sum(np.array_equal(a, b) for a, b in zip(shared, plain, strict=True)) <= 10


def test_a_click_track_clicks_when_it_says():
    audio, beats = click_track(100.0, 0.2, 5.0, 16000)
    np.testing.assert_allclose(np.diff(beats), 0.6)
    starts = np.flatnonzero((np.abs(audio[1:]) > 0) & (np.abs(audio[:-1]) == 0)) / 16000
    assert np.abs(starts[:, None] - beats).min(axis=1).max() < 0.032
    assert np.abs(starts[:, None] - beats).min(axis=0).max() < 0.001


@pytest.mark.parametrize("step", list(STEPS))
@pytest.mark.parametrize("beats_per_bar", [3, 4])
def test_every_step_rests_on_every_beat_and_stands_on_flat_feet(step, beats_per_bar):
    beats = np.arange(0.2, 16.0, 0.45)
    count = np.arange(len(beats)) % beats_per_bar + 1
    dance = perform(beats, count, beats_per_bar, [step], [0], 480, 30.0, (1,))
    places = joint_positions(SKELETON, dance.root_position, dance.rotations)
    assert f_measure(beats, motion_beats(places, 30.0)) > 0.95
    feet = [SKELETON.names.index(f"{side}_foot") for side in ("left", "right")]
    turned = [dance.rotations[:, 0]]
    for joint, parent in enumerate(SKELETON.parents[1:], 1):
        turned.append(turned[parent] @ dance.rotations[:, joint])
    for foot in feet:
        np.testing.assert_allclose(turned[foot], np.tile(np.eye(3), (480, 1, 1)), atol=1e-9)
    heights = places[:, feet, 1]
    assert heights.min() == pytest.approx(0.08, abs=1e-6)
    assert (heights.min(axis=1) < 0.08 + 1e-6).mean() > 0.9  # one foot is down nearly always


def test_steps_follow_one_another_in_the_asked_order():
    beats = np.arange(0.0, 40.0, 0.5)
    dance = perform(beats, np.arange(80) % 4 + 1, 4, list(STEPS), [3, 1], 1200, 30.0, (1,))
    assert set(dance.step) == {1, 3}
    # four times eight beats of half a second each
    assert np.flatnonzero(np.diff(dance.step)).tolist() == [479, 959]


def test_a_leg_reaches_its_ankle_by_the_law_of_cosines():
    hip, ankle = np.array([[0.0, 0.9, 0.0]]), np.array([[0.1, 0.2, 0.2]])
    thigh, shin = leg_rotations(hip, ankle, np.array([[0.0, 0.0, 1.0]]))
    knee = hip + thigh @ [0.0, -0.42, 0.0]
    np.testing.assert_allclose(knee + shin @ [0.0, -0.42, 0.0], ankle, atol=1e-12)
    assert (knee - (hip + ankle) / 2)[0, 2] > 0.1  # the knee bends forwards
    np.testing.assert_allclose(np.linalg.det(thigh), 1.0)
    far = leg_rotations(hip, np.array([[0.0, -3.0, 0.0]]), np.array([[0.0, 0.0, 1.0]]))
    np.testing.assert_allclose(far[0][0] @ [0, -1.0, 0], [0, -1, 0], atol=2e-3)
