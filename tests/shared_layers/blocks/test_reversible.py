"""Reversible blocks: the same numbers as kept activations, without keeping them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from shared_layers import (
    BatchChannelNorm,
    EstimatedBatchNorm,
    MBConv3d,
    ReversibleBlock,
    ReversibleSequence,
)


def branch(channels=4):
    return MBConv3d(channels, channels, expansion=2, num_groups=2, has_skip=False)


def blocks(count, make=branch):
    torch.manual_seed(0)
    return [ReversibleBlock(make(), make()) for _ in range(count)]


def gradients(module, x, *, seed=3):
    torch.manual_seed(seed)
    leaf = x.clone().requires_grad_()
    y = module(leaf)
    parameters = [p for p in module.parameters() if p.requires_grad]
    return [y, *torch.autograd.grad(y.square().sum(), [leaf, *parameters])]


def close(found, expected, tolerance):
    for a, b in zip(found, expected, strict=True):
        assert (a - b).abs().max() <= tolerance * b.abs().max()


@pytest.mark.parametrize("batch", [1, 3])
def test_values_and_gradients_equal_those_with_kept_activations(batch):
    x = torch.randn(batch, 8, 5, 6, 7, dtype=torch.float64)
    pairs = [block.double() for block in blocks(3)]
    close(gradients(ReversibleSequence(pairs), x), gradients(nn.Sequential(*pairs), x), 1e-9)


def test_the_inverse_recovers_the_input():
    x = torch.randn(2, 8, 5, 5, 5)
    for count, tolerance in ((1, 1e-5), (8, 1e-3)):
        sequence = ReversibleSequence(blocks(count))
        assert (sequence.inverse(sequence(x)) - x).abs().max() < tolerance
    exact = ReversibleSequence(blocks(8)).double()
    assert (exact.inverse(exact(x.double())) - x).abs().max() < 1e-10


def saved_bytes(module, x):
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(
        lambda t: kept.append(t.nbytes) or t, lambda t: t
    ):
        module(x)
    return sum(kept)


def test_bytes_saved_by_autograd_do_not_grow_with_depth():
    x = torch.randn(1, 8, 6, 6, 6, requires_grad=True)
    small, large = (saved_bytes(ReversibleSequence(blocks(n)), x) for n in (1, 6))
    assert small == large == x.nbytes
    assert saved_bytes(nn.Sequential(*blocks(6)), x) > 50 * large


def test_process_peak_does_not_grow_with_depth():
    script = """
import sys, torch
from pathlib import Path
from tests_reversible import blocks
from shared_layers import ReversibleSequence
def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(l.split()[1]) for l in lines if l.startswith("VmHWM")) / 1024
torch.set_num_threads(1)
x = torch.randn(1, 8, 40, 40, 40, requires_grad=True)
result = []
for count in (2, 8):
    ReversibleSequence(blocks(count))(x).sum().backward()
    result.append(peak())
