import pytest
import torch
from torch import nn

from shared_layers.attention.gate import AttentionGate1d, AttentionGate2d, AttentionGate3d


def test_coefficients_equal_the_formula_at_each_place():
    torch.manual_seed(0)
    gate = AttentionGate2d(4, 3, stride=(1, 2)).double()
    skip = torch.randn(2, 4, 3, 5, dtype=torch.double)
    below = torch.randn(2, 3, 3, 3, dtype=torch.double)
    alpha = gate.coefficients(skip, below)
    padded = nn.functional.pad(skip, (1, 1, 1, 1))
    for y in range(3):
        for x in range(5):
            cell = x // 2  # the strided axis repeats each coarse value
            patch = padded[:, :, y : y + 3, 2 * cell : 2 * cell + 3]
            theta = torch.einsum("bcij,ocij->bo", patch, gate.theta.weight)
            phi = below[:, :, y, cell] @ gate.phi.weight[..., 0, 0].T + gate.phi.bias
            psi = (theta + phi).relu() @ gate.psi.weight[..., 0, 0].T + gate.psi.bias
            torch.testing.assert_close(alpha[:, :, y, x], psi.sigmoid())
    torch.testing.assert_close(gate(skip, below), skip * alpha)


def test_unstrided_time_axis_keeps_its_own_coefficient_per_frame():
    torch.manual_seed(0)
    gate = AttentionGate3d(4, 4, stride=(2, 2, 1))
    alpha = gate.coefficients(torch.randn(1, 4, 6, 4, 5), torch.randn(1, 4, 3, 2, 5))
    assert alpha.shape == (1, 1, 6, 4, 5)
    blocks = alpha[0, 0].unflatten(0, (3, 2)).unflatten(2, (2, 2))
    assert torch.equal(blocks[:, :1, :, :1].expand_as(blocks), blocks)  # space: repeated
    assert (alpha[..., 1:] != alpha[..., :-1]).all()  # time: each frame its own


@pytest.mark.parametrize(
    ("layer", "size"),
    [(AttentionGate1d, (7,)), (AttentionGate2d, (7, 4)), (AttentionGate3d, (5, 4, 3))],
)
def test_sizes_that_the_stride_does_not_divide_are_kept(layer, size):
    gate = layer(4, 6)
    alpha = gate.coefficients(
        torch.randn(2, 4, *size), torch.randn(2, 6, *[-(-n // 2) for n in size])
    )
    assert alpha.shape == (2, 1, *size)
    assert ((alpha > 0) & (alpha < 1)).all()


def test_an_open_gate_is_the_identity_and_a_closed_one_is_zero():
    gate = AttentionGate2d(4, 4)
    skip, below = torch.randn(1, 4, 4, 4), torch.randn(1, 4, 2, 2)
    nn.init.constant_(gate.psi.bias, 200.0)
    torch.testing.assert_close(gate(skip, below), skip)
    nn.init.constant_(gate.psi.bias, -200.0)
    torch.testing.assert_close(gate(skip, below), torch.zeros_like(skip))


def test_gradients_agree_with_differences():
    gate = AttentionGate1d(2, 2).double()
    skip = torch.randn(1, 2, 5, dtype=torch.double, requires_grad=True)
    below = torch.randn(1, 2, 3, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(gate, (skip, below))


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"kernel_size": 2}, r"kernel_size=\(2, 2\)"),
        ({"stride": (2, 2, 1)}, r"stride=\(2, 2, 1\)"),
        ({"stride": 0}, "stride=0"),
        ({"inter_channels": 0}, "inter_channels=0"),
        ({"inter_channels": 2.0}, r"inter_channels=2\.0"),
        ({"gate_channels": 0}, "gate_channels=0: expected an integer >= 1"),
    ],
)
def test_bad_arguments_are_named(keywords, message):
    with pytest.raises(ValueError, match=message):
        AttentionGate2d(**{"skip_channels": 4, "gate_channels": 4, **keywords})


@pytest.mark.parametrize(
    ("skip", "below", "message"),
    [
        (torch.zeros(1, 4, 4), torch.zeros(1, 4, 2), r"skip has shape \(1, 4, 4\)"),
        (torch.zeros(1, 3, 4, 4), torch.zeros(1, 4, 2, 2), r"expected \(B, 4, S1, S2\)"),
        (torch.zeros(1, 4, 5, 4), torch.zeros(1, 4, 2, 2), r"expected \(1, 4, 3, 2\)"),
        (torch.zeros(1, 4, 4, 4), torch.zeros(1, 4, 2, 2).double(), "gate is torch.float64"),
    ],
)
def test_bad_inputs_are_named(skip, below, message):
    with pytest.raises(ValueError, match=message):
        AttentionGate2d(4, 4)(skip, below)
