"""Linear state-space layer: a recurrence, a convolution and an ODE at once.

Gu, Johnson, Goel, Saab, Dao, Rudra, Ré, "Combining Recurrent, Convolutional, and Continuous-time
Models with Linear State-Space Layers", 2021, arXiv:2110.13985; HiPPO-LegS from Gu, Dao, Ermon,
Rudra, Ré, "HiPPO: Recurrent Memory with Optimal Polynomial Projections", 2020, arXiv:2008.07669:

    x'(t) = A x(t) + B u(t),  y = C x + D u       bilinear step Δ:
    Ā = (I − ΔA/2)⁻¹(I + ΔA/2),  B̄ = (I − ΔA/2)⁻¹ΔB,  x_t = Ā x_{t−1} + B̄ u_t,  K_i = C Āⁱ B̄

Differs from the paper: the kernel K comes from doubling (Ā, Ā², Ā⁴, …: log₂ T products) instead of
the quasi-separable algorithm, which is not stable in floating point (Gu, Goel, Ré, "S4", 2021,
arXiv:2111.00396). All features share A and each has its own Δ; both are fixed (the paper's LSSL-f)
unless `train_state`.
"""

# B batch, T time, H feature, N state, M output channel of a feature

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from shared_layers.conv.arguments import check_features, check_positive, check_sequence
from shared_layers.ops.autocast import autocast_to
from shared_layers.ops.precision import at_least_float32


def hippo_legs(
    size: int, *, device: torch.device | str | None = None, dtype: torch.dtype | None = None
) -> tuple[Tensor, Tensor]:
    """Return HiPPO-LegS A (size, size) and B (size).

    A_nk = −√((2n+1)(2k+1)) below the diagonal, −(n+1) on it, 0 above; B_n = √(2n+1). The state
    holds the Legendre coefficients of the past: e^{tA}B = √(2n+1)·P_n(2e⁻ᵗ − 1)·e⁻ᵗ.

    Raises:
        ValueError: size below 1.
    """
    check_positive(size=size)
    root = (2 * torch.arange(size, device=device, dtype=torch.double) + 1).sqrt()
    order = torch.arange(1, size + 1, device=device, dtype=torch.double)
    matrix = -(root.unsqueeze(1) * root).tril(-1) - torch.diag(order)
    kind = torch.get_default_dtype() if dtype is None else dtype
    return matrix.to(kind), root.to(kind)


class LSSL(nn.Module):
    """Runs each feature of a sequence through its own linear state space, then mixes the features.

    Args:
        dim: number of features H.
        state_size: number of states N of one feature.
        channels: outputs M that one state space gives before the mixing layer.
        step_min, step_max: range of Δ in units of one time step; the features are spread over it
            evenly in log Δ (1/Δ is how many steps a feature remembers).
        train_state: whether A, B and Δ are trained, or buffers.

    Shape:
        - input: (B, T, H)
        - output: (B, T, H)

    Raises:
        ValueError: a size below 1, steps not in 0 < step_min ≤ step_max, an input of another rank,
            width or type, or without a step.

    Example:
        >>> LSSL(4, 8)(torch.zeros(2, 10, 4)).shape
        torch.Size([2, 10, 4])
    """

    A: Tensor
    B: Tensor
    log_step: Tensor

    def __init__(
        self,
        dim: int,
        state_size: int,
        *,
        channels: int = 1,
        step_min: float = 1e-3,
        step_max: float = 1e-1,
        train_state: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_positive(dim=dim, state_size=state_size, channels=channels)
        if not 0 < step_min <= step_max:
            raise ValueError(
                f"step_min={step_min}, step_max={step_max}: expected 0 < step_min <= step_max"
            )
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        self.dim, self.state_size, self.channels = dim, state_size, channels
        matrix, vector = hippo_legs(state_size, **factory)
        log_step = torch.linspace(math.log(step_min), math.log(step_max), dim, **factory)
        for name, value in (("A", matrix), ("B", vector), ("log_step", log_step)):
            if train_state:
                self.register_parameter(name, nn.Parameter(value))
            else:
                self.register_buffer(name, value)
        self.C = nn.Parameter(
            torch.randn(dim, channels, state_size, **factory) / math.sqrt(state_size)
        )
        self.D = nn.Parameter(torch.ones(dim, channels, **factory))
        self.mixing = nn.Linear(dim * channels, dim, **factory)

    def discretize(self) -> tuple[Tensor, Tensor]:
        """Return Ā (H, N, N) and B̄ (H, N) of the bilinear (Tustin) rule, in float32 at least."""
        step, a, b = (at_least_float32(t) for t in (self.log_step.exp(), self.A, self.B))
        half = (step / 2).view(-1, 1, 1) * a  # ΔA/2, (H, N, N)
        identity = torch.eye(self.state_size, device=half.device, dtype=half.dtype)
        drive = step.unsqueeze(-1) * b  # ΔB, (H, N)
        right = torch.cat((identity + half, drive.unsqueeze(-1)), dim=-1)
        # I − ΔA/2 is lower triangular at the start, but a trained A need not be
        solved = torch.linalg.solve(identity - half, right)  # (H, N, N + 1)
        return solved[..., :-1], solved[..., -1]

    def kernel(self, length: int) -> Tensor:
        """Return K_i = C Āⁱ B̄ for i < length, (H, M, length)."""
        # powers of Ā over thousands of steps do not bear bfloat16
        with autocast_to(self.C.device.type, None):
            power, vector = self.discretize()
            krylov = vector.unsqueeze(-1)  # (H, N, i): Āⁱ B̄
            while krylov.shape[-1] < length:
                krylov = torch.cat((krylov, power @ krylov), dim=-1)
                power = power @ power
            return at_least_float32(self.C) @ krylov[..., :length]

    def forward(self, u: Tensor) -> Tensor:
        check_sequence(u, self.dim, self.mixing.weight.dtype)
        length = u.shape[1]
        if length < 1:
            raise ValueError(f"input has shape {tuple(u.shape)}: expected one step or more")
        signal = at_least_float32(u).mT.unsqueeze(2)  # (B, H, 1, T)
        # twice the length: the FFT must not wrap the end onto the beginning
        spectrum = torch.fft.rfft(signal, 2 * length) * torch.fft.rfft(
            self.kernel(length), 2 * length
        )
        y = torch.fft.irfft(spectrum, 2 * length)[..., :length]  # (B, H, M, T)
        y = y + self.D.unsqueeze(-1) * signal
        return self._mix(y.movedim(-1, 1).to(u.dtype))

    def step(self, u: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Advance by one time step.

        Args:
            u: (B, H)
            state: (B, H, N) of the step before, zeros if None.

        Returns:
            output (B, H) and the new state, in float32 at least.

        Raises:
            ValueError: another width or type.
        """
        check_features(u, self.dim, self.mixing.weight.dtype)
        transition, drive = self.discretize()
        if state is None:
            state = drive.new_zeros(*u.shape, self.state_size)
        signal = at_least_float32(u).unsqueeze(-1)
        with autocast_to(u.device.type, None):
            state = torch.einsum("hnk,bhk->bhn", transition, state) + drive * signal
            y = torch.einsum("hmn,bhn->bhm", at_least_float32(self.C), state) + self.D * signal
        return self._mix(y.to(u.dtype)), state

    def _mix(self, y: Tensor) -> Tensor:
        return self.mixing(F.gelu(y.flatten(-2)))  # (…, H, M) -> (…, H)
