"""What the paper's network hears: power spectra of each video frame.

Legend: S samples, F frames, W sub-frames, N bins.

Yalta et al., arXiv:1807.01126: for each video frame the audio of its 1/30 s, five Hamming windows
of 16 ms every 5 ms, 129 bins of the power spectrum in dB.  The authors set the loudest value of
each frame to 0 dB, which takes away how loud a frame is beside its neighbours, and with it the
beat; ``loudness="global"`` keeps it and measures against full scale instead.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

WINDOW_S, HOP_S = 0.016, 0.005
"""s; 256 and 80 samples at the authors' 16 kHz."""

RANGE_DB = {"frame": (-230.0, 5.0), "global": (-80.0, 0.0)}
"""dB that become −0.9 and +0.9: the authors' range, and 80 dB below a full-scale sine."""

Loudness = Literal["frame", "global"]


def frame_starts(num_frames: int, rate_hz: int, fps: float) -> Tensor:
    """First sample (F,) of each video frame: the whole part of i·rate/fps."""
    return torch.div(
        torch.arange(num_frames, dtype=torch.float64) * rate_hz, fps, rounding_mode="floor"
    ).long()


def frame_length(rate_hz: int, fps: float) -> int:
    """Samples of a video frame, the longest where they differ by one: 534 at 16 kHz and 30 fps."""
    return -int(-rate_hz // fps)


def num_bins(rate_hz: int) -> int:
    """Frequency bins N: 129 at 16 kHz."""
    return round(WINDOW_S * rate_hz) // 2 + 1


def num_sub_frames(rate_hz: int, fps: float) -> int:
    """Windows W that cover a video frame: 5 at 16 kHz and 30 fps."""
    window, hop = round(WINDOW_S * rate_hz), round(HOP_S * rate_hz)
    return 1 + max(0, -(-(frame_length(rate_hz, fps) - window) // hop))


def power_frames(
    audio: Tensor,
    num_frames: int,
    rate_hz: int = 16000,
    fps: float = 30.0,
    loudness: Loudness = "frame",
    first_frame: int = 0,
) -> Tensor:
    """Power spectra (..., F, N, W) in −0.9 … 0.9 of ``audio`` (..., S); zeros follow its end.

    Frame i hears the samples of its own 1/fps s and nothing later, so a stream gives the same.

    Args:
        audio: (..., S) mono, largest magnitude about 1.
        num_frames: F.
        rate_hz: audio samples per second.
        fps: video frames per second.
        loudness: ``frame`` (the authors': the loudest bin of each frame is 0 dB) or ``global``.
        first_frame: number of the first frame in the song, if ``audio`` begins where that does.
    """
    window, hop = round(WINDOW_S * rate_hz), round(HOP_S * rate_hz)
    length = frame_length(rate_hz, fps)
    audio = audio.float()
    starts = frame_starts(first_frame + num_frames, rate_hz, fps)[first_frame:].to(audio.device)
    starts = starts - starts[:1]
    needed = int(starts[-1]) + length if num_frames else 0
    audio = torch.nn.functional.pad(audio, (0, max(0, needed - audio.shape[-1])))
    sample = torch.arange(length, device=audio.device)
    frames = audio[..., starts[:, None] + sample]  # ..., F, length
    padded = (num_sub_frames(rate_hz, fps) - 1) * hop + window
    frames = torch.nn.functional.pad(frames, (0, padded - length))
    taper = torch.hamming_window(window, periodic=False, device=audio.device)
    cut = frames.unfold(-1, window, hop) * taper  # ..., F, W, window
    power = torch.fft.rfft(cut).abs().square() / window
    level = 10.0 * torch.log10(power.clamp(min=1e-30))
    if loudness == "frame":
        level = level - level.amax(dim=(-2, -1), keepdim=True)
    else:
        # a sine of amplitude 1 has the power (½ Σ taper)² / window in its bin
        level = level - 10.0 * torch.log10((0.5 * taper.sum()).square() / window)
    low, high = RANGE_DB[loudness]
    share = ((level - low) / (high - low)).clamp(0.0, 1.0)
    return (1.8 * share - 0.9).transpose(-2, -1)  # ..., F, N, W
