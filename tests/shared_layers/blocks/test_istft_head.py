import numpy as np
import pytest
import torch
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

from shared_layers.blocks.istft_head import ISTFTHead


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def overlap_add(spectrum, window, hop):
    """Inverse STFT of one spectrum (F, T) by inverse FFTs, window and division by its square."""
    size = len(window)
    total = np.zeros((spectrum.shape[1] - 1) * hop + size)
    weight = np.zeros_like(total)
    for t in range(spectrum.shape[1]):
        total[t * hop : t * hop + size] += np.fft.irfft(spectrum[:, t], size) * window
        weight[t * hop : t * hop + size] += window**2
    return (total[size // 2 : -(size // 2)]) / weight[size // 2 : -(size // 2)]


def test_synthesis_inverts_the_transform_of_scipy():
    signal = np.random.default_rng(0).standard_normal(128)
    transform = ShortTimeFFT(hann(32, sym=False), 8, fs=1, phase_shift=None)
    spectrum = transform.stft(np.pad(signal, 16, mode="reflect"), p0=2, p1=19)
    # SciPy's slice p is centred at sample 8p: with half a frame of margin slice 2 is at sample 0
    spectrum = torch.from_numpy(spectrum).unsqueeze(0)
    head = ISTFTHead(1, 32, 8, dtype=torch.double)
    restored = head.synthesize(spectrum.abs().log(), spectrum.angle())
    assert restored.shape == (1, 128)
    np.testing.assert_allclose(restored[0].numpy(), signal, atol=1e-12)


def test_synthesis_inverts_the_transform_of_torch():
    head = ISTFTHead(1, 16, 4)
    signal = torch.randn(2, 64)
    spectrum = torch.stft(signal, 16, 4, window=head.window, return_complex=True)
    restored = head.synthesize(spectrum.abs().log(), spectrum.angle() + 6 * torch.pi)
    torch.testing.assert_close(restored, signal, atol=1e-5, rtol=1e-5)


def test_forward_equals_convolution_and_overlap_add():
    head = ISTFTHead(3, 16, 4, kernel_size=5, dtype=torch.double)
    x = torch.randn(1, 3, 6, dtype=torch.double)
    mirrored = torch.cat((x[:, :, 1:2], x), 2)
    predicted = torch.nn.functional.conv1d(mirrored, head.conv.weight, head.conv.bias, padding=2)
    magnitude, phase = predicted[0, :9].detach().exp(), predicted[0, 9:].detach()
    spectrum = (magnitude * torch.exp(1j * phase)).numpy()
    expected = overlap_add(spectrum, hann(16, sym=False), 4)
    np.testing.assert_allclose(head(x)[0].detach().numpy(), expected, atol=1e-12)


@pytest.mark.parametrize(("fft_size", "hop", "frames"), [(16, 4, 10), (16, 8, 2), (1024, 256, 5)])
def test_every_frame_gives_one_hop_of_samples(fft_size, hop, frames):
    assert ISTFTHead(2, fft_size, hop)(torch.zeros(1, 2, frames)).shape == (1, frames * hop)


def test_half_precision_features_give_a_float32_waveform():
    head, x = ISTFTHead(3), torch.randn(1, 3, 6)
    with torch.autocast("cpu", torch.bfloat16):
        assert head(x).dtype == torch.float32
    assert (head.bfloat16()(x.bfloat16()) - ISTFTHead(3)(x)).dtype == torch.float32


def test_magnitude_is_bounded():
    head = ISTFTHead(1, 8, 2, max_magnitude=10.0)
    wild = head.synthesize(torch.full((1, 5, 6), 1e4), torch.zeros(1, 5, 6))
    bound = head.synthesize(torch.full((1, 5, 6), np.log(10.0)), torch.zeros(1, 5, 6))
    torch.testing.assert_close(wild, bound)


def test_state_dict_holds_weights_only():
    assert set(ISTFTHead(2).state_dict()) == {"conv.weight", "conv.bias"}


@pytest.mark.parametrize(
    ("arguments", "keywords", "message"),
    [
        ((2, 15), {}, "fft_size=15"),
        ((2, 16, 9), {}, "hop_length=9: expected at most fft_size/2=8"),
        ((2, 16, 0), {}, "hop_length=0"),
        ((2,), {"kernel_size": 4}, "kernel_size=4"),
        ((2,), {"max_magnitude": 0.0}, r"max_magnitude=0\.0"),
    ],
)
def test_bad_arguments_are_named(arguments, keywords, message):
    with pytest.raises(ValueError, match=message):
        ISTFTHead(*arguments, **keywords)


def test_bad_inputs_are_named():
    with pytest.raises(ValueError, match=r"\(1, 3, 5\): expected \(B, 2, S1\)"):
        ISTFTHead(2)(torch.zeros(1, 3, 5))
    with pytest.raises(ValueError, match="expected at least 2 frames"):
        ISTFTHead(2)(torch.zeros(1, 2, 1))
