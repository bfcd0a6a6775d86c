"""log I and log K against mpmath, closed forms and each other; the von Mises-Fisher fit."""

import math

import mpmath
import numpy as np
import pytest
import scipy.special
import torch

from shared_layers import bessel_ratio, fit_von_mises_fisher, log_iv, log_kv, use_kernels
from shared_layers.ops import native
from shared_layers.ops.log_bessel import op

FORMS = ["reference", "cpp"]


def numbers(*values):
    return torch.tensor(values, dtype=torch.float64)


def exact_log_iv(v, x):
    with mpmath.workdps(50):
        return mpmath.log(mpmath.besseli(mpmath.mpf(v), mpmath.mpf(x), maxterms=10**6))


def exact_log_kv(v, x):
    """The integral of exp(-x cosh s) cosh(v s), trapezoid rule around its peak.

    mpmath's own besselk does not converge at large order.
    """
    with mpmath.workdps(45):
        v, x = mpmath.mpf(v), mpmath.mpf(x)
        peak = mpmath.asinh(v / x)
        height = x * mpmath.cosh(peak) - v * peak
        step = min(mpmath.mpf(1) / 16, 1 / (3 * mpmath.sqrt(mpmath.hypot(v, x))))
        first, total = int(peak / step), mpmath.mpf(0)
        for direction in (1, -1):
            j = first if direction == 1 else first - 1
            while j >= 0:
                s = j * step
                term = mpmath.exp(height - x * mpmath.cosh(s)) * mpmath.cosh(v * s)
                total += term / 2 if j == 0 else term
                if term < total * mpmath.mpf(10) ** -38:
                    break
                j += direction
        return mpmath.log(total * step) - height


def sample(low, high, count, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).uniform(low, high, count))


def errors(found, expected):
    pairs = zip(found.tolist(), expected, strict=True)
    return [float(abs(a - b) / max(1, abs(b))) for a, b in pairs]


