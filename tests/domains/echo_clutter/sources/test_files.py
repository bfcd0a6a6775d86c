"""The user's files: found, recognised, cut to size, split by file and by patient."""

import hashlib

import numpy as np
import pytest

from domains.echo_clutter.params import FilesParams
from domains.echo_clutter.science.geometry import Window
from domains.echo_clutter.sources.files import collect_files, find_files, read_cine, to_clip
from domains.echo_clutter.sources.video import write_video
from domains.errors import DataError


@pytest.fixture
def settings(params):
    def make(**changes):
        return FilesParams.model_validate(params["ingest"]["files"] | changes)

    return make


@pytest.fixture
def folder(tmp_path, cine_frames):
    """Five archives, clip_0 to clip_4, 10 frames each."""
    made = tmp_path / "clips"
    made.mkdir()
    for number in range(5):
        np.savez(made / f"clip_{number}.npz", frames=np.roll(cine_frames, number, axis=0))
    return made


def test_files_are_known_by_content_or_ending(tmp_path, dicom_file, cine_frames, settings):
    dicom_file(cine_frames, "IM0001")  # scanners give no ending
    np.savez(tmp_path / "b.npz", frames=cine_frames)
    write_video(tmp_path / "c.avi", cine_frames, 25.0, ".avi")
    (tmp_path / "notes").write_text("not an image")
    found = find_files(str(tmp_path))
    assert [path.name for path in found] == ["IM0001", "b.npz", "c.avi"]
    for path in found:
        np.testing.assert_array_equal(read_cine(path, settings()).frames, cine_frames)


