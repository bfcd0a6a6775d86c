"""Builds a kernel's C++ form when it is first used, and keeps it in the user's cache folder.

The sources have a plain C interface and use neither torch's nor Python's headers, so that a build
takes seconds and needs nothing but a C++ compiler (``$CXX``, else ``g++``, ``clang++`` or ``c++``).
The result is keyed by source, compiler, flags, processor and torch version, and is written under a
lock and renamed into place: processes that build at the same moment do not disturb each other.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import logging
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

logger = logging.getLogger("shared_layers")

# Tried in order: some compilers take no -march=native, some have no OpenMP.
# Contraction is for the compiler to choose; nothing here licenses it to reorder sums or drop NaNs.
_COMMON_FLAGS = ("-O3", "-std=c++17", "-fPIC", "-shared", "-fno-math-errno", "-fno-trapping-math")
_FLAG_SETS = (
    ("-march=native", "-fopenmp"),
    ("-march=native",),
    ("-mcpu=native",),
    (),
)
_BUILD_LIMIT_S = 300

_F = TypeVar("_F", bound=Callable[..., Any])


class NativeUnavailable(RuntimeError):
    """A C++ form could not be built or loaded; the message says why."""


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/convoy/kernels``, or the same under ``~/.cache``.

    Raises:
        NativeUnavailable: neither is there, as for a user without an entry in a container.
    """
    try:
        root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError as error:
        raise NativeUnavailable("no home directory: set XDG_CACHE_HOME") from error
    return Path(root) / "convoy" / "kernels"


def find_compiler() -> str:
    """The path of the C++ compiler.

    Raises:
        NativeUnavailable: when ``$CXX`` names none, or none is on the path.
    """
    wanted = os.environ.get("CXX")
    for name in [wanted] if wanted else ["g++", "clang++", "c++"]:
        path = shutil.which(name)
        if path:
            return path
    sought = f"CXX={wanted}" if wanted else "g++, clang++ and c++"
    raise NativeUnavailable(f"no C++ compiler: looked for {sought}")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line for line in lines if line.startswith(("flags", "Features")))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _key(source: Path, compiler: str) -> str:
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False)
    parts = (
        source.read_text(),
        compiler,
        version.stdout,
        repr((_COMMON_FLAGS, _FLAG_SETS)),
        _processor(),
        torch.__version__,
    )
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]


def _compile(source: Path, compiler: str, target: Path) -> None:
    messages = []
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        output = Path(folder) / target.name
        for flags in _FLAG_SETS:
            command = [compiler, *_COMMON_FLAGS, *flags, str(source), "-o", str(output)]
            try:
                done = subprocess.run(
                    command, capture_output=True, text=True, check=False, timeout=_BUILD_LIMIT_S
                )
            except subprocess.TimeoutExpired:
                raise NativeUnavailable(f"{command[0]} took over {_BUILD_LIMIT_S} s") from None
            if done.returncode == 0:
                os.replace(output, target)
                return
            messages.append(" ".join(done.stderr.split())[:200])
    raise NativeUnavailable(f"{compiler} could not build {source.name}: {messages[-1]}")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock among processes; none where the system has no ``flock``, as on Windows."""
    try:
        import fcntl
    except ImportError:
        # two builds then do the same work twice; each still renames a whole file into place
        yield
        return
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(source: Path) -> Path:
    """The shared library of ``source``, built if the cache does not hold it.

    Raises:
        NativeUnavailable: no compiler, a failed build, or no cache folder that can be written.
    """
    compiler = find_compiler()
    folder = cache_folder()
    target = folder / f"{source.parent.name}-{_key(source, compiler)}.so"
    if target.exists():
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(target.with_suffix(".lock")):
            if not target.exists():
                _compile(source, compiler, target)
    except OSError as error:
        raise NativeUnavailable(f"cannot write the cache folder {folder}: {error}") from error
    return target


@functools.cache
def _load(source: Path) -> ctypes.CDLL | str:
    try:
        return ctypes.CDLL(str(build(source)))
    except (NativeUnavailable, OSError) as error:
        return str(error)


@functools.cache
def _warn_of_fallback(source: Path) -> None:
    logger.warning("%s: no C++ form, using PyTorch's: %s", source.parent.name, _load(source))


def library(source: Path) -> ctypes.CDLL:
    """The loaded library of ``source``; a failure is raised each time.

    Raises:
        NativeUnavailable: with the reason.
    """
    loaded = _load(source)
    if isinstance(loaded, str):
        raise NativeUnavailable(loaded)
    return loaded


def _constant_when_traced(function: _F) -> _F:
    """Have a tracer take the function's answer and not follow the build.

    This is ``torch.compiler.assume_constant_result`` without its import of the tracer, which takes
    two seconds of every process that never traces anything.
    """
    function._dynamo_marked_constant = True  # type: ignore[attr-defined]
    return function


@_constant_when_traced
def state(source: Path) -> str:
    """``"live"``, or why the C++ form of ``source`` is not."""
    loaded = _load(source)
    return loaded if isinstance(loaded, str) else "live"


@_constant_when_traced
def is_live(source: Path) -> bool:
    """Whether the C++ form of ``source`` can run; if not, the first call warns of the fallback."""
    if isinstance(_load(source), str):
        _warn_of_fallback(source)
        return False
    return True


def pointer(tensor: Tensor | None) -> ctypes.c_void_p:
    """The address of a tensor's data for a C function; null for ``None``."""
    return ctypes.c_void_p(0 if tensor is None else tensor.data_ptr())
