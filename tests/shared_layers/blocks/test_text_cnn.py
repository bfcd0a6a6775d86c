import pytest
import torch

from shared_layers.blocks.text_cnn import TextCNN


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def unfold_reference(layer, words):
    """Windows of one text (T, E), a linear map of each, the maximum over the windows."""
    strongest = []
    for conv, k in zip(layer.convs, layer.kernel_sizes, strict=True):
        padding = torch.zeros(max(k - len(words), 0), words.shape[1], dtype=words.dtype)
        windows = torch.cat((words, padding)).unfold(0, k, 1)  # (windows, E, k)
        response = windows.flatten(1) @ conv.weight.flatten(1).T + conv.bias
        strongest.append(response.relu().amax(0))
    return torch.cat(strongest)


def test_it_equals_unfold_linear_and_maximum():
    layer = TextCNN(4, 3).double()
    texts = torch.randn(2, 9, 4, dtype=torch.double)
    torch.testing.assert_close(
        layer(texts), torch.stack([unfold_reference(layer, t) for t in texts])
    )


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 6, 9])
@pytest.mark.parametrize("filling", [0.0, 50.0, -50.0, float("nan")])
def test_padding_never_wins(length, filling):
    layer = TextCNN(4, 3).double()
    texts = torch.randn(1, 9, 4, dtype=torch.double)
    texts[:, length:] = filling
    mask = torch.arange(9).unsqueeze(0) < length
    expected = unfold_reference(layer, texts[0, :length])
    torch.testing.assert_close(layer(texts, mask)[0], expected)


def test_a_large_bias_does_not_let_windows_of_padding_win():
    layer = TextCNN(1, 1, (2,))
    with torch.no_grad():
        layer.convs[0].weight.copy_(torch.tensor([[[-1.0, -1.0]]]))
        layer.convs[0].bias.fill_(10.0)
    texts, mask = torch.ones(1, 6, 1), torch.tensor([[True] * 3 + [False] * 3])
    assert layer(texts, mask).item() == 8.0  # a window of zeros would give 10


def test_an_empty_text_gives_zero():
    layer = TextCNN(4, 3)
    mask = torch.tensor([[False] * 5, [True] * 5])
    out = layer(torch.randn(2, 5, 4), mask)
    assert (out[0] == 0).all()
    assert out[1].sum() > 0
    for no_mask in (None, mask[:, :0]):
        assert torch.equal(layer(torch.zeros(2, 0, 4), no_mask), torch.zeros(2, 9))


def test_gradients_agree_with_differences():
    layer = TextCNN(2, 2, (2, 3)).double()
    texts = torch.randn(1, 5, 2, dtype=torch.double, requires_grad=True)
    mask = torch.tensor([[True] * 4 + [False]])
    assert torch.autograd.gradcheck(lambda x: layer(x, mask), texts)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 3), "embedding_dim=0"),
        ((4, 0), "num_filters=0"),
        ((4, 3, ()), r"kernel_sizes=\(\)"),
        ((4, 3, (3, 0)), r"kernel_sizes=\(3, 0\)"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        TextCNN(*arguments)


def test_bad_inputs_are_named():
    layer = TextCNN(4, 3)
    with pytest.raises(ValueError, match=r"\(1, 5, 3\): expected \(B, T, 4\)"):
        layer(torch.zeros(1, 5, 3))
    with pytest.raises(ValueError, match=r"mask of shape \(1, 4\)"):
        layer(torch.zeros(1, 5, 4), torch.ones(1, 4).bool())
    with pytest.raises(ValueError, match="sequence 0 has padding before its real step 1"):
        layer(torch.zeros(1, 2, 4), torch.tensor([[False, True]]))
