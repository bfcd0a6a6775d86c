import pytest
import torch
from torch import nn

from shared_layers.norm.batch_channel import BatchChannelNorm, EstimatedBatchNorm

SHAPES = [(4, 6), (4, 6, 9), (3, 6, 5, 4), (2, 6, 3, 4, 5)]


def randomise(layer):
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("is_training", [True, False])
def test_batch_form_is_batch_norm_then_group_norm(shape, is_training):
    ours = BatchChannelNorm(2, 6).train(is_training)
    randomise(ours)
    ours.batch_norm.running_mean.normal_()
    ours.batch_norm.running_var.uniform_(0.5, 2)
    batch = [None, None, nn.BatchNorm1d, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d][len(shape)]
    batch_norm, group_norm = batch(6).train(is_training), nn.GroupNorm(2, 6)
    batch_norm.load_state_dict(ours.batch_norm.state_dict(), strict=False)
    with torch.no_grad():  # the affine map of the groups is per group: the same for 3 channels each
        group_norm.weight.copy_(ours.weight[[0, 0, 0, 1, 1, 1]])
        group_norm.bias.copy_(ours.bias[[0, 0, 0, 1, 1, 1]])
    x = torch.randn(shape) * 2 + 1
    torch.testing.assert_close(ours(x), group_norm(batch_norm(x)), rtol=0, atol=2e-6)
    torch.testing.assert_close(ours.batch_norm.running_mean, batch_norm.running_mean)
    torch.testing.assert_close(ours.batch_norm.running_var, batch_norm.running_var)


@pytest.mark.parametrize("shape", SHAPES)
def test_estimates_follow_the_published_update(shape):
    norm = EstimatedBatchNorm(6, momentum=0.3).double()
    mean, var = torch.zeros(6, dtype=torch.float64), torch.ones(6, dtype=torch.float64)
    for step in range(3):
        x = torch.randn(shape, dtype=torch.float64) * (step + 1) + step
        y = norm(x)
        channels = x.transpose(0, 1).reshape(6, -1)
        deviation = ((channels - mean[:, None]) ** 2).mean(1)  # about the old mean
        mean, var = 0.7 * mean + 0.3 * channels.mean(1), 0.7 * var + 0.3 * deviation
        torch.testing.assert_close(norm.running_mean, mean)
        torch.testing.assert_close(norm.running_var, var)
        along = (6,) + (1,) * (len(shape) - 2)
        torch.testing.assert_close(y, (x - mean.view(along)) / (var.view(along) + 1e-5).sqrt())


def test_estimates_reach_the_moments_of_a_stream_of_single_samples():
    norm = EstimatedBatchNorm(2, momentum=0.05).double()
    mean, deviation = torch.tensor([3.0, -7.0]).double(), torch.tensor([2.0, 0.5]).double()
    for _ in range(400):
        x = torch.randn(1, 2, 16, 16, dtype=torch.float64)
        norm(x * deviation.view(2, 1, 1) + mean.view(2, 1, 1))
    torch.testing.assert_close(norm.running_mean, mean, rtol=0.02, atol=0)
    torch.testing.assert_close(norm.running_var, deviation**2, rtol=0.05, atol=0)


@pytest.mark.parametrize(
    "norm",
    [EstimatedBatchNorm(6, momentum=0), BatchChannelNorm(3, 6, momentum=0, is_estimated=True)],
)
def test_a_sample_trains_alone_as_in_its_batch(norm):
    randomise(norm)
    x = torch.randn(4, 6, 5, 5)
    together = norm.train()(x)
    alone = torch.cat([norm(sample[None]) for sample in x])
    torch.testing.assert_close(alone, together, rtol=0, atol=1e-6)
    assert (norm(x + 1) - together).abs().max() > 0.1 or isinstance(norm, BatchChannelNorm)


def test_estimated_form_is_estimated_norm_then_group_norm():
    norm = BatchChannelNorm(2, 4, momentum=0.2, is_estimated=True)
    randomise(norm)
    alone = EstimatedBatchNorm(4, momentum=0.2)
    alone.load_state_dict(norm.batch_norm.state_dict())
    x = torch.randn(1, 4, 3, 5, 4) + 2
    y = nn.functional.group_norm(alone(x), 2)
    gain, offset = norm.weight[[0, 0, 1, 1]], norm.bias[[0, 0, 1, 1]]
    expected = y * gain.view(4, 1, 1, 1) + offset.view(4, 1, 1, 1)
    torch.testing.assert_close(norm(x), expected, rtol=1e-5, atol=1e-5)


def test_no_gradient_flows_through_the_estimates():
    norm = EstimatedBatchNorm(2).double()
    x = torch.randn(1, 2, 4, dtype=torch.float64, requires_grad=True)
    y = norm(x)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    scale = (norm.running_var + norm.eps).rsqrt()
    torch.testing.assert_close(gradient, scale[None, :, None].expand_as(x))


def test_two_batches_may_pass_before_the_gradient_is_taken():
    norm = EstimatedBatchNorm(2)
    x = torch.randn(1, 2, 4, requires_grad=True)
    scales = []
    total = torch.zeros(())
    for _ in range(2):
        total = total + norm(x).sum()
        scales.append((norm.running_var + norm.eps).rsqrt())
    total.backward()
    torch.testing.assert_close(x.grad, sum(scales)[None, :, None].expand_as(x))


def test_estimates_rest_after_training_and_are_saved():
    norm = BatchChannelNorm(1, 2, is_estimated=True)
    norm(torch.randn(2, 2, 8) + 5)
    norm.eval()
    saved = {name: value.clone() for name, value in norm.state_dict().items()}
    x = torch.randn(2, 2, 8)
    before = norm(x)
    other = BatchChannelNorm(1, 2).eval()  # the batch form reads the same state
    other.load_state_dict(saved)
    assert torch.equal(other(x), before)
    assert saved["batch_norm.running_mean"].min() > 0.3
    assert all(torch.equal(saved[name], value) for name, value in norm.state_dict().items())


def test_affine_maps_are_per_channel_and_per_group():
    norm = BatchChannelNorm(4, 12)
    assert norm.batch_norm.weight is not None
    assert norm.batch_norm.weight.shape == (12,)
    assert norm.weight.shape == norm.bias.shape == (4,)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BatchChannelNorm(4, 6), "num_channels=6: expected a multiple of num_groups=4"),
        (lambda: BatchChannelNorm(0, 6), "num_channels=6: expected a multiple of num_groups=0"),
        (lambda: EstimatedBatchNorm(0), "num_features=0: expected an integer >= 1"),
        (
            lambda: EstimatedBatchNorm(2, momentum=1.5),
            r"momentum=1\.5: expected a rate in \[0, 1\]",
        ),
        (lambda: BatchChannelNorm(1, 2, eps=0), "eps=0: expected a number > 0"),
    ],
)
def test_bad_arguments_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_bad_inputs_are_refused():
    for is_estimated in (True, False):
        norm = BatchChannelNorm(1, 2, is_estimated=is_estimated)
        with pytest.raises(ValueError, match=r"shape \(1, 3, 4\): expected \(B, 2, …\)"):
            norm(torch.zeros(1, 3, 4))
        with pytest.raises(ValueError, match=r"torch\.float64: expected torch\.float32"):
            norm(torch.zeros(1, 2, 4, dtype=torch.float64))
    with pytest.raises(ValueError, match=r"shape \(1, 2, 1\): expected two or more values"):
        norm(torch.zeros(1, 2, 1))
