"""BVH in and out: the round trip, Euler orders, and files that are not right."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from domains.dance_generation.sources.bvh import from_channels, read_bvh, to_channels, write_bvh
from domains.dance_generation.sources.dancer import SKELETON
from domains.dance_generation.sources.takes import read_take
from domains.errors import DataError

TWO = """HIERARCHY
ROOT hip
{
  OFFSET 1 2 3
  CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
  JOINT foot
  {
    OFFSET 0 -90 0
    CHANNELS 2 Yrotation Xrotation
    End Site
    {
      OFFSET 0 0 10
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.0166667
10 20 30 0 0 0 0 0
10 20 30 90 20 10 40 -30
"""


@pytest.fixture
def two(tmp_path):
    """Write the two-joint file, changed, and read it."""

    def run(old: str = "", new: str = ""):
        path = tmp_path / "two.bvh"
        path.write_text(TWO.replace(old, new) if old else TWO)
        return read_bvh(path)

    return run


def test_each_joint_turns_in_the_order_of_its_own_channels(two):
    found = two()
    np.testing.assert_allclose(found.root_position, [[0.1, 0.2, 0.3]] * 2)
    root = Rotation.from_euler("ZYX", [90, 20, 10], degrees=True).as_matrix()
    foot = Rotation.from_euler("YX", [40, -30], degrees=True).as_matrix()
    np.testing.assert_allclose(found.rotations[1], [root, foot], atol=1e-12)
    other = two("Zrotation Yrotation Xrotation", "Xrotation Zrotation Yrotation")
    root = Rotation.from_euler("XZY", [90, 20, 10], degrees=True).as_matrix()
    np.testing.assert_allclose(other.rotations[1, 0], root, atol=1e-12)


def test_units_end_sites_and_frame_time_are_read(two):
    found = two()
    assert found.fps == pytest.approx(60.0, abs=1e-3)
    assert found.skeleton.offsets_m[1] == (0.0, -0.9, 0.0)
    assert found.skeleton.end_sites == ((1, (0.0, 0.0, 0.1)),)
    assert found.skeleton.order(1) == "YX"


def test_line_ends_of_windows_and_tabs_change_nothing(two):
    truth = two()
    np.testing.assert_array_equal(two("\n", "\r\n").rotations, truth.rotations)
    np.testing.assert_array_equal(two("  ", "\t").rotations, truth.rotations)


def test_what_was_written_is_read_again(tmp_path, take):
    path = tmp_path / "a.bvh"
    write_bvh(path, SKELETON, take.root_position, take.rotations, 30.0)
    found = read_bvh(path)
    assert found.skeleton == SKELETON
    assert found.fps == pytest.approx(30.0, abs=1e-5)
    np.testing.assert_allclose(found.rotations, take.rotations, atol=1e-7)
    np.testing.assert_allclose(found.root_position, take.root_position, atol=1e-8)
    write_bvh(tmp_path / "b.bvh", SKELETON, found.root_position, found.rotations, 30.0)
    assert (tmp_path / "b.bvh").read_text() == path.read_text()


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_names_are_written_in_the_bytes_they_were_read_in(tmp_path, encoding):
    path = tmp_path / "a.bvh"
    path.write_text(TWO.replace("JOINT foot", "JOINT fuß"), encoding=encoding)
    found = read_bvh(path)
    write_bvh(tmp_path / "b.bvh", found.skeleton, found.root_position, found.rotations, found.fps)
    assert "JOINT fuß\n".encode(encoding) in (tmp_path / "b.bvh").read_bytes()
    foreign = replace(found.skeleton, names=("hip", "足"))  # of an archive
    write_bvh(tmp_path / "b.bvh", foreign, found.root_position, found.rotations, found.fps)
    assert read_bvh(tmp_path / "b.bvh").skeleton.names == ("hip", r"\u8db3")


def test_a_real_take_is_written_with_its_own_hierarchy(tmp_path, test_data):
    path = test_data / "dance" / "bvh" / "salsa_10.bvh"
    found = read_bvh(path)
    part = slice(0, 100)
    write_bvh(
        tmp_path / "a.bvh", found.skeleton, found.root_position[part], found.rotations[part], 60.0
    )
    heads = [file.read_text().split("MOTION")[0].split() for file in (path, tmp_path / "a.bvh")]
    assert [w for w in heads[0] if not w[-1].isdigit()] == [
        w for w in heads[1] if not w[-1].isdigit()
    ]
    numbers = [
        [float(w) for w in head if w[-1].isdigit() and w[0] in "-0123456789"] for head in heads
    ]
    np.testing.assert_allclose(numbers[1], numbers[0], atol=1e-4)
    again = read_bvh(tmp_path / "a.bvh")
    np.testing.assert_allclose(again.rotations, found.rotations[part], atol=1e-7)


def test_curves_have_no_jumps_where_the_angles_pass_a_half_turn():
    turns = Rotation.from_euler("Y", np.linspace(0, 720, 100)[:, None], degrees=True).as_matrix()
    rotations = np.tile(np.eye(3), (100, len(SKELETON), 1, 1))
    rotations[:, 0] = turns
    values = to_channels(SKELETON, np.zeros((100, 3)), rotations)
    assert np.abs(np.diff(values, axis=0)).max() < 8.0
    found = from_channels("a", SKELETON, values, 30.0)
    np.testing.assert_allclose(found.rotations[:, 0], turns, atol=1e-9)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "40 -30\n",
            "40\n",
            r"15 numbers of motion, expected 2 frames × 8 channels .* cut short after frame 1",
        ),
        ("40 -30\n", "40 -30 7\n", "17 numbers of motion, .* not of its hierarchy"),
        ("40 -30\n", "40 x\n", "'x' among the motion's numbers"),
        ("Frames: 2", "Frames: two", "expected `Frames: N` and `Frame Time: seconds`"),
        ("Frame Time: 0.0166667", "Frame Time: 0", "expected `Frames: N`"),
        ("HIERARCHY", "<xml>", "no BVH file, expected HIERARCHY and then MOTION"),
        ("    }\n  }\n}\n", "", "braces of the hierarchy are not closed"),
        ("OFFSET 0 -90 0", "OFFSET 0 -90 zero", "a word for a number near joint foot"),
        ("2 Yrotation Xrotation", "2 Yrotation Wrotation", "joint foot has the channel Wrotation"),
        ("2 Yrotation Xrotation", "2 Yrotation Yrotation", "joint foot has a channel twice"),
        (
            "MOTION",
            "ROOT other\n{\n}\nMOTION",
            "a second ROOT, other; expected one dancer per file",
        ),
    ],
)
def test_a_file_that_is_not_right_is_refused_in_one_line(two, old, new, message):
    with pytest.raises(DataError, match=message) as caught:
        two(old, new)
    assert "\n" not in str(caught.value)


def test_a_bone_that_changes_its_length_is_counted(take):
    six = ("Xposition", "Yposition", "Zposition", "Zrotation", "Xrotation", "Yrotation")
    stretching = replace(SKELETON, channels=(six,) * len(SKELETON))
    values = to_channels(stretching, take.root_position, take.rotations)
    assert from_channels("a", stretching, values, 30.0).warnings == ()
    values[300:, 7] += 5.0
    found = from_channels("a", stretching, values, 30.0)
    assert found.warnings == (
        "a: the bone to spine changes by 5.0 cm, its median is used throughout",
    )


def test_the_lying_header_of_real_takes_is_refused_and_the_true_rate_accepted(test_data):
    for path in sorted((test_data / "dance" / "bvh").glob("*.bvh")):
        with pytest.raises(
            DataError, match=r"header says 120 .* set ingest.files.fps .*perhaps 60"
        ):
            read_take(path)
        assert read_take(path, fps=60.0).fps == 60.0
