import pytest
import torch
from torch import nn

from shared_layers.blocks.transformer import TransformerBlock


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def torch_layer(block):
    """torch's own pre-norm encoder layer with the weights of the block."""
    reference = nn.TransformerEncoderLayer(
        8, 2, 32, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    ).double()
    pairs = {
        "self_attn.in_proj_": "qkv.",
        "self_attn.out_proj.": "projection.",
        "linear1.": "mlp.0.",
        "linear2.": "mlp.3.",
        "norm1.": "norm1.",
        "norm2.": "norm2.",
    }
    ours = block.state_dict()
    reference.load_state_dict(
        {t + kind: ours[o + kind] for t, o in pairs.items() for kind in ("weight", "bias")}
    )
    return reference


@pytest.mark.parametrize("causal", [False, True])
def test_it_equals_the_pre_norm_layer_of_torch(causal):
    block = TransformerBlock(8, 2, causal=causal).double()
    x = torch.randn(3, 6, 8, dtype=torch.double)
    mask = nn.Transformer.generate_square_subsequent_mask(6, dtype=torch.double)
    expected = torch_layer(block)(x, src_mask=mask if causal else None)
    torch.testing.assert_close(block(x), expected)


def test_with_a_mask_it_equals_the_pre_norm_layer_of_torch_at_real_tokens():
    block = TransformerBlock(8, 2).double()
    x = torch.randn(2, 6, 8, dtype=torch.double)
    mask = torch.tensor([[True] * 4 + [False] * 2, [True] * 6])
    expected = torch_layer(block)(x, src_key_padding_mask=~mask)
    torch.testing.assert_close(block(x, mask)[mask], expected[mask])


@pytest.mark.parametrize("causal", [False, True])
def test_padding_on_either_side_is_never_seen(causal):
    block = TransformerBlock(8, 2, causal=causal).double()
    x = torch.randn(1, 4, 8, dtype=torch.double)
    padded = torch.cat((torch.randn(1, 2, 8).double(), x, torch.randn(1, 3, 8).double()), 1)
    mask = torch.tensor([[False] * 2 + [True] * 4 + [False] * 3])
    out = block(padded, mask)
    torch.testing.assert_close(out[:, 2:6], block(x))
    assert out.isfinite().all()


def test_evaluation_switches_all_dropout_off():
    block = TransformerBlock(8, 2, dropout=0.5, attention_dropout=0.5, drop_path=0.5)
    x = torch.randn(2, 5, 8)
    assert not torch.equal(block(x), block(x))
    still = TransformerBlock(8, 2)
    still.load_state_dict(block.state_dict())
    torch.testing.assert_close(block.eval()(x), still.eval()(x))


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"num_heads": 3}, "dim=8: expected a multiple of num_heads=3"),
        ({"expansion": 0}, "expansion=0"),
        ({"dropout": 1.0}, r"dropout=1\.0"),
        ({"attention_dropout": -0.1}, r"attention_dropout=-0\.1"),
    ],
)
def test_bad_arguments_are_named(keywords, message):
    with pytest.raises(ValueError, match=message):
        TransformerBlock(8, **({"num_heads": 2} | keywords))


def test_bad_inputs_are_named():
    block = TransformerBlock(8, 2)
    with pytest.raises(ValueError, match=r"\(1, 5, 4\): expected \(B, T, 8\)"):
        block(torch.zeros(1, 5, 4))
    with pytest.raises(ValueError, match=r"mask of shape \(1, 4\)"):
        block(torch.zeros(1, 5, 8), torch.ones(1, 4).bool())
    with pytest.raises(ValueError, match=r"torch\.float32: expected \(1, 5\) and torch\.bool"):
        block(torch.zeros(1, 5, 8), torch.ones(1, 5))