print(*result)
""".replace("tests_reversible", Path(__file__).stem)
    if not Path("/proc/self/status").exists():
        pytest.skip("peak memory is read from /proc")
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": f"{Path(__file__).parent}:{Path(__file__).parents[3]}"},
    )
    shallow, deep = map(float, done.stdout.split())
    # Twelve more branches of eight 2 MB activations; kept, they would take about 200 MB.
    assert deep - shallow < 40


def test_dropout_is_replayed_and_the_global_generator_left_alone():
    def dropping():
        return nn.Sequential(nn.Conv1d(4, 4, 3, padding=1), nn.Dropout(0.5), nn.Tanh())

    pairs = [block.double() for block in blocks(3, dropping)]
    x = torch.randn(2, 8, 20, dtype=torch.float64)
    close(gradients(ReversibleSequence(pairs), x), gradients(nn.Sequential(*pairs), x), 1e-10)

    leaf = x.clone().requires_grad_()
    loss = ReversibleSequence(pairs)(leaf).sum()
    state = torch.get_rng_state()
    loss.backward()
    assert torch.equal(state, torch.get_rng_state())


def test_parameter_hooks_and_accumulation_see_the_gradients():
    sequence = ReversibleSequence(blocks(2))
    weight = next(sequence.parameters())
    seen = []
    weight.register_hook(seen.append)
    x = torch.randn(1, 8, 4, 4, 4, requires_grad=True)
    for _ in range(2):
        sequence(x).sum().backward()
    # Once per step: the replay inside the backward pass must not run them.
    assert len(seen) == 2
    torch.testing.assert_close(weight.grad, seen[0] + seen[1])


def test_a_branch_used_twice_gets_the_sum_of_its_gradients():
    torch.manual_seed(0)
    shared = nn.Conv1d(2, 2, 3, padding=1, dtype=torch.float64)
    pairs = [ReversibleBlock(shared, shared) for _ in range(2)]
    x = torch.randn(1, 4, 9, dtype=torch.float64)
    close(gradients(ReversibleSequence(pairs), x), gradients(nn.Sequential(*pairs), x), 1e-12)


def test_frozen_and_unused_parameters_have_no_gradient():
    class Part(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.unused = nn.Linear(3, 3), nn.Linear(3, 3)

        def forward(self, x):
            return self.used(x)

    block = ReversibleBlock(Part(), Part())
    block.g.used.weight.requires_grad_(False)
    ReversibleSequence([block])(torch.randn(2, 6, requires_grad=True)).sum().backward()
    assert block.f.used.weight.grad is not None
    assert block.f.unused.weight.grad is None
    assert block.g.used.weight.grad is None


def test_the_stream_stays_float32_under_autocast_and_for_half_input():
    sequence = ReversibleSequence(blocks(4))
    x = torch.randn(1, 8, 5, 5, 5)
    with torch.autocast("cpu", torch.bfloat16):
        y = sequence(x.clone().requires_grad_())
        assert y.dtype == torch.float32
        # What bfloat16 branches leave of it; a bfloat16 stream loses it all.
        assert (sequence.inverse(y) - x).abs().max() < 0.1
    half = x.bfloat16().requires_grad_()
    y = sequence.bfloat16()(half)
    assert y.dtype == torch.float32
    y.sum().backward()
    assert half.grad.dtype == torch.bfloat16
    assert torch.isfinite(half.grad).all()


def test_gradients_under_autocast_equal_those_with_kept_activations():
    pairs, x = blocks(2), torch.randn(1, 8, 5, 5, 5)
    with torch.autocast("cpu", torch.bfloat16):
        found = gradients(ReversibleSequence(pairs), x)
        expected = gradients(nn.Sequential(*pairs), x)
    close(found, expected, 0.05)


def test_without_autograd_nothing_is_kept():
    sequence = ReversibleSequence(blocks(2))
    with torch.no_grad():
        assert not sequence(torch.randn(1, 8, 4, 4, 4)).requires_grad


@pytest.mark.parametrize(
    ("norm", "found"),
    [
        (nn.BatchNorm1d(2), "BatchNorm1d"),
        (nn.InstanceNorm1d(2, track_running_stats=True), "InstanceNorm1d"),
        (EstimatedBatchNorm(2), "EstimatedBatchNorm"),
        (BatchChannelNorm(1, 2), "EstimatedBatchNorm"),
        (BatchChannelNorm(1, 2, is_estimated=True), "EstimatedBatchNorm"),
    ],
)
def test_norms_with_batch_or_running_statistics_are_refused(norm, found):
    with pytest.raises(ValueError, match=rf"g holds {found}.*GroupNorm"):
        ReversibleBlock(nn.InstanceNorm1d(2), nn.Sequential(nn.Identity(), norm))


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="blocks is empty"):
        ReversibleSequence([])
    block = ReversibleBlock(nn.Identity(), nn.Identity())
    for module in (block, ReversibleSequence([block])):
        with pytest.raises(ValueError, match=r"\(2, 5\).*C even"):
            module(torch.zeros(2, 5))


@pytest.mark.parametrize(
    ("changing", "shape"), [(nn.Conv1d(4, 1, 1), "(2, 1, 9)"), (nn.AvgPool1d(3), "(2, 4, 3)")]
)
def test_a_branch_that_changes_the_shape_is_refused_with_both_shapes(changing, shape):
    x, same = torch.zeros(2, 8, 9), nn.Identity()
    first, second = ReversibleBlock(changing, same), ReversibleBlock(same, changing)
    for module, name in (
        (first, "f"),
        (second, "g"),
        (ReversibleSequence([first, second]), "blocks.0.f"),
        (ReversibleSequence([ReversibleBlock(same, same), second]), "blocks.1.g"),
    ):
        message = f"{name} maps (2, 4, 9) to {shape}: expected the same shape"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
            module(x)
        with pytest.raises(ValueError, match=re.escape(f"maps (2, 4, 9) to {shape}")):
            module.inverse(x)


def test_a_sequence_takes_reversible_blocks_only():
    block = ReversibleBlock(nn.Identity(), nn.Identity())
    with pytest.raises(ValueError, match=r"blocks\[1\]=Conv1d\(.*expected a ReversibleBlock"):
        ReversibleSequence([block, nn.Conv1d(4, 4, 1)])
    with pytest.raises(ValueError, match=r"(?s)blocks=Rev.*expected a sequence of ReversibleBlock"):
        ReversibleSequence(block)
    with pytest.raises(ValueError, match="f=8: expected a module"):
        ReversibleBlock(8, nn.Identity())
