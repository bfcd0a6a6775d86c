import pytest
import torch
from torch import nn

from shared_layers.recurrent.conv_stack import MaskedConvStack


def test_it_equals_same_padded_convolutions():
    torch.manual_seed(0)
    stack = MaskedConvStack(2, 3, 5, 2, nn.Mish())
    x = torch.randn(2, 7, 2)
    expected = x.mT
    for conv in stack.convs:
        expected = nn.functional.mish(
            nn.functional.conv1d(expected, conv.weight, conv.bias, padding=2)
        )
    torch.testing.assert_close(stack(x, None), expected.mT)


def test_a_causal_stack_takes_even_kernels_and_sees_the_past_only():
    stack = MaskedConvStack(1, 1, 4, 2, nn.Identity(), causal=True)
    x = torch.randn(1, 10, 1, requires_grad=True)
    stack(x, None)[0, 7].sum().backward()
    assert x.grad[0, :, 0].nonzero().flatten().tolist() == [1, 2, 3, 4, 5, 6, 7]


def test_padding_is_zero_for_every_convolution():
    torch.manual_seed(0)
    stack = MaskedConvStack(2, 3, 3, 2, nn.ReLU())
    x, mask = torch.randn(1, 6, 2), torch.tensor([[True] * 4 + [False] * 2])
    x[:, 4:] = float("nan")
    torch.testing.assert_close(stack(x, mask)[:, :4], stack(x[:, :4], None))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 3, 3, 1), "in_features=0"),
        ((2, 3, 4, 1), "kernel_size=4"),
        ((2, 3, 3, 0), "num_convs=0"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        MaskedConvStack(*arguments, nn.ReLU())


def test_an_input_of_another_width_is_refused():
    with pytest.raises(ValueError, match=r"\(1, 5, 3\): expected \(B, T, 2\)"):
        MaskedConvStack(2, 3, 3, 1, nn.ReLU())(torch.zeros(1, 5, 3), None)
