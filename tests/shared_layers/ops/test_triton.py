"""Triton forms: in the interpreter against the reference, and compiled for GPUs without one.

The interpreter is chosen when a kernel's module is imported, so each test has its own process.
"""

import importlib.util
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None
    or importlib.util.find_spec("triton.language") is None,
    reason="triton is not installed",
)


def run(script, interpret):
    environment = {**os.environ, "TRITON_INTERPRET": "1" if interpret else "0"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert done.returncode == 0, done.stderr


def test_every_pass_of_the_depthwise_convolution_equals_the_reference_in_the_interpreter():
    run(
        """
        import torch
        from shared_layers import use_kernels
        from shared_layers.ops.depthwise_conv import op
        torch.manual_seed(0)
        cases = [
            ((2, 3, 37), (3,), (1,), (1,)),
            ((2, 2, 6, 9), (3, 3), (1, 1), (1, 1)),
            ((1, 2, 9, 11), (4, 3), (3, 4), (1, 2)),
            ((1, 2, 4, 5, 6), (3, 3, 3), (2, 1, 0), (2, 1, 1)),
        ]
        for dtype in (torch.float32, torch.float64):
            for shape, kernel, padding, dilation in cases:
                x = torch.randn(shape, dtype=dtype, requires_grad=True)
                w = torch.randn(shape[1], 1, *kernel, dtype=dtype, requires_grad=True)
                b = torch.randn(shape[1], dtype=dtype, requires_grad=True)
                results = []
                for mode in ("triton", "reference"):
                    with use_kernels(mode):
                        y = op.forward(x, w, b, [1] * len(kernel), padding, dilation)
                        torch.manual_seed(1)
                        gradients = torch.autograd.grad(y, (x, w, b), torch.randn_like(y))
                        results.append([y, *gradients])
                for found, expected in zip(*results):
                    torch.testing.assert_close(found, expected)
        """,
        interpret=True,
    )


def test_the_chunk_kernel_of_the_mlstm_equals_the_parallel_form_in_the_interpreter():
    run(
        """
        import torch
        from shared_layers import mlstm_chunkwise, mlstm_parallel, use_kernels
        torch.manual_seed(0)
        q, k = (torch.randn(1, 2, 40, 16, requires_grad=True) for _ in range(2))
        v = torch.randn(1, 2, 40, 20, requires_grad=True)
        i = torch.randn(1, 2, 40, requires_grad=True)
        f = (torch.randn(1, 2, 40) + 1).requires_grad_()
        tensors = (q, k, v, i, f)
        grad = torch.randn(1, 2, 40, 20)
        expected = mlstm_parallel(*tensors)
        with use_kernels("triton"):
            found = mlstm_chunkwise(*tensors, chunk_size=16)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
        gradients = torch.autograd.grad(found, tensors, grad)
        for a, b in zip(gradients, torch.autograd.grad(expected, tensors, grad)):
            torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)
        """,
        interpret=True,
    )


COMPILE = """
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource
    from shared_layers.ops.{folder} import triton_kernel

    kernel = triton_kernel.{kernel}
    constants = {constants}
    pointers = {pointers}
    floats = ("floor", "eps")
    signature = {{
        name: "constexpr" if name in constants else
        "*fp32" if name in pointers else "fp32" if name in floats else "i32"
        for name in kernel.arg_names
    }}
    source = ASTSource(kernel, signature, constants)
    for capability in (80, 90):
        built = triton.compile(source, target=GPUTarget("cuda", capability, 32))
        assert f".target sm_{{capability}}" in built.asm["ptx"]
        assert len(built.asm["cubin"]) > 1000
        # What every sm_80 gives a block without asking.
        assert built.metadata.shared <= {shared}
"""


@pytest.mark.parametrize(
    ("folder", "kernel", "pointers", "constants", "shared"),
    [
        (
            "depthwise_conv",
            "forward_kernel",
            ("x", "weight", "bias", "out"),
            {"HAS_BIAS": True, "IS_DOUBLE": False, "BLOCK_Y": 4, "BLOCK_X": 64},
            48 * 1024,
        ),
        (
            "depthwise_conv",
            "grad_weight_kernel",
            ("x", "grad", "out"),
            {"IS_DOUBLE": False, "BLOCK": 1024},
            48 * 1024,
        ),
        (
            "mlstm",
            "chunk_kernel",
            ("q", "k", "v", "log_input", "log_decay", "states", "before", "h", "maximum",
             "normalizer"),
            {"L": 64, "D": 64, "E": 64, "WIDTH": 65, "BLOCK_E": 64},
            160 * 1024,
        ),
    ],
)  # fmt: skip
def test_kernels_compile_for_gpus_without_one(folder, kernel, pointers, constants, shared):
    values = {"folder": folder, "kernel": kernel, "pointers": pointers}
    run(COMPILE.format(**values, constants=constants, shared=shared), interpret=False)
