"""A forced Triton form that cannot run says why."""

import pytest
import torch

from shared_layers import causal_depthwise_conv1d, depthwise_conv, mlstm_chunkwise, use_kernels
from shared_layers.ops import triton_state


def test_forcing_triton_without_it_is_an_error_and_not_a_silent_fallback(monkeypatch):
    monkeypatch.setattr(triton_state, "state", lambda: "triton is not installed")
    tensors = [torch.ones(1, 1, 16, 16)] * 3 + [torch.ones(1, 1, 16)] * 2
    with use_kernels("triton"):
        with pytest.raises(ValueError, match="triton is not installed"):
            depthwise_conv(torch.ones(1, 1, 9), torch.ones(1, 1, 3))
        with pytest.raises(ValueError, match="triton is not installed"):
            mlstm_chunkwise(*tensors)


def test_kernels_without_a_triton_form_refuse_the_mode():
    with use_kernels("triton"), pytest.raises(ValueError, match="no Triton form"):
        causal_depthwise_conv1d(torch.ones(1, 3, 2), torch.ones(2, 2))


def test_a_tensor_on_the_processor_is_refused_where_a_gpu_is_there(monkeypatch):
    monkeypatch.setattr(triton_state, "state", lambda: "live")
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    with pytest.raises(ValueError, match="x is on cpu; the Triton form takes a CUDA tensor"):
        triton_state.require(torch.ones(1))