# Orders and arguments: the ranges of the benchmark, and both sides of each seam between regions.
RANGES = {
    "small": ((0, 10), (0.01, 10)),
    "middle": ((10, 300), (10, 300)),
    "large": ((300, 1500), (300, 1500)),
    "tiny argument": ((0, 18), (1e-9, 1e-6)),
    "seam at 18": ((0, 17.9), (10, 30)),
    "low order": ((0, 0.1), (0.001, 90)),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", RANGES)
def test_logarithms_are_within_1e13_of_mpmath(name, form):
    (v_low, v_high), (x_low, x_high) = RANGES[name]
    v, x = sample(v_low, v_high, 12), sample(x_low, x_high, 12, seed=1)
    with use_kernels(form):
        found_i, found_k = log_iv(v, x), log_kv(v, x)
    pairs = list(zip(v.tolist(), x.tolist(), strict=True))
    assert max(errors(found_i, [exact_log_iv(*p) for p in pairs])) < 1e-13
    assert max(errors(found_k, [exact_log_kv(*p) for p in pairs])) < 1e-13


@pytest.mark.parametrize("form", FORMS)
def test_values_do_not_jump_at_the_seams_between_regions(form):
    v = numbers(0.0, 0.3, 0.5, 3.7, 11.5, 17.0)
    with use_kernels(form):
        for x in (
            numbers(2.0).expand(6),
            numbers(6.0).expand(6),
            *((w * w - v * v).sqrt() for w in (18.0, 27.0, 80.0, 400.0)),
        ):
            for function in (log_iv, log_kv):
                below, at, above = (function(v, x * (1 + d)) for d in (-1e-9, 0.0, 1e-9))
                curvature = (below + above - 2 * at).abs() / at.abs().clamp_min(1)
                assert curvature.max() < 1e-13


@pytest.mark.parametrize("form", FORMS)
def test_half_integer_orders_equal_their_closed_forms(form):
    x = numbers(1e-8, 1e-3, 0.7, 1.99, 2.01, 5.0, 17.9, 18.1, 26.0, 100.0, 700.0)
    with use_kernels(form):
        found_i, found_k = log_iv(0.5, x), log_kv(0.5, x)
    log_sinh = x + torch.log(-torch.expm1(-2 * x)) - math.log(2)
    expected_i = 0.5 * torch.log(2 / (math.pi * x)) + log_sinh
    torch.testing.assert_close(found_i, expected_i, rtol=1e-14, atol=2e-14)
    expected_k = 0.5 * torch.log(math.pi / (2 * x)) - x
    torch.testing.assert_close(found_k, expected_k, rtol=1e-14, atol=2e-14)


def test_random_points_equal_scipy_where_scipy_is_finite():
    v, x = sample(0, 60, 4000), sample(1e-3, 80, 4000, seed=2)
    order, argument = v.numpy(), x.numpy()
    expected_i = np.log(scipy.special.ive(order, argument)) + argument
    expected_k = np.log(scipy.special.kve(order, argument)) - argument
    assert np.isfinite(expected_i).all()
    np.testing.assert_allclose(log_iv(v, x), expected_i, rtol=2e-13, atol=2e-13)
    np.testing.assert_allclose(log_kv(v, x), expected_k, rtol=2e-13, atol=2e-13)


@pytest.mark.parametrize("form", FORMS)
def test_values_are_finite_up_to_order_1e5_where_scipys_are_not(form):
    v, x = sample(1e3, 1e5, 500), sample(1e-3, 1e5, 500, seed=3)
    with np.errstate(divide="ignore"):
        scipys = np.log(scipy.special.ive(v.numpy(), x.numpy())) + x.numpy()
    assert np.isfinite(scipys).mean() < 0.5
    with use_kernels(form):
        for function in (log_iv, log_kv):
            assert torch.isfinite(function(v, x)).all()


@pytest.mark.parametrize("form", FORMS)
def test_wronskian_holds_at_every_order(form):
    # I_v K_{v+1} + I_{v+1} K_v = 1/x, DLMF 10.28.2: ties values, ratios and both functions.
    v = torch.cat([sample(0, 20, 300), sample(0, 5e4, 300)])
    x = torch.cat([sample(1e-6, 25, 300, 4), sample(1, 5e4, 300, 5)])
    with use_kernels(form):
        first, second = log_iv(v, x), log_kv(v, x)
        both = op.ratio_kv(v, x) + op.ratio_iv(v, x)
    # Rounding of the two logarithms, which nearly cancel, and of v + x in them.
    room = 2e-14 + 4e-16 * (v + x + first.abs())
    assert ((first + second + torch.log(both * x)).abs() < room).all()


@pytest.mark.parametrize("form", FORMS)
def test_limits_are_those_of_the_functions(form):
    inf, nan = math.inf, math.nan
    v = numbers(0, 1, 0, 2, 1, 1, -1, inf)
    x = numbers(0, 0, inf, inf, nan, -1, 1, 1)
    with use_kernels(form):
        assert str(op.log_iv(v, x).tolist()) == str([0.0, -inf, inf, inf, nan, nan, nan, nan])
        assert str(op.log_kv(v, x).tolist()) == str([inf, inf, -inf, -inf, nan, nan, nan, nan])
        assert str(op.ratio_iv(v, x).tolist()) == str([0.0, 0.0, 1.0, 1.0, nan, nan, nan, nan])


@pytest.mark.parametrize("form", FORMS)
def test_the_smallest_arguments_follow_the_leading_term(form):
    x = numbers(1e-280, 1e-303, 1e-318)
    log_half = torch.log(x) - math.log(2)
    with use_kernels(form):
        for v in (0.0, 0.3, 1.0, 7.5, 2000.0):
            lead = v * log_half - math.lgamma(v + 1)
            torch.testing.assert_close(log_iv(v, x), lead, rtol=1e-13, atol=1e-13)
        lead = torch.log(-log_half - 0.5772156649015329)
        torch.testing.assert_close(log_kv(0.0, x), lead, rtol=1e-13, atol=1e-13)
        lead = math.lgamma(7.5) - math.log(2) - 7.5 * log_half
        torch.testing.assert_close(log_kv(7.5, x), lead, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("form", FORMS)
def test_ratios_equal_those_of_mpmath(form):
    v = numbers(0.0, 0.2, 3.0, 9.5, 17.0, 40.0, 250.0, 1000.0)
    x = numbers(0.5, 30.0, 1.5, 4.0, 1e-4, 25.0, 3.0, 90.0)
    with use_kernels(form):
        found_i, found_k = bessel_ratio(v, x), op.ratio_kv(v, x)
    for i, (order, argument) in enumerate(zip(v.tolist(), x.tolist(), strict=True)):
        expected = mpmath.exp(exact_log_iv(order + 1, argument) - exact_log_iv(order, argument))
        assert found_i[i].item() == pytest.approx(float(expected), rel=1e-13)
        expected = mpmath.exp(exact_log_kv(order + 1, argument) - exact_log_kv(order, argument))
        assert found_k[i].item() == pytest.approx(float(expected), rel=1e-13)


@pytest.mark.parametrize("function", [log_iv, log_kv, bessel_ratio])
def test_first_and_second_derivatives_pass_gradcheck(function):
    v = numbers(0.0, 0.4, 2.0, 5.0, 16.0, 40.0)
    x = numbers(0.7, 3.0, 1.5, 9.0, 4.0, 30.0).requires_grad_()
    for form in FORMS:
        with use_kernels(form):
            assert torch.autograd.gradcheck(lambda t: function(v, t), x)
            assert torch.autograd.gradgradcheck(lambda t: function(v, t), x)


@pytest.mark.parametrize("v", [0.0, 0.5, 3.0])
def test_derivatives_at_zero_are_their_limits(v):
    x = numbers(0.0).requires_grad_()
    (slope,) = torch.autograd.grad(bessel_ratio(v, x), x, create_graph=True)
    assert slope.item() == 1 / (2 * (v + 1))
    assert torch.autograd.grad(slope, x)[0].item() == 0  # the ratio is odd in x
    (slope,) = torch.autograd.grad(log_iv(v, x), x, create_graph=True)
    (curvature,) = torch.autograd.grad(slope, x)
    # log I_v is v log x + x²/(4(v + 1)) + …
    assert slope.item() == (0 if v == 0 else math.inf)
    assert curvature.item() == (0.5 if v == 0 else -math.inf)


def test_negative_orders_of_k_are_those_of_their_size():
    x = sample(0.1, 30, 50)
    assert torch.equal(log_kv(-3.3, x), log_kv(3.3, x))


def test_orders_and_arguments_broadcast_and_keep_the_arguments_type():
    v, x = torch.rand(4, 1), torch.rand(1, 5)
    found = log_iv(v, x)
    assert found.shape == (4, 5)
    assert found.dtype == torch.float32
    assert torch.equal(found, log_iv(v.double(), x.double()).float())


def test_opcheck_passes():
    v, x = sample(0, 30, 40), sample(0.1, 30, 40).requires_grad_()
    for kernel in (op.log_iv, op.log_kv, op.ratio_iv, op.ratio_kv):
        torch.library.opcheck(kernel, (v, x))


def test_compiles_into_one_graph():
    v, x = sample(0, 30, 40), sample(0.1, 30, 40).requires_grad_()
    compiled = torch.compile(log_iv, fullgraph=True, backend="aot_eager")
    (found,) = torch.autograd.grad(compiled(v, x).sum(), x)
    assert torch.equal(found, torch.autograd.grad(log_iv(v, x).sum(), x)[0])


def test_several_threads_and_any_length_give_the_same_numbers():
    if native.state(op.SOURCE) != "live":
        pytest.skip(native.state(op.SOURCE))
    v, x = sample(0, 60, 3001), sample(0.01, 60, 3001)
    whole = log_kv(v, x)
    assert torch.equal(whole[7:20], log_kv(v[7:20], x[7:20]))
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        assert torch.equal(whole, log_kv(v, x))
    finally:
        torch.set_num_threads(before)


def test_a_gradient_in_the_order_and_other_types_are_refused():
    with pytest.raises(ValueError, match="none in the order"):
        log_iv(torch.ones(1, requires_grad=True), torch.ones(1))
    with pytest.raises(ValueError, match=r"x is torch\.int64"):
        log_kv(1.0, torch.ones(1, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"v is torch\.complex64"):
        log_iv(torch.ones(1, dtype=torch.complex64), torch.ones(1))


def unit_vectors(p, count, pull):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(count, p, dtype=torch.float64, generator=generator) / math.sqrt(p)
    x[:, 0] += pull
    return x / x.norm(dim=1, keepdim=True)


@pytest.mark.parametrize("p", [2, 3, 16, 1000, 20000])
def test_fitted_concentration_solves_the_likelihood_equation(p):
    x = unit_vectors(p, 100, 0.7)
    fit = fit_von_mises_fisher(x)
    length = x.mean(0).norm()
    torch.testing.assert_close(
        bessel_ratio(p / 2 - 1, fit.concentration), length, rtol=1e-12, atol=0
    )
    torch.testing.assert_close(fit.direction, x.mean(0) / length)


def test_fit_in_three_dimensions_equals_its_closed_form():
    # p = 3: A(κ) = coth κ - 1/κ and the density is κ/(4π sinh κ) exp(κ cos θ).
    x = unit_vectors(3, 200, 1.0)
    fit = fit_von_mises_fisher(x)
    kappa, length = fit.concentration.item(), x.mean(0).norm().item()
    assert 1 / math.tanh(kappa) - 1 / kappa == pytest.approx(length, rel=1e-12)
    expected = math.log(kappa / (4 * math.pi * math.sinh(kappa))) + kappa * length
    assert fit.mean_log_likelihood.item() == pytest.approx(expected, rel=1e-12)


def test_fit_on_the_circle_equals_scipys():
    x = unit_vectors(2, 300, 0.8)
    angles = torch.atan2(x[:, 1], x[:, 0]).numpy()
    kappa, direction, _ = scipy.stats.vonmises.fit(angles, fscale=1)
    fit = fit_von_mises_fisher(x)
    assert fit.concentration.item() == pytest.approx(kappa, rel=1e-6)
    assert math.atan2(fit.direction[1], fit.direction[0]) == pytest.approx(direction, abs=1e-6)


def test_fit_takes_batches_and_single_precision():
    x = torch.stack([unit_vectors(8, 50, 0.5), unit_vectors(8, 50, 2.0)]).float()
    fit = fit_von_mises_fisher(x)
    assert fit.concentration.shape == (2,)
    assert fit.concentration.dtype == torch.float32
    assert fit.concentration[0] < fit.concentration[1]


def test_equal_vectors_are_infinitely_and_opposite_ones_not_concentrated():
    same = torch.tensor([[1.0, 0.0], [1.0, 0.0]], dtype=torch.float64)
    fit = fit_von_mises_fisher(same)
    assert fit.direction.tolist() == [1.0, 0.0]
    assert fit.concentration.item() == fit.mean_log_likelihood.item() == math.inf
    fit = fit_von_mises_fisher(same * torch.tensor([[1.0], [-1.0]], dtype=torch.float64))
    assert fit.concentration.item() == 0
    # The uniform density on the circle.
    assert fit.mean_log_likelihood.item() == pytest.approx(-math.log(2 * math.pi), rel=1e-9)


def test_rounding_of_the_lengths_does_not_move_the_concentration():
    x = torch.nn.functional.normalize(numbers(0, 0, 1) + 0.03 * torch.randn(500, 3).double(), dim=1)
    expected = fit_von_mises_fisher(x).concentration
    for factor in (1 - 5e-4, 1 + 5e-4):
        found = fit_von_mises_fisher(factor * x).concentration
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=0)
    same = x[:1].float().expand(10, 3)
    assert fit_von_mises_fisher(same).concentration.item() == math.inf


def test_vectors_that_do_not_suit_the_fit_are_refused():
    with pytest.raises(ValueError, match="differs from 1 by 1"):
        fit_von_mises_fisher(torch.eye(3) * 2)
    with pytest.raises(ValueError, match=r"\(1, 3\): expected \(\.\.\., n >= 2, p >= 2\)"):
        fit_von_mises_fisher(torch.ones(1, 3))
