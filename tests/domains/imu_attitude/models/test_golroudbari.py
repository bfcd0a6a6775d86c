"""The paper's networks: sizes by hand, shapes, and the loss's symmetries."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from domains.imu_attitude.models.golroudbari import (
    MODELS,
    WindowNetwork,
    quaternion_loss,
    up_in_sensor_frame,
)


def lstm(inputs, units):
    """Weights of a BiLSTM: four gates, two directions, torch's two biases."""
    return 2 * 4 * (units * (inputs + units) + 2 * units)


def dense(inputs, outputs):
    return inputs * outputs + outputs


# Counted from the authors' model.py by hand, W = 100 samples, pooling to 33.
EXPECTED = {
    "A": 6 * dense(11, 128)
    + dense(768 * 11, 128)
    + dense(128, 256)
    + lstm(6, 128)
    + dense(256, 256)
    + dense(1, 256)
    + dense((33 + 100 + 1) * 256, 4),
    "B": 6 * lstm(1, 50) + dense(100 * 600, 256) + dense(1, 256) + dense(512, 256) + dense(256, 4),
    "C": 2 * (dense(3 * 11, 128) + dense(128 * 11, 128))
    + dense(256 * 11, 128)
    + lstm(6, 128)
    + dense(1, 256)
    + dense(33 * 128 + 100 * 256 + 256, 256)
    + dense(256, 4),
    "D": 2 * lstm(3, 128) + dense(100 * 512, 256) + dense(1, 256) + dense(512, 256) + dense(256, 4),
}


@pytest.mark.parametrize("letter", list("ABCD"))
def test_each_network_has_the_papers_number_of_weights(letter):
    model = MODELS[letter](100, 128)
    assert sum(p.numel() for p in model.parameters()) == EXPECTED[letter]


@pytest.mark.parametrize("letter", list("ABCD"))
def test_each_network_answers_with_a_unit_vertical_and_listens_to_all_inputs(letter):
    torch.manual_seed(0)
    network = WindowNetwork(letter, window=30, units=16).eval()
    acc, gyr, rate = torch.randn(3, 30, 3), torch.randn(3, 30, 3), torch.full((3, 1), 100.0)
    up = network(acc, gyr, rate)
    torch.testing.assert_close(up.norm(dim=-1), torch.ones(3))
    for changed in ((acc + 1, gyr, rate), (acc, gyr + 1, rate), (acc, gyr, rate * 2)):
        assert (network(*changed) - up).abs().max() > 1e-5


@pytest.mark.parametrize("letter", list("ABCD"))
def test_each_network_learns_one_batch_by_heart(letter):
    torch.manual_seed(0)
    network = WindowNetwork(letter, window=9, units=16)
    acc, gyr, rate = torch.randn(6, 9, 3), torch.randn(6, 9, 3), torch.full((6, 1), 100.0)
    true = torch.nn.functional.normalize(torch.randn(6, 3), dim=-1)
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-3)
    for _ in range(80):
        loss = quaternion_loss(network(acc, gyr, rate), true).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    network.eval()
    assert quaternion_loss(network(acc, gyr, rate), true).mean() < 0.08


def test_up_in_the_sensor_frame_is_scipys_and_ignores_heading_and_sign():
    rng = np.random.default_rng(0)
    rotations = Rotation.random(50, rng)
    q = torch.tensor(rotations.as_quat()[:, [3, 0, 1, 2]])
    expected = torch.tensor(rotations.inv().apply([0.0, 0.0, 1.0]))
    torch.testing.assert_close(up_in_sensor_frame(q), expected)
    torch.testing.assert_close(up_in_sensor_frame(-q), expected)
    headed = Rotation.from_euler("z", 1.3) * rotations
    headed = torch.tensor(headed.as_quat()[:, [3, 0, 1, 2]])
    torch.testing.assert_close(up_in_sensor_frame(headed), expected)


def test_the_loss_is_the_papers_for_a_known_angle():
    angle = 0.4
    up = torch.tensor([[0.0, 0.0, 1.0]])
    true = torch.tensor([[np.sin(angle), 0.0, np.cos(angle)]], dtype=torch.float32)
    expected = ((1 - np.cos(angle / 2)) + np.sin(angle / 2)) / 4
    assert quaternion_loss(up, true).item() == pytest.approx(expected, rel=1e-4)
    assert quaternion_loss(true, true).item() == pytest.approx(0.0, abs=1e-6)
    assert torch.isfinite(quaternion_loss(up, -up)).all()
