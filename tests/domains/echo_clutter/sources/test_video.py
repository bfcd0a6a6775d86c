"""Videos: lossless where they should be, with the right rate, the same bytes; damage is told."""

import numpy as np
import pytest

from domains.echo_clutter.sources.video import WRITABLE, read_video, write_video
from domains.errors import DataError


def test_avi_gives_the_very_pixels_back(cine_frames, tmp_path):
    write_video(tmp_path / "a.avi", cine_frames, 25.0, ".avi")
    found = read_video(tmp_path / "a.avi")
    np.testing.assert_array_equal(found.frames, cine_frames)
    assert found.warnings == []


def test_mp4_is_close_and_odd_sizes_get_a_black_line(cine_frames, tmp_path):
    smooth = np.full((10, 61, 79), 90, np.uint8) + np.arange(79, dtype=np.uint8)
    write_video(tmp_path / "a.mp4", smooth, 40.0, ".mp4")
    found = read_video(tmp_path / "a.mp4").frames
    assert found.shape == (10, 62, 80)
    assert np.abs(found[:, :60, :78].astype(int) - smooth[:, :60, :78]).max() <= 6
    assert found[:, 61].max() < 20


@pytest.mark.parametrize("suffix", WRITABLE)
@pytest.mark.parametrize("frame_time_ms", [16.7, 33.333, 50.0])
def test_the_frame_time_is_kept(cine_frames, tmp_path, suffix, frame_time_ms):
    path = tmp_path / f"a{suffix}"
    write_video(path, cine_frames, frame_time_ms, suffix)
    assert read_video(path).frame_time_ms == pytest.approx(frame_time_ms, rel=1e-4)


@pytest.mark.parametrize("suffix", WRITABLE)
def test_the_same_frames_give_the_same_bytes(cine_frames, tmp_path, suffix):
    for name in ("a", "b"):
        write_video(tmp_path / name, cine_frames, 20.0, suffix)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_colour_becomes_grey_and_an_overlay_is_told_once(tmp_path):
    import av

    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=20)
        stream.height, stream.width, stream.pix_fmt = 64, 64, "yuv420p"
        image = np.full((64, 64, 3), 100, np.uint8)
        image[:32] = [200, 30, 30]
        for _ in range(4):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    found = read_video(tmp_path / "a.mp4")
    assert np.abs(found.frames[0, 40:60].astype(int) - 100).max() <= 3
    assert np.abs(found.frames[0, 5:25].astype(int) - 81).max() <= 3  # luma of (200, 30, 30)
    assert len(found.warnings) == 1
    assert "50 % of the pixels are coloured" in found.warnings[0]


def test_a_video_needs_a_frame_time(cine_frames, tmp_path):
    with pytest.raises(DataError, match=r"set ingest\.files\.frame_time_ms"):
        write_video(tmp_path / "a.avi", cine_frames, float("nan"), ".avi")


@pytest.mark.parametrize("share", [0.05, 0.5, 0.8])
@pytest.mark.parametrize("suffix", WRITABLE)
def test_a_file_cut_short_is_refused(tmp_path, suffix, share):
    frames = np.random.default_rng(0).integers(0, 255, (20, 64, 64)).astype(np.uint8)
    write_video(tmp_path / "whole", frames, 25.0, suffix)
    content = (tmp_path / "whole").read_bytes()
    (tmp_path / f"cut{suffix}").write_bytes(content[: int(len(content) * share)])
    with pytest.raises(DataError, match="cut short"):
        read_video(tmp_path / f"cut{suffix}")


def test_what_is_no_video_is_refused(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"no video" * 500)
    with pytest.raises(DataError, match=r"a\.mp4: not a readable video"):
        read_video(tmp_path / "a.mp4")