def test_a_declared_frame_time_takes_the_place_of_the_warning(dicom_file, cine_frames, settings):
    path = dicom_file(cine_frames, FrameTime=None)
    assert "no FrameTime" in read_cine(path, settings()).warnings[0]
    cine = read_cine(path, settings(frame_time_ms=18.0))
    assert cine.frame_time_ms == 18.0
    assert cine.warnings == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.npz", b"", "the file is empty"),
        ("a.xyz", b"text" * 100, r"of no known kind, expected DICOM, \.npz"),
        ("a.dcm", b"text" * 100, "not a readable DICOM file"),
    ],
)
def test_a_file_of_no_use_is_refused(tmp_path, settings, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_cine(tmp_path / name, settings())


def test_a_folder_without_cines_and_a_wrong_path_are_told_apart(tmp_path):
    with pytest.raises(DataError, match="no cine in the folder, expected DICOM"):
        find_files(str(tmp_path))
    with pytest.raises(DataError, match="no such file or folder"):
        find_files(str(tmp_path / "nowhere"))


def test_a_clip_is_the_square_around_the_sector(dicom_file, cine_frames, settings):
    cine = read_cine(dicom_file(cine_frames), settings())
    cine.pixel_mm = 0.5
    clip = to_clip(cine, 32, "auto", are_clean=True)
    sector = cine.find_sector()
    window = Window.around(sector, 32)
    assert clip.clean.shape == (10, 32, 32)
    assert clip.cluttered is None
    assert clip.pixel_mm == pytest.approx(0.5 * window.side / 32)
    # text lies off the sector, and what lies there is black
    assert (clip.clean[:, ~clip.sector] == 0).all()
    level = cine.frames[:, sector].mean()
    assert clip.clean[:, clip.sector].mean() == pytest.approx(level, rel=0.05)


@pytest.mark.parametrize(
    ("arrays", "are_clean", "expected"),
    [
        (("frames",), True, {"clean"}),
        (("frames",), False, {"cluttered"}),
        (("cluttered",), True, {"cluttered"}),
        (("clean",), False, {"clean"}),
        (("cluttered", "clean"), False, {"cluttered", "clean"}),
    ],
)
def test_what_is_truth_and_what_is_not(
    tmp_path, cine_frames, settings, arrays, are_clean, expected
):
    np.savez(tmp_path / "a.npz", **dict.fromkeys(arrays, cine_frames))
    cine = read_cine(tmp_path / "a.npz", settings())
    assert set(to_clip(cine, 32, "auto", are_clean).images) == expected


def test_without_lists_the_last_fifth_tests(folder, settings):
    splits = collect_files(str(folder), settings(), 32).splits
    assert [[clip.name for clip in splits[s]] for s in ("train", "validate", "test")] == [
        ["clip_0", "clip_1", "clip_2"],
        ["clip_3"],
        ["clip_4"],
    ]


def test_lists_are_kept_and_the_rest_is_counted(folder, settings):
    lists = {"train_clips": ["clip_4"], "validate_clips": ["clip_0"], "test_clips": ["clip_2"]}
    found = collect_files(str(folder), settings(**lists), 32)
    assert [clip.name for clip in found.splits["train"]] == ["clip_4"]
    assert found.rejected == {"file in no split": 2}
    with pytest.raises(DataError, match="no file or clip is named clip_9; the clips are clip_0, "):
        collect_files(str(folder), settings(**(lists | {"test_clips": ["clip_9"]})), 32)
    with pytest.raises(DataError, match="clip clip_0 is in two of the lists"):
        collect_files(str(folder), settings(**(lists | {"test_clips": ["clip_0"]})), 32)


def test_clips_without_truth_are_in_vivo(folder, settings):
    found = collect_files(str(folder), settings(are_clean=False), 32)
    assert len(found.splits["in_vivo"]) == 5
    assert found.splits["train"] == []


def test_single_frames_are_counted_and_left_out(folder, settings, cine_frames):
    np.savez(folder / "still.npz", frames=cine_frames[:1])
    found = collect_files(str(folder), settings(), 32)
    assert found.rejected == {"fewer than 8 frames": 1}
    assert sum(len(clips) for clips in found.splits.values()) == 5


def test_a_patient_in_two_splits_is_refused_without_a_name(
    tmp_path, dicom_file, cine_frames, settings
):
    for number, patient in enumerate(("Ann", "Bob", "Ann")):
        moved = np.roll(cine_frames, number, axis=0)
        dicom_file(moved, f"{number}.dcm", PatientID=f"{patient}-secret")
    with pytest.raises(
        DataError, match=r"clip_\w+ \(train\) and clip_\w+ \(test\) are of one patient"
    ) as error:
        collect_files(str(tmp_path), settings(), 32)
    assert "secret" not in str(error.value)


NAMES = ("DOE_JANE_1950", "ROE_RICHARD_1960", "POE_EDGAR_1970")


@pytest.fixture
def patients(tmp_path, dicom_file, cine_frames):
    """Three DICOM files named after patients, with something to warn of; clip's name by file's."""
    found = {}
    for number, name in enumerate(NAMES):
        moved = np.roll(cine_frames, number, axis=0)
        path = dicom_file(moved, f"{name}.dcm", PatientID=name, FrameTime=None)
        found[name] = f"clip_{hashlib.sha256(moved.tobytes()).hexdigest()[:10]}"
    assert path.parent == tmp_path
    return found


def test_a_dicom_clip_is_named_by_its_pixels_and_nothing_tells_the_file(
    patients, tmp_path, settings, caplog
):
    found = collect_files(str(tmp_path), settings(), 32)
    clips = [clip for clips in found.splits.values() for clip in clips]
    assert {clip.name for clip in clips} == set(patients.values())
    assert sum("no FrameTime" in line for line in found.warnings) == 3
    told = f"{found.warnings} {found.source} {[(c.name, c.subject) for c in clips]} {caplog.text}"
    assert not any(part in told for name in NAMES for part in name.split("_"))


def test_lists_name_dicom_by_its_file_or_its_clip(patients, tmp_path, settings):
    lists = {
        "train_clips": [NAMES[2]],
        "validate_clips": [patients[NAMES[0]]],
        "test_clips": [NAMES[1]],
    }
    splits = collect_files(str(tmp_path), settings(**lists), 32).splits
    found = [splits[split][0].name for split in ("train", "validate", "test")]
    assert found == [patients[NAMES[number]] for number in (2, 0, 1)]
    lists["train_clips"] = [NAMES[0]]
    with pytest.raises(DataError, match="in train_clips and in validate_clips, by its own name"):
        collect_files(str(tmp_path), settings(**lists), 32)


def test_two_copies_of_one_dicom_file_are_refused(dicom_file, cine_frames, tmp_path, settings):
    for name in ("a.dcm", "b.dcm"):
        dicom_file(cine_frames, name)
    with pytest.raises(DataError, match="or hold the same DICOM frames"):
        collect_files(str(tmp_path), settings(), 32)


def test_two_files_of_one_name_and_too_few_clips_are_refused(folder, settings, cine_frames):
    (folder / "more").mkdir()
    np.savez(folder / "more" / "clip_0.npz", frames=cine_frames)
    with pytest.raises(DataError, match="two files are named clip_0"):
        collect_files(str(folder), settings(), 32)
    with pytest.raises(DataError, match="1 clean clips, expected three or more"):
        collect_files(str(folder / "more"), settings(), 32)
