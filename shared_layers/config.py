"""Which form of each kernel runs, and what is live on this machine.

Every kernel has several forms that compute the same thing: a plain PyTorch reference, what PyTorch
itself ships (``aten``), a C++ form built when first used, and for some a Triton form.  ``auto``
takes the one that the kernel's measured table names for the case at hand; other modes force one.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Literal, get_args

Mode = Literal["auto", "reference", "cpp", "triton"]

_mode: Mode = "auto"


def active_mode() -> Mode:
    """The mode set by :func:`use_kernels` (``"auto"`` at start)."""
    return _mode


class use_kernels:
    """Set the form of every kernel, for good or for the length of a ``with`` block.

    Args:
        mode: ``"auto"`` the measured table decides; ``"reference"`` plain PyTorch, slow, the oracle
            of the tests; ``"cpp"`` the C++ form wherever it covers the case, built now if it is
            not yet; ``"triton"`` likewise, on a GPU or in Triton's interpreter. What a form does
            not cover stays with PyTorch.

    Raises:
        ValueError: for any other mode, or ``"triton"`` where it cannot run. The mode stays.
        NativeUnavailable: ``"cpp"`` where a C++ form cannot be built. The mode stays.

    Example::

        with use_kernels("reference"):
            expected = depthwise_conv(x, weight)
    """

    def __init__(self, mode: Mode) -> None:
        global _mode
        if mode not in get_args(Mode):
            raise ValueError(f"mode={mode!r}: expected one of {', '.join(get_args(Mode))}")
        _require(mode)
        self._before, self._mode = _mode, mode
        _mode = mode

    def __enter__(self) -> use_kernels:
        global _mode
        _mode = self._mode  # the block may be entered again
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        global _mode
        _mode = self._before


def _require(mode: Mode) -> None:
    """Raise the reason if the forms that `mode` forces cannot run here."""
    from shared_layers.ops import native, triton_state

    if mode == "triton" and (reason := triton_state.state()) != "live":
        raise ValueError(f'use_kernels("triton"): {reason}')
    if mode == "cpp":
        for name, forms in kernels_info().items():
            reason = forms.get("cpp", "live")
            if reason != "live":
                raise native.NativeUnavailable(f'use_kernels("cpp"): {name}: {reason}')


def kernels_info() -> dict[str, dict[str, str]]:
    """For each kernel its forms, each ``"live"`` or the reason why it is not.

    Builds the C++ forms if they are not built yet (a few seconds, once per machine).

    Returns:
        ``{"depthwise_conv": {"reference": "live", "aten": "live", "cpp": "live", ...}, ...}``
    """
    from shared_layers.ops import causal_conv1d, depthwise_conv, log_bessel, mlstm

    forms: dict[str, Callable[[], dict[str, str]]] = {
        "causal_conv1d": causal_conv1d.forms,
        "depthwise_conv": depthwise_conv.forms,
        "log_bessel": log_bessel.forms,
        "mlstm": mlstm.forms,
    }
    return {name: report() for name, report in forms.items()}
