"""An untrained hybrid whose last layer is not zero, so that it does correct something."""

import pytest
import torch

from domains.imu_attitude.train import Task

DEVICES = {
    "lab sensor": {"rate_hz": 100.0, "simulated": False},
    "simulated A": {"rate_hz": 50.0, "simulated": True},
}


def make_task(seed: int = 0) -> Task:
    torch.manual_seed(seed)
    config = {"hidden": 12, "dropout": 0.1, "lr": 1e-3, "weight_decay": 0.0, "max_steps": 10}
    return Task("hybrid", DEVICES, **config)


@pytest.fixture
def untrained() -> Task:
    return make_task().eval()


@pytest.fixture
def task() -> Task:
    task = make_task().eval()
    for network in task.networks.values():
        torch.nn.init.normal_(network.head.weight, std=0.5)
        network.trust.fill_(0.8)
    task.latency_s.copy_(torch.tensor([0.004, 0.003]))
    return task
