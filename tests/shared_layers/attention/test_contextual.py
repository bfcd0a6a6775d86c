import itertools

import numpy as np
import pytest
import torch

from shared_layers.attention.contextual import ContextualAttention


def square_hole(batch, size, rows, columns):
    hole = torch.zeros(batch, 1, *size, dtype=torch.bool)
    hole[:, :, rows[0] : rows[1], columns[0] : columns[1]] = True
    return hole


def loop_reference(features, hole, k, sharpness):
    """The same filling with NumPy loops over positions and patches, one sample."""
    height, width = features.shape[1:]
    m = k // 2
    padded = np.pad(features, ((0, 0), (m, m), (m, m)), mode="reflect")
    places = list(itertools.product(range(height), range(width)))
    patch = {(y, x): padded[:, y : y + k, x : x + k] for y, x in places}
    sources = [
        (y, x)
        for y, x in places
        if m <= y < height - m
        and m <= x < width - m
        and not hole[y - m : y + m + 1, x - m : x + m + 1].any()
    ]
    total, count = np.zeros_like(padded), np.zeros_like(padded)
    for y, x in places:
        d = np.array([((patch[y, x] - patch[s]) ** 2).sum() for s in sources])
        score = np.exp(-sharpness * np.tanh((d - d.mean()) / d.std()))
        paste = sum(w * patch[s] for w, s in zip(score / score.sum(), sources, strict=True))
        total[:, y : y + k, x : x + k] += paste
        count[:, y : y + k, x : x + k] += 1
    inside = (slice(None), slice(m, m + height), slice(m, m + width))
    return np.where(hole, total[inside] / count[inside], features)


@pytest.mark.parametrize("k", [1, 3])
def test_filling_equals_a_loop_over_positions_and_patches(k):
    torch.manual_seed(0)
    features = torch.randn(2, 3, 6, 7, dtype=torch.double)
    hole = square_hole(2, (6, 7), (4, 6), (0, 2))
    hole[1] = square_hole(1, (6, 7), (0, 1), (5, 7))[0]
    filled = ContextualAttention(k, sharpness=5.0)(features, hole)
    for sample in range(2):
        expected = loop_reference(features[sample].numpy(), hole[sample, 0].numpy(), k, 5.0)
        np.testing.assert_allclose(filled[sample].numpy(), expected, atol=1e-12)


def test_rows_sum_to_one_and_hole_pixels_are_never_a_source():
    torch.manual_seed(0)
    features, hole = (
        torch.randn(1, 2, 8, 8, dtype=torch.double),
        square_hole(1, (8, 8), (2, 5), (3, 5)),
    )
    weights = ContextualAttention().attention(features, hole)
    torch.testing.assert_close(weights.sum(-1), torch.ones(1, 64, dtype=torch.double))
    touches = torch.zeros(8, 8, dtype=torch.bool)
    touches[1:6, 2:6] = True  # a 3×3 patch around these holds a hole pixel
    touches[[0, -1]] = touches[:, [0, -1]] = True  # or something beyond the border
    used = weights[0].sum(0).view(8, 8) > 0
    assert torch.equal(used, ~touches)


def test_known_features_are_returned_bitwise():
    features, hole = torch.randn(1, 2, 8, 8), square_hole(1, (8, 8), (2, 5), (3, 5))
    filled = ContextualAttention()(features, hole)
    known = ~hole.expand_as(features)
    assert torch.equal(filled[known], features[known])


def test_a_hole_of_a_periodic_pattern_is_restored_when_its_coarse_guess_is_near():
    torch.manual_seed(0)
    pattern = torch.randn(1, 4, 4, 4, dtype=torch.double).repeat(1, 1, 4, 4)
    hole = square_hole(1, (16, 16), (6, 10), (6, 10))
    guess = torch.where(hole, pattern + 0.2 * torch.randn_like(pattern), pattern)
    filled = ContextualAttention(sharpness=500.0)(guess, hole)
    assert (guess - pattern).abs().max() > 0.3
    torch.testing.assert_close(filled, pattern, atol=1e-3, rtol=0)


def test_half_precision_and_autocast_are_computed_in_float32():
    # far from 0, where distances are small differences of large squares
    features = (torch.randn(1, 16, 12, 12) + 3).half()
    hole = square_hole(1, (12, 12), (4, 8), (4, 8))
    layer = ContextualAttention()
    expected = layer(features.float(), hole)
    assert torch.equal(layer(features, hole), expected.half())
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(layer(features.float(), hole), expected)


def test_gradients_agree_with_differences():
    torch.manual_seed(0)
    features = torch.randn(1, 2, 5, 5, dtype=torch.double, requires_grad=True)
    hole = square_hole(1, (5, 5), (0, 1), (0, 2))
    assert torch.autograd.gradcheck(lambda f: ContextualAttention(sharpness=2.0)(f, hole), features)


def test_constant_features_give_finite_gradients():
    features = torch.ones(1, 2, 6, 6, requires_grad=True)
    filled = ContextualAttention()(features, square_hole(1, (6, 6), (0, 2), (0, 2)))
    filled.square().sum().backward()
    torch.testing.assert_close(filled, torch.ones(1, 2, 6, 6))
    assert features.grad.isfinite().all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"kernel_size": 2}, "kernel_size=2"), ({"sharpness": 0.0}, "sharpness=0.0")],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        ContextualAttention(**arguments)


@pytest.mark.parametrize(
    ("features", "hole", "message"),
    [
        (torch.zeros(2, 4, 4), torch.zeros(2, 1, 4, 4).bool(), r"features of shape \(2, 4, 4\)"),
        (torch.zeros(1, 2, 2, 4), torch.zeros(1, 1, 2, 4).bool(), "at least kernel_size=3"),
        (torch.zeros(1, 2, 4, 4), torch.zeros(1, 1, 4, 5).bool(), r"hole of shape \(1, 1, 4, 5\)"),
        (torch.zeros(1, 2, 4, 4), torch.zeros(1, 1, 4, 4), "torch.float32: expected"),
        (torch.zeros(1, 2, 4, 4), torch.ones(1, 1, 4, 4).bool(), "sample 0: no hole-free 3×3"),
    ],
)
def test_bad_inputs_are_named(features, hole, message):
    with pytest.raises(ValueError, match=message):
        ContextualAttention()(features, hole)
