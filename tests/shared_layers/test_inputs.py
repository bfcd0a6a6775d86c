"""Every public layer refuses an input of another rank, width or type, and repeats what it found."""

import copy
import re

import pytest
import torch
from torch import Tensor

from benchmarks.shared_layers.layer_cases import all_cases

CASES = {case.name: case for case in all_cases()}
# They take any tensor, or hand it to modules of the caller's, which know what they take.
UNKNOWING = {"DropPath", "InceptionResidual", "MultiSampleDropout"}
# They hand halves of their input to such modules; the error names the half.
HALVING = {"ReversibleBlock", "ReversibleSequence"}
WEIGHTLESS = {"ContextualAttention"}  # any width, any type
ANY_RANK = {"BcosLinear", "MultiHeadLayerNorm", "PHLinear"}
# Features last; the other layers have channels second.
SEQUENTIAL = ANY_RANK | {
    "AutoConditionedLSTM", "CausalDepthwiseConv1d", "ConvBiLSTM", "Hopfield", "HopfieldPooling",
    "LSSL", "MLSTMCell", "PositionAwareAttention", "TemporalConvLSTM", "TextCNN",
    "TransformerBlock", "ViLLayer",
}  # fmt: skip


def wrong(name, x):
    """The refused variants of one input, by what is wrong with them."""
    axis = x.dim() - 1 if name in SEQUENTIAL else 1
    variants = {}
    if name not in ANY_RANK:
        variants["rank"] = x.unsqueeze(0)
    if name not in WEIGHTLESS:
        variants["width"] = torch.cat((x, x.narrow(axis, 0, 1)), axis)
        variants["type"] = x.double()
    return variants


def named_inputs():
    for name in sorted(CASES.keys() - UNKNOWING):
        for place, x in enumerate(CASES[name].inputs):
            if isinstance(x, Tensor) and x.is_floating_point():
                for what in wrong(name, x):
                    yield pytest.param(name, place, what, id=f"{name}-{place}-{what}")


@pytest.mark.parametrize(("name", "place", "what"), list(named_inputs()))
def test_a_wrong_input_is_refused_by_what_was_found(name, place, what):
    inputs = list(CASES[name].inputs)
    x = inputs[place] = wrong(name, inputs[place])[what]
    if what == "type":
        found = str(x.dtype)
    elif name in HALVING and what != "width":
        found = str(tuple(x.chunk(2, 1)[0].shape))
    else:
        found = str(tuple(x.shape))
    with torch.no_grad(), pytest.raises(ValueError, match=re.escape(found)):
        CASES[name].layer(*inputs)


@pytest.mark.parametrize(
    "name", ["MBConv2d", "WSConv2d", "SqueezeExcitation2d", "TransformerBlock"]
)
def test_autocast_takes_another_type_and_fullgraph_compiles(name):
    case = CASES[name]
    x = case.inputs[0][..., :8] if name != "TransformerBlock" else case.inputs[0][:1, :8]
    compiled = torch.compile(case.layer, fullgraph=True, backend="eager")
    with torch.no_grad():
        torch.testing.assert_close(compiled(x), case.layer(x))
        with torch.autocast("cpu", torch.bfloat16):
            assert case.layer(x.bfloat16()).shape == x.shape


@pytest.mark.parametrize("name", ["MBConv2d", "TransformerBlock", "TextCNN", "BcosLinear"])
def test_a_type_that_autocast_does_not_cast_is_refused_by_name(name):
    case = CASES[name]
    x = case.inputs[0]
    for wrong_type in (torch.float64, torch.int64):
        with (
            torch.autocast("cpu", torch.bfloat16),
            pytest.raises(ValueError, match=rf"{wrong_type}: expected torch\.float32"),
        ):
            case.layer(x.to(wrong_type))
    with (
        torch.autocast("cpu", torch.bfloat16),
        pytest.raises(ValueError, match=r"torch\.float32: expected torch\.float64"),
    ):
        copy.deepcopy(case.layer).double()(x)


def test_weight_standardised_convolutions_take_one_sample_without_a_batch_as_torch_does():
    layer = CASES["WSConv1d"].layer
    x = torch.randn(2, 64, 9)
    torch.testing.assert_close(layer(x[0]), layer(x)[0])
    with pytest.raises(ValueError, match=r"\(63, 9\): expected \(B, 64, S1\)"):
        layer(torch.zeros(63, 9))


# The first reads its mask; torch.istft reads its window.
META = sorted(CASES.keys() - {"ContextualAttention", "ISTFTHead"})


@pytest.mark.parametrize("name", META)
def test_shapes_are_known_without_values(name):
    meta = [x.to("meta") if isinstance(x, Tensor) else x for x in CASES[name].inputs]
    out = copy.deepcopy(CASES[name].layer).to("meta").eval()(*meta)
    assert (out if isinstance(out, Tensor) else out[0]).is_meta
