"""The paper's network: its size, its start, its reach in time."""

import pytest
import torch

from domains.echo_clutter.models.clutter_filter import ClutterFilter, FrameGroupNorm, in_blocks


def randomised(**arguments):
    """A filter that does something: its last layer is drawn, not zero."""
    torch.manual_seed(0)
    network = ClutterFilter(**arguments)
    last = network.last_norm if arguments.get("normalisation") == "batch" else network.last
    torch.nn.init.normal_(last.weight, std=0.3)
    return network.eval()


def clip(frames=6, size=16, batch=1):
    return 255 * torch.rand(batch, frames, size, size, generator=torch.Generator().manual_seed(1))


def test_the_published_size_has_the_published_number_of_weights():
    network = ClutterFilter(normalisation="batch", activation="linear")
    without_bias = sum(gate.theta.weight.shape[0] for gate in network.gates)
    # the gate's θ has no bias of its own here; Keras gives it one
    assert sum(p.numel() for p in network.parameters()) + without_bias == 5_082_774


@pytest.mark.parametrize("normalisation", ["group", "batch"])
def test_it_starts_as_the_identity(normalisation):
    network = ClutterFilter(4, 2, normalisation=normalisation)
    x = clip()
    assert torch.equal(network(x), x)


def test_the_2d_filter_sees_no_other_frame_and_the_3d_filter_does():
    x = clip()
    changed = x.clone()
    changed[:, 3] = 0
    flat, deep = (randomised(width=4, levels=2, kernel_t=kernel, dropout=0) for kernel in (1, 3))
    others = [0, 1, 2, 4, 5]
    assert torch.equal(flat(x)[:, others], flat(changed)[:, others])
    assert not torch.allclose(deep(x)[:, 2], deep(changed)[:, 2])


@pytest.mark.parametrize(("levels", "kernel_t"), [(2, 3), (3, 3), (2, 1)])
def test_a_clip_in_blocks_has_no_seam(levels, kernel_t):
    network = randomised(width=4, levels=levels, kernel_t=kernel_t)
    x = clip(frames=2 * network.reach + 9)
    with torch.no_grad():
        whole = network(x)
        parts = in_blocks(network, x, network.reach, 4)
        narrow = in_blocks(network, x, network.reach // 3, 4)
    assert torch.allclose(parts, whole, atol=1e-3)
    assert kernel_t == 1 or not torch.allclose(narrow, whole, atol=1e-3)


def test_group_normalisation_is_of_each_frame_by_itself():
    layer = FrameGroupNorm(8)
    x = torch.randn(2, 8, 5, 4, 4)
    expected = torch.nn.functional.group_norm(x[:, :, 2], 1)
    assert torch.allclose(layer(x)[:, :, 2], expected, atol=1e-6)


def test_the_published_form_is_linear_but_for_pooling_and_gates():
    """Without levels below there is neither: only the affine first level is left."""
    network = randomised(width=4, levels=1, normalisation="batch", activation="linear", dropout=0.0)
    a, b = clip().double(), clip(batch=1).double().flip(1)
    network = network.double()
    both = network((a + b) / 2)
    assert torch.allclose(both, (network(a) + network(b)) / 2, atol=1e-9)
