import numpy as np
import pytest
import torch
from scipy.linalg import expm
from scipy.signal import cont2discrete, dlsim
from scipy.special import eval_legendre

from shared_layers.recurrent.lssl import LSSL, hippo_legs


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def test_legs_impulse_response_is_a_legendre_polynomial_of_exp_minus_t():
    a, b = (m.numpy() for m in hippo_legs(6, dtype=torch.double))
    n = np.arange(6)
    for t in (0.0, 0.3, 1.7):
        expected = np.sqrt(2 * n + 1) * eval_legendre(n, 2 * np.exp(-t) - 1) * np.exp(-t)
        np.testing.assert_allclose(expm(t * a) @ b, expected, atol=1e-12)


def test_discretisation_equals_scipy_bilinear():
    layer = LSSL(3, 5, dtype=torch.double)
    matrices, vectors = layer.discretize()
    for feature in range(3):
        step = layer.log_step[feature].exp().item()
        system = (layer.A.numpy(), layer.B.numpy()[:, None], np.eye(5), np.zeros((5, 1)))
        expected = cont2discrete(system, step, method="bilinear")
        np.testing.assert_allclose(matrices[feature].numpy(), expected[0], atol=1e-13)
        np.testing.assert_allclose(vectors[feature].numpy(), expected[1][:, 0], atol=1e-13)


@pytest.mark.parametrize("length", [1, 7, 16])
def test_convolution_equals_recurrence(length):
    layer = LSSL(3, 8, channels=2, dtype=torch.double)
    u = torch.randn(2, length, 3, dtype=torch.double)
    state, steps = None, []
    for t in range(length):
        y, state = layer.step(u[:, t], state)
        steps.append(y)
    torch.testing.assert_close(layer(u), torch.stack(steps, 1), atol=1e-14, rtol=1e-13)


def test_kernel_is_the_impulse_response_of_the_discrete_system():
    layer = LSSL(1, 4, dtype=torch.double)
    matrix, vector = (m[0].numpy() for m in layer.discretize())
    # SciPy's x_{t+1} = Ax_t + Bu_t, y_t = Cx_t + Du_t is ours with C Ā and C B̄
    c = layer.C[0].detach().numpy()
    system = (matrix, vector[:, None], c @ matrix, (c @ vector)[:, None], 1)
    impulse = np.eye(12)[0]
    expected = dlsim(system, impulse)[1][:, 0]
    np.testing.assert_allclose(layer.kernel(12)[0, 0].detach().numpy(), expected, atol=1e-13)


def test_autocast_and_half_weights_keep_the_kernel_in_float32():
    layer = LSSL(2, 16, step_max=0.5)
    kernel = layer.kernel(1000)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(layer.kernel(1000), kernel)
        assert layer(torch.randn(1, 9, 2)).dtype == torch.bfloat16
    half, u = LSSL(2, 16, dtype=torch.bfloat16), torch.randn(1, 9, 2, dtype=torch.bfloat16)
    assert half.kernel(9).dtype == torch.float32
    assert half(u).dtype == half.step(u[:, 0])[0].dtype == torch.bfloat16


def test_output_depends_on_the_past_only():
    layer = LSSL(2, 4, dtype=torch.double)
    u = torch.randn(1, 9, 2, dtype=torch.double)
    changed = u.clone()
    changed[:, 5:] += 1.0
    torch.testing.assert_close(layer(changed)[:, :5], layer(u)[:, :5])
    assert (layer(changed)[:, 5:] - layer(u)[:, 5:]).abs().min() > 0


def test_state_space_is_trained_only_when_asked():
    assert {n for n, _ in LSSL(2, 4).named_parameters()}.isdisjoint({"A", "B", "log_step"})
    layer = LSSL(2, 4, train_state=True)
    layer(torch.randn(1, 6, 2)).square().sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in (layer.A, layer.B, layer.log_step))


def test_state_dict_carries_the_fixed_state_space():
    saved = LSSL(2, 4, step_max=0.5).state_dict()
    layer = LSSL(2, 4)
    layer.load_state_dict(saved)
    assert layer.log_step[-1].exp().item() == pytest.approx(0.5)


def test_gradients_agree_with_differences():
    layer = LSSL(2, 3, train_state=True, dtype=torch.double)
    u = torch.randn(1, 4, 2, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(lambda u, *_: layer(u), (u, *layer.parameters()))


@pytest.mark.parametrize(
    ("arguments", "keywords", "message"),
    [
        ((0, 4), {}, "dim=0"),
        ((2, 0), {}, "state_size=0"),
        ((2, 4), {"channels": 0}, "channels=0"),
        ((2, 4), {"step_min": 0.5}, "step_min=0.5, step_max=0.1"),
    ],
)
def test_bad_arguments_are_named(arguments, keywords, message):
    with pytest.raises(ValueError, match=message):
        LSSL(*arguments, **keywords)


def test_bad_inputs_are_named():
    with pytest.raises(ValueError, match=r"\(1, 3, 5\): expected \(B, T, 2\)"):
        LSSL(2, 4)(torch.zeros(1, 3, 5))
    with pytest.raises(ValueError, match=r"\(1, 0, 2\): expected one step or more"):
        LSSL(2, 4)(torch.zeros(1, 0, 2))
    with pytest.raises(ValueError, match="size=0"):
        hippo_legs(0)
