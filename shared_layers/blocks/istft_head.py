"""A waveform from features by predicted spectrum and inverse short-time Fourier transform.

Kaneko, Tanaka, Kameoka, Seki, "iSTFTNet: Fast and Lightweight Mel-Spectrogram Vocoder
Incorporating Inverse Short-Time Fourier Transform", 2022, arXiv:2203.02395:

    (m, p) = conv(x),   S = eᵐ·(cos p + i sin p),   y = iSTFT(S)

so that the last upsampling by `hop_length` costs one convolution at the frame rate. Differs: the
phase p is any real number, as in Siuzdak, "Vocos", 2023, arXiv:2306.00814 (the official iSTFTNet
code passes sin(·) as the phase itself, which reaches ±1 radian only); the magnitude is bounded.
"""

# B batch, C channel, T frames, F = fft_size/2 + 1 frequencies, L = T·hop_length samples

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from shared_layers.conv.arguments import check_feature_map, check_positive


class ISTFTHead(nn.Module):
    """Predicts magnitude and phase of each frame and returns the waveform they stand for.

    Args:
        in_channels: channels C of the features.
        fft_size: samples of one frame, even (16 in the paper's best trade-off).
        hop_length: samples from frame to frame, at most fft_size // 2 so that frames overlap.
        kernel_size: odd size of the convolution over frames.
        max_magnitude: upper bound of a frequency's magnitude, against overflow of the exponential.

    Shape:
        - input: (B, C, T), T ≥ 2
        - output: (B, T·hop_length), in float32 if the features are half precision

    Raises:
        ValueError: an odd fft_size, a hop_length that leaves gaps, an even kernel, max_magnitude
            not positive, an input of another rank or width.

    Example:
        >>> ISTFTHead(8, 16, 4)(torch.zeros(2, 8, 10)).shape
        torch.Size([2, 40])
    """

    window: Tensor

    def __init__(
        self,
        in_channels: int,
        fft_size: int = 16,
        hop_length: int = 4,
        *,
        kernel_size: int = 7,
        max_magnitude: float = 100.0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_positive(in_channels=in_channels, fft_size=fft_size, hop_length=hop_length)
        if fft_size % 2:
            raise ValueError(f"fft_size={fft_size}: expected an even integer")
        if hop_length > fft_size // 2:
            raise ValueError(
                f"hop_length={hop_length}: expected at most fft_size/2={fft_size // 2}"
            )
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"kernel_size={kernel_size}: expected an odd positive integer")
        if max_magnitude <= 0:
            raise ValueError(f"max_magnitude={max_magnitude}: expected a positive number")
        self.in_channels, self.fft_size, self.hop_length = in_channels, fft_size, hop_length
        self.max_log_magnitude = math.log(max_magnitude)
        self.conv = nn.Conv1d(
            in_channels,
            fft_size + 2,
            kernel_size,
            padding=kernel_size // 2,
            device=device,
            dtype=dtype,
        )
        window = torch.hann_window(fft_size, device=device, dtype=dtype)
        self.register_buffer("window", window, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        check_feature_map(x, self.in_channels, 1, self.conv.weight.dtype)
        if x.shape[2] < 2:
            raise ValueError(f"input is {tuple(x.shape)}: expected at least 2 frames")
        # one mirrored frame more: T + 1 centred frames span exactly T·hop_length samples
        spectrum = self.conv(F.pad(x, (1, 0), mode="reflect"))
        return self.synthesize(*spectrum.chunk(2, dim=1))

    def synthesize(self, log_magnitude: Tensor, phase: Tensor) -> Tensor:
        """Return the waveform (B, (T − 1)·hop_length) of a spectrum.

        Args:
            log_magnitude: (B, F, T), natural logarithm.
            phase: (B, F, T) in radians, any real number.
        """
        # complex numbers and the FFT have no bfloat16
        half = log_magnitude.dtype in (torch.float16, torch.bfloat16)
        wide = torch.float32 if half else log_magnitude.dtype
        log_magnitude, phase = log_magnitude.to(wide), phase.to(wide)
        magnitude = log_magnitude.clamp_max(self.max_log_magnitude).exp()
        spectrum = torch.complex(magnitude * phase.cos(), magnitude * phase.sin())
        window = self.window.to(wide)
        return torch.istft(spectrum, self.fft_size, self.hop_length, window=window)
