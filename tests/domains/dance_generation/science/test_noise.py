"""Noises of a stated strength."""

import numpy as np
import pytest

from domains.dance_generation.science.noise import NOISES, noisy

RATE_HZ = 16000


@pytest.mark.parametrize("kind", NOISES)
def test_the_noise_has_the_stated_power_and_is_the_same_each_time(kind):
    audio = np.sin(2 * np.pi * 300 * np.arange(4 * RATE_HZ) / RATE_HZ)
    found = noisy(audio, kind, 10.0, RATE_HZ, seed=3)
    assert np.abs(found).max() == pytest.approx(1.0)
    # what of the mix goes with the tone, and what does not
    gain = float(found @ audio / (audio @ audio))
    rest = found - gain * audio
    ratio = gain**2 * np.mean(audio**2) / np.mean(rest**2)
    assert 10 * np.log10(ratio) == pytest.approx(10.0, abs=0.3)
    np.testing.assert_array_equal(found, noisy(audio, kind, 10.0, RATE_HZ, seed=3))
    assert not np.array_equal(found, noisy(audio, kind, 10.0, RATE_HZ, seed=4))


def test_claps_come_and_go_and_white_noise_does_not():
    quiet = np.full(4 * RATE_HZ, 1e-3)
    shares = {}
    for kind in ("white", "claps"):
        blocks = np.abs(noisy(quiet, kind, -40.0, RATE_HZ, 0)).reshape(-1, 160).max(axis=1)
        shares[kind] = float(np.mean(blocks < 0.05))
    assert shares["white"] == 0.0
    assert shares["claps"] > 0.5
