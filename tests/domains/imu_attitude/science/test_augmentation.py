"""Each augmentation keeps the truth: a filter is as good on the new recording as on the old."""

import numpy as np
import pytest

from domains.imu_attitude.science import augmentation
from domains.imu_attitude.science import quaternions as Q
from domains.imu_attitude.science.filters import offline_vqf
from domains.imu_attitude.sources.simulator import simulate_trial


@pytest.fixture(scope="module")
def recording():
    return simulate_trial(2, "slow_rotation", "simulated B", 40.0, seed=3)


def error_deg(recording):
    attitude = offline_vqf(recording.gyr, recording.acc, recording.rate_hz)
    error = Q.inclination_error(attitude, recording.reference)
    return np.rad2deg(Q.rms_over_movement(error, recording.moving))


def test_mirrored_and_remounted_recordings_are_as_easy(recording):
    rng = np.random.default_rng(0)
    before = error_deg(recording)
    assert error_deg(augmentation.mirrored(recording)) == pytest.approx(before, abs=0.02)
    remounted = augmentation.remounted(recording, rng, 0.0, 0.0)
    assert error_deg(remounted) == pytest.approx(before, abs=0.05)


def test_thinning_keeps_at_least_80_hz(recording):
    assert augmentation.thinned(recording, 3).rate_hz == 100.0
    assert len(augmentation.thinned(recording, 2)) == len(recording) // 2


def test_the_same_seed_gives_the_same_recording(recording):
    one, two = (
        augmentation.augmented(recording, np.random.default_rng(7), 0.005, 0.03) for _ in range(2)
    )
    np.testing.assert_array_equal(one.gyr, two.gyr)
    np.testing.assert_array_equal(one.reference, two.reference)
    assert error_deg(one) < 3.0
