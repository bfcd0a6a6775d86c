"""The public list is sorted, complete and importable; modes and their errors."""

import importlib
import subprocess
import sys

import pytest

import shared_layers
from shared_layers.config import active_mode

PACKAGES = ("attention", "blocks", "conv", "functional", "norm", "recurrent", "regularizers")


def test_public_list_is_sorted_and_without_repeats():
    def place(name):
        # Capitals, then classes, then functions: the order that the linter keeps.
        return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)

    assert shared_layers.__all__ == sorted(set(shared_layers.__all__), key=place)


def test_public_list_is_everything_that_the_packages_offer():
    expected = {"kernels_info", "use_kernels"}
    for package in PACKAGES:
        expected |= set(importlib.import_module(f"shared_layers.{package}").__all__)
    assert set(shared_layers.__all__) == expected


def test_every_public_name_is_there_and_documented():
    for name in shared_layers.__all__:
        assert getattr(shared_layers, name).__doc__, name


def test_kernel_modes_return_to_what_they_were():
    assert active_mode() == "auto"
    with shared_layers.use_kernels("reference"):
        with shared_layers.use_kernels("auto"):
            assert active_mode() == "auto"
        assert active_mode() == "reference"
    assert active_mode() == "auto"
    mode = shared_layers.use_kernels("reference")
    for _ in range(2):
        with mode:
            assert active_mode() == "reference"
        assert active_mode() == "auto"


def test_an_unknown_mode_is_named_with_what_is_taken():
    with pytest.raises(ValueError, match="'fast': expected one of auto, reference, cpp, triton"):
        shared_layers.use_kernels("fast")


def test_the_command_lists_every_kernel():
    done = subprocess.run(
        [sys.executable, "-m", "shared_layers"], capture_output=True, text=True, check=True
    )
    for kernel in ("causal_conv1d", "depthwise_conv", "log_bessel", "mlstm"):
        assert f"{kernel} " in done.stdout
