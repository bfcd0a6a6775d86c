"""Building C++ forms: the cache, the lock, and what happens without a compiler."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from shared_layers.ops import native

SOURCE = 'extern "C" int answer() { return 42; }\n'


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "convoy" / "kernels"


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "small_kernel"
    folder.mkdir()
    path = folder / "cpu.cpp"
    path.write_text(SOURCE)
    return path


def needs_compiler():
    try:
        native.find_compiler()
    except native.NativeUnavailable as error:
        pytest.skip(str(error))


def test_a_source_is_built_once_and_answers(cache, source):
    needs_compiler()
    first = native.build(source)
    stamp = first.stat().st_mtime_ns
    assert native.build(source) == first
    assert first.stat().st_mtime_ns == stamp
    assert native.library(source).answer() == 42
    assert native.state(source) == "live"


def test_a_changed_source_is_another_library(cache, source):
    needs_compiler()
    first = native.build(source)
    source.write_text(SOURCE.replace("42", "43"))
    assert native.build(source) != first


def test_two_processes_building_at_once_share_one_library(cache, source):
    needs_compiler()
    script = "import sys; from pathlib import Path; from shared_layers.ops import native;"
    script += "print(native.library(Path(sys.argv[1])).answer())"
    command = [sys.executable, "-c", script, str(source)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=60)[0].strip() for process in running] == ["42", "42"]
    assert len(list(cache.glob("small_kernel-*.so"))) == 1


def test_a_source_that_does_not_compile_says_so_and_a_fallback_is_warned_of_once(
    cache, source, caplog
):
    needs_compiler()
    source.write_text("not C++")
    for _ in range(2):
        with pytest.raises(native.NativeUnavailable, match=r"could not build cpu\.cpp"):
            native.library(source)
    assert "could not build" in native.state(source)
    assert caplog.records == []
    assert not native.is_live(source)
    assert not native.is_live(source)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "could not build" in caplog.text


def test_a_cache_folder_that_cannot_be_written_is_the_reason(tmp_path, source, monkeypatch):
    needs_compiler()
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(native.NativeUnavailable, match="cannot write the cache folder"):
        native.build(source)


def test_without_a_home_directory_the_fallback_runs_and_says_what_to_set(source, monkeypatch):
    needs_compiler()

    def home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", home)
    assert not native.is_live(source)
    assert native.state(source) == "no home directory: set XDG_CACHE_HOME"


def test_without_a_compiler_every_kernel_still_computes_and_says_why(tmp_path):
    script = """
        import math, torch, shared_layers as s
        from shared_layers.config import active_mode
        info = s.kernels_info()
        for kernel in ("depthwise_conv", "causal_conv1d", "log_bessel"):
            assert "CXX=/nonexistent" in info[kernel]["cpp"], info
        x = torch.randn(1, 2, 20, 20, dtype=torch.float64)
        w = torch.randn(2, 1, 7, 7, dtype=torch.float64)
        expected = torch.nn.functional.conv2d(x, w, None, 1, 9, 3, 2)
        found = s.depthwise_conv(x, w, padding=9, dilation=3)
        torch.testing.assert_close(found, expected)
        rows = s.causal_depthwise_conv1d(torch.ones(1, 3, 2), torch.ones(2, 2))
        assert rows[0, :, 0].tolist() == [1, 2, 2]
        half = s.log_iv(0.5, torch.ones(1, dtype=torch.float64))
        assert abs(half.item() - math.log(math.sqrt(2 / math.pi) * math.sinh(1))) < 1e-14
        try:
            s.use_kernels("cpp")
        except RuntimeError as error:
            assert 'use_kernels("cpp"): causal_conv1d: no C++ compiler' in str(error)
            assert active_mode() == "auto"
        else:
            raise AssertionError("a form that cannot be built was taken")
    """
    environment = {**os.environ, "CXX": "/nonexistent", "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env=environment,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("no C++ form") == 3


def test_without_a_compiler_the_command_says_each_reason_once(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "shared_layers"],
        env={**os.environ, "CXX": "/nonexistent", "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
        check=True,
    )
    assert done.stderr == ""
    reasons = [line for line in done.stdout.splitlines() if "CXX=/nonexistent" in line]
    assert [line.split()[0] for line in reasons] == [
        "causal_conv1d", "depthwise_conv", "log_bessel",
    ]  # fmt: skip


def run_in_new_process(script, folder):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env={**os.environ, "XDG_CACHE_HOME": str(folder)},
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
        check=False,
    )


def test_a_compiled_layer_builds_its_kernel_with_an_empty_cache(tmp_path):
    needs_compiler()
    script = """
        import torch, shared_layers as s
        from shared_layers.ops import native
        from shared_layers.ops.depthwise_conv import cpu
        torch.set_num_threads(1)
        cases = [
            (s.DepthwiseConv2d(4, 5), torch.randn(1, 4, 20, 20)),
            (s.ViLLayer(8), torch.randn(1, 9, 8)),
            (lambda x: s.log_iv(1.5, x), torch.rand(5, dtype=torch.double, requires_grad=True)),
            # even a choice that is traced itself: the answer is a constant of the graph
            (lambda x: x + (native.state(cpu.SOURCE) == "live"), torch.ones(1, requires_grad=True)),
        ]
        for layer, x in reversed(cases):
            torch._dynamo.reset()
            y = torch.compile(layer, fullgraph=True, backend="aot_eager")(x)
            torch.testing.assert_close(y, layer(x))
            y.sum().backward()
    """
    done = run_in_new_process(script, tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "convoy" / "kernels").glob("*.so"))) == 3


def test_without_file_locks_the_library_imports_and_builds(tmp_path):
    needs_compiler()
    script = """
        import sys
        sys.modules["fcntl"] = None  # as on Windows
        import shared_layers
        assert shared_layers.kernels_info()["log_bessel"]["cpp"] == "live"
    """
    done = run_in_new_process(script, tmp_path)
    assert done.returncode == 0, done.stderr
