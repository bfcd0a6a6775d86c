"""Our network: a set of frames in, the same frames less a smooth field out."""

import pytest
import torch

from domains.echo_clutter.models.beat_filter import BeatFilter


@pytest.fixture
def network():
    torch.manual_seed(0)
    network = BeatFilter([4, 8], 2).eval()
    torch.nn.init.normal_(network.last.weight, std=0.1)
    return network


@pytest.fixture
def clip():
    return 255 * torch.rand(2, 6, 16, 16, generator=torch.Generator().manual_seed(1))


def test_it_starts_as_the_identity(clip):
    assert torch.equal(BeatFilter([4, 8], 2)(clip), clip)


def test_the_order_of_frames_does_not_count(network, clip):
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    assert torch.allclose(network(clip[:, order]), network(clip)[:, order], atol=1e-3)


@pytest.mark.parametrize("frames", [1, 5, 12])
def test_the_number_of_frames_does_not_count(network, clip, frames):
    """Of a clip that stands still the statistics are the same however long it is."""
    still = clip[:, :1]
    found = network.field(still.expand(-1, frames, -1, -1))
    assert torch.allclose(found, network.field(still).expand_as(found), atol=1e-4)


def test_every_frame_counts_for_every_other(network, clip):
    changed = clip.clone()
    changed[:, 5] = 0
    assert not torch.allclose(network.field(clip)[:, 0], network.field(changed)[:, 0], atol=1e-4)
    single = BeatFilter([4, 8], 2)(clip[:, :1])
    assert torch.isfinite(single).all()


def test_clips_of_a_batch_do_not_mix(network, clip):
    assert torch.allclose(network(clip)[1:], network(clip[1:]), atol=1e-3)


def test_it_runs_under_autocast_in_bfloat16(network, clip):
    with torch.autocast("cpu", torch.bfloat16):
        found = network(clip)
    assert found.dtype == torch.float32
    assert (found - network(clip)).abs().mean() < 3.0
