"""A forced Triton form that cannot run says why."""

import importlib.util

import pytest
import torch

from shared_layers import (
    causal_depthwise_conv1d,
    config,
    depthwise_conv,
    log_iv,
    mlstm_chunkwise,
    use_kernels,
)
from shared_layers.config import active_mode
from shared_layers.ops import triton_state


def test_forcing_triton_without_it_is_an_error_and_not_a_silent_fallback(monkeypatch):
    monkeypatch.setattr(triton_state, "state", lambda: "triton is not installed")
    tensors = [torch.ones(1, 1, 16, 16)] * 3 + [torch.ones(1, 1, 16)] * 2
    with pytest.raises(ValueError, match="triton is not installed"):
        use_kernels("triton")
    assert active_mode() == "auto"
    # a process that reached the mode elsewhere is told as well
    monkeypatch.setattr(config, "_mode", "triton")
    with pytest.raises(ValueError, match="triton is not installed"):
        depthwise_conv(torch.ones(1, 1, 9), torch.ones(1, 1, 3))
    with pytest.raises(ValueError, match="triton is not installed"):
        mlstm_chunkwise(*tensors)


@pytest.mark.parametrize(
    ("has_triton", "reason"), [(False, "triton is not installed"), (True, "no GPU")]
)
def test_a_mode_that_cannot_run_is_refused_before_it_is_set(monkeypatch, has_triton, reason):
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object() if has_triton else None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with use_kernels("reference"):
        with pytest.raises(ValueError, match=rf'use_kernels\("triton"\): {reason}'):
            use_kernels("triton")
        assert active_mode() == "reference"
    assert active_mode() == "auto"


def test_kernels_without_a_triton_form_run_as_in_auto(monkeypatch):
    monkeypatch.setattr(triton_state, "state", lambda: "live")
    x, weight = torch.randn(1, 30, 2), torch.randn(2, 4)
    expected = causal_depthwise_conv1d(x, weight), log_iv(1.0, x.abs())
    with use_kernels("triton"):
        assert torch.equal(causal_depthwise_conv1d(x, weight), expected[0])
        assert torch.equal(log_iv(1.0, x.abs()), expected[1])


def test_a_tensor_on_the_processor_is_refused_where_a_gpu_is_there(monkeypatch):
    monkeypatch.setattr(triton_state, "state", lambda: "live")
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    with pytest.raises(ValueError, match="x is on cpu; the Triton form takes a CUDA tensor"):
        triton_state.require(torch.ones(1))
