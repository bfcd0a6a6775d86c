"""The causal network as ONNX: one block in, the true vertical out, state passed along.

Legend: C channels of ``science.earth_frame``.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from domains.imu_attitude.models.hybrid import TiltNetwork

STATES = ("inputs", "firsts", "output", "memory")
OPSET = 17


class _Step(nn.Module):
    def __init__(self, network: TiltNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, channels: Tensor, inputs: Tensor, firsts: Tensor, output: Tensor, memory: Tensor
    ) -> tuple[Tensor, ...]:
        up, state = self.network.step(channels, (inputs, firsts, output, memory))
        return (up, *state)


def export_onnx(network: TiltNetwork, path: Path) -> None:
    """Write ``network.step`` with batch 1 to ``path``.

    Inputs ``channels`` (1, C) and the four states, all zero at the start; outputs ``up`` (1, 2)
    and the states for the next call under the names ``next_...``.  The channels are those of
    ``science.earth_frame``, one set per 0.07 s; ``science.tilt`` turns ``up`` into an attitude.

    Args:
        network: of causal mode.
        path: ends in .onnx.
    """
    if network.mode != "causal":
        raise ValueError("only the causal network has a step to export")
    device = network.trust.device
    was_training = network.training
    example = torch.zeros(1, network.num_channels, device=device)
    with warnings.catch_warnings():
        # The exporter with the new graph format needs a package that the suite does without, and
        # the old one warns that it is old and that the LSTM's batch is fixed: it is, to 1
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Step(network).eval(),
            (example, *network.initial_state(1)),
            str(path),
            input_names=["channels", *STATES],
            output_names=["up", *(f"next_{name}" for name in STATES)],
            opset_version=OPSET,
            dynamo=False,
        )
    network.train(was_training)
