"""Checks that every motion file passes, and the readers of pickles and archives."""

import os
import pickle
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from domains.dance_generation.science.rotations import to_6d
from domains.dance_generation.sources import aist
from domains.dance_generation.sources.bvh import write_bvh
from domains.dance_generation.sources.dancer import SKELETON
from domains.dance_generation.sources.takes import checked, read_take
from domains.errors import DataError


def test_a_file_in_another_unit_is_refused_and_the_right_unit_named(bvh):
    assert read_take(bvh).skeleton.height_m == pytest.approx(1.74)
    with pytest.raises(DataError, match=r"skeleton is 174 m tall.*set ingest.files.unit: cm"):
        read_take(bvh, unit="m")


def test_a_skeleton_with_z_up_is_refused(take):
    lying = tuple((x, z, y) for x, y, z in SKELETON.offsets_m)
    tipped = replace(take, skeleton=replace(SKELETON, offsets_m=lying))
    with pytest.raises(DataError, match=r"bones lie along z .* expected y up; export it with y up"):
        checked(tipped, "a.bvh", is_declared=True)


def test_a_rest_pose_in_front_of_the_motion_is_dropped_and_counted(take):
    turned = take.rotations.copy()
    turned[0] = np.eye(3)
    turned[0, SKELETON.names.index("left_arm")] = Rotation.from_euler(
        "Z", 90, degrees=True
    ).as_matrix()
    turned[0, SKELETON.names.index("right_arm")] = Rotation.from_euler(
        "Z", -90, degrees=True
    ).as_matrix()
    root = take.root_position.copy()
    root[0] += [1.0, 0.0, 1.0]
    found = checked(replace(take, rotations=turned, root_position=root), "a.bvh", is_declared=True)
    assert len(found) == 599
    assert found.warnings == (
        "a.bvh: dropped the first of 600 frames, a rest pose before the motion",
    )
    assert len(checked(take, "a.bvh", is_declared=True)) == 600


def test_numbers_that_are_none_and_files_of_a_blink_are_refused(take, tmp_path):
    broken = take.rotations.copy()
    broken[7] = np.nan
    with pytest.raises(DataError, match="a value that is no number, first near frame 7"):
        checked(replace(take, rotations=broken), "a.bvh", is_declared=True)
    path = tmp_path / "short.bvh"
    write_bvh(path, SKELETON, take.root_position[:5], take.rotations[:5], 30.0)
    with pytest.raises(DataError, match="5 frames at 30 per second, expected at least a second"):
        read_take(path)
    with pytest.raises(DataError, match=r"no motion file, expected one of .bvh, .pkl, .npz"):
        read_take(tmp_path / "a.fbx")


def motions(num: int = 90) -> dict:
    """What an AIST++ file holds."""
    rng = np.random.default_rng(0)
    return {
        "smpl_loss": np.float64(0.1),
        "smpl_poses": rng.normal(0, 0.2, (num, 72)),
        "smpl_trans": rng.normal(90, 1, (num, 3)),
        "smpl_scaling": np.array([93.7]),
    }


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_aist_poses_are_axis_angles_and_places_are_divided_by_the_scale(tmp_path, protocol):
    path = tmp_path / "gBR_sBM_cAll_d04_mBR0_ch01.pkl"
    values = motions()
    path.write_bytes(pickle.dumps(values, protocol))
    found = aist.read_aist(path)
    truth = Rotation.from_rotvec(values["smpl_poses"].reshape(-1, 3)).as_matrix()
    np.testing.assert_allclose(found.rotations.reshape(-1, 3, 3), truth, atol=1e-12)
    np.testing.assert_allclose(found.root_position, values["smpl_trans"] / 93.7)
    assert found.fps == 60.0


class Evil:
    def __reduce__(self):
        return os.system, ("touch pwned",)


def test_a_pickle_that_would_run_a_command_is_refused_and_runs_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps({"smpl_poses": Evil()}))
    with pytest.raises(
        DataError, match=r"it asks for posix.system; a pickle may hold arrays alone"
    ):
        aist.read_aist(path)
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pickle.dumps(motions())[:200], r"not loaded|no pickle or cut short"),
        (b"HIERARCHY", "not loaded|no pickle"),
        (pickle.dumps([1, 2]), "holds a list, expected a dictionary of arrays"),
        (
            pickle.dumps({"keypoints3d": np.zeros(3)}),
            "it holds keypoints, take the file of motions",
        ),
        (pickle.dumps({**motions(), "smpl_poses": np.zeros((9, 71))}), r"smpl_poses \(9, 71\)"),
    ],
)
def test_other_pickles_are_refused_in_one_line(tmp_path, content, message):
    path = tmp_path / "a.pkl"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        aist.read_aist(path)
    assert "\n" not in str(caught.value)


def test_an_archive_of_rotations_gives_the_motion_back(tmp_path, take):
    arrays = {
        "joints": np.array(SKELETON.names),
        "parents": np.array(SKELETON.parents),
        "offsets_m": np.array(SKELETON.offsets_m),
        "root_position_m": take.root_position,
        "rotations": to_6d(take.rotations),
        "fps": 30.0,
    }
    np.savez(tmp_path / "a.npz", **arrays)
    found = read_take(tmp_path / "a.npz")
    np.testing.assert_allclose(found.positions(), take.positions(), atol=1e-9)
    del arrays["fps"]
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(
        DataError, match=r"does not say its frames per second; set ingest.files.fps"
    ):
        read_take(tmp_path / "a.npz")
    assert read_take(tmp_path / "a.npz", fps=30.0).fps == 30.0


def test_an_archive_of_objects_or_a_damaged_one_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", joints=np.array([Evil()], dtype=object))
    (tmp_path / "b.npz").write_bytes(b"PK\x03\x04 cut")
    for name in "ab":
        with pytest.raises(DataError, match="no archive of plain arrays"):
            read_take(tmp_path / f"{name}.npz")


def test_the_archive_of_real_takes_holds_the_motion_of_the_original_file(test_data):
    from domains.dance_generation.sources.npz import read_archived, read_arrays, take_names

    path = test_data / "dance" / "salsa_takes.npz"
    arrays = read_arrays(path)
    assert len(take_names(arrays)) == 15
    found = read_archived(path, arrays, "10", "salsa_10")
    truth = read_take(test_data / "dance" / "bvh" / "salsa_10.bvh", fps=60.0)
    np.testing.assert_allclose(found.rotations, truth.rotations, atol=2e-6)
    assert found.fps == 60.0
    assert found.skeleton.names == truth.skeleton.names
