"""Auto-conditioned recurrence: in training the network is fed its own output every few steps.

Li, Zhou, Xiao, He, Huang, Li, "Auto-Conditioned Recurrent Networks for Extended Complex Human
Motion Synthesis", 2017, arXiv:1707.05363 (u true frames and v own frames in turn):

    input_t = x_t  if t mod (u + v) < u  else  ŷ_{t−1},     ŷ_t = head(LSTM(input_t)) ≈ x_{t+1}

Differs: stretches of true frames run through the LSTM in one call, so that v = 0 is exactly (and as
fast as) the open loop; a known signal (music, a control) may be appended to every input; the output
may be a change of the input frame (`residual`).
"""

# B batch, T time, F feature of a frame, K channel of the known signal, H hidden size

from typing import Any

import torch
from torch import Tensor, nn

from shared_layers.conv.arguments import check_dtype, check_positive, check_sequence
from shared_layers.ops.autocast import autocast

State = tuple[Tensor, Tensor]


class AutoConditionedLSTM(nn.Module):
    """Predicts the next frame of a sequence, trained on a mix of true and own frames.

    Args:
        num_features: values F of a frame.
        hidden_size: H of each LSTM layer.
        num_layers: number of LSTM layers.
        truth_length: true frames u ≥ 1 in a row.
        condition_length: own frames v ≥ 0 in a row after them; 0 is the open loop.
        signal_features: channels K of a known signal beside each frame; 0 for none.
        residual: whether the head predicts the change from the input frame.

    Shape:
        - frames: (B, T, F), signal: (B, T, K) if signal_features is set
        - output: (B, T, F), the prediction of frame t + 1 at t

    Raises:
        ValueError: a size below 1, a negative condition_length or signal_features; shapes or dtypes
            that do not fit.

    Example:
        >>> AutoConditionedLSTM(6, 16)(torch.zeros(2, 30, 6)).shape
        torch.Size([2, 30, 6])
    """

    def __init__(
        self,
        num_features: int,
        hidden_size: int,
        *,
        num_layers: int = 3,
        truth_length: int = 5,
        condition_length: int = 5,
        signal_features: int = 0,
        residual: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_positive(
            num_features=num_features,
            hidden_size=hidden_size,
            num_layers=num_layers,
            truth_length=truth_length,
        )
        if condition_length < 0 or signal_features < 0:
            raise ValueError(
                f"condition_length={condition_length}, signal_features={signal_features}: "
                "expected integers >= 0"
            )
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        self.num_features, self.signal_features = num_features, signal_features
        self.truth_length, self.condition_length = truth_length, condition_length
        self.residual = residual
        self.lstm = nn.LSTM(
            num_features + signal_features, hidden_size, num_layers, batch_first=True, **factory
        )
        self.head = nn.Linear(hidden_size, num_features, **factory)

    def is_truth(self, num_steps: int) -> list[bool]:
        """Return for each step whether its input is a true frame (the first always is)."""
        period = self.truth_length + self.condition_length
        return [t % period < self.truth_length for t in range(num_steps)]

    def forward(self, frames: Tensor, signal: Tensor | None = None) -> Tensor:
        self._check(frames, signal, frames.shape[1] if frames.dim() == 3 else 0)
        num_steps, period = frames.shape[1], self.truth_length + self.condition_length
        if self.condition_length == 0:
            period = num_steps
        state: State | None = None
        outputs: list[Tensor] = []
        for start in range(0, num_steps, period):
            true_end = num_steps if self.condition_length == 0 else start + self.truth_length
            stretch = slice(start, min(true_end, num_steps))
            predicted, state = self._run(frames[:, stretch], _part(signal, stretch), state)
            outputs.append(predicted)
            for t in range(stretch.stop, min(start + period, num_steps)):
                predicted, state = self._run(
                    outputs[-1][:, -1:], _part(signal, slice(t, t + 1)), state
                )
                outputs.append(predicted)
        return torch.cat(outputs, dim=1)

    def generate(self, seed: Tensor, num_steps: int, signal: Tensor | None = None) -> Tensor:
        """Return `num_steps` frames that follow the seed, each made from the one before.

        Args:
            seed: (B, T₀, F) true frames, T₀ ≥ 1.
            num_steps: number of frames to make, ≥ 1.
            signal: (B, T₀ + num_steps − 1, K) if signal_features is set.

        Returns:
            (B, num_steps, F)

        Raises:
            ValueError: num_steps below 1, or shapes or dtypes that do not fit.
        """
        check_positive(num_steps=num_steps)
        length = seed.shape[1] if seed.dim() == 3 else 0
        self._check(seed, signal, length + num_steps - 1)
        predicted, state = self._run(seed, _part(signal, slice(0, length)), None)
        frames = [predicted[:, -1:]]
        for t in range(length, length + num_steps - 1):
            predicted, state = self._run(frames[-1], _part(signal, slice(t, t + 1)), state)
            frames.append(predicted)
        return torch.cat(frames, dim=1)

    def _run(
        self, frames: Tensor, signal: Tensor | None, state: State | None
    ) -> tuple[Tensor, State]:
        inputs = frames if signal is None else torch.cat((frames, signal), dim=-1)
        hidden, state = self.lstm(autocast(inputs), state)  # torch does not on a CPU
        change = self.head(hidden)  # (B, steps, F)
        return (frames + change if self.residual else change), state

    def _check(self, frames: Tensor, signal: Tensor | None, num_steps: int) -> None:
        check_sequence(frames, self.num_features, self.head.weight.dtype, "frames")
        if frames.shape[1] < 1:
            raise ValueError(f"frames has shape {tuple(frames.shape)}: expected one step or more")
        expected = (frames.shape[0], num_steps, self.signal_features)
        found = None if signal is None else tuple(signal.shape)
        if found != (expected if self.signal_features else None):
            raise ValueError(
                f"signal of shape {found}: expected {expected if self.signal_features else None}"
            )
        if signal is not None:
            check_dtype(signal, self.head.weight.dtype, "signal")


def _part(signal: Tensor | None, steps: slice) -> Tensor | None:
    return None if signal is None else signal[:, steps]
