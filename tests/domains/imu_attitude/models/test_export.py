"""The exported causal network gives the numbers of the one that was trained."""

import numpy as np
import onnxruntime
import pytest
import torch

from domains.imu_attitude.models.export import STATES, export_onnx


def test_onnx_equals_torch_over_many_steps(task, tmp_path):
    network = task.networks["causal"]
    export_onnx(network, tmp_path / "causal.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "causal.onnx")
    torch.manual_seed(1)
    state = network.initial_state(1)
    memory = [part.numpy() for part in state]
    for x in 0.3 * torch.randn(40, 1, network.num_channels):
        with torch.no_grad():
            expected, state = network.step(x, state)
        inputs = dict(zip(("channels", *STATES), (x.numpy(), *memory), strict=True))
        up, *memory = session.run(None, inputs)
        np.testing.assert_allclose(up, expected.numpy(), atol=1e-6)
    assert np.abs(up).max() > 1e-4


def test_the_offline_network_has_no_step_to_export(task, tmp_path):
    with pytest.raises(ValueError, match="causal"):
        export_onnx(task.networks["offline"], tmp_path / "offline.onnx")
