"""A volume in, its labels on the very same voxels out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray

from domains.errors import DataError
from domains.medical_segmentation.predict import example_input, infer, predict
from domains.medical_segmentation.science.cases import Case
from domains.medical_segmentation.science.preparation import prepare, restore, to_label


class Threshold:
    """A stand-in for a network: what is brighter than the median by a share of the spread."""

    channels = ("intensity",)
    labels: Mapping[str, int] = {"bright": 3}
    regions: Mapping[str, Sequence[int]] | None = None

    def __init__(self, spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.5)) -> None:
        self.plan: dict[str, Any] = {
            "spacing_mm": list(spacing_mm),
            "patch": [8, 16, 24],
            "normalisation": [{"kind": "volume", "within": "all"}] * len(self.channels),
            "seen": {"extent_mm": [[18.0, 20.0, 21.0]] * 2, "volume_ml": {"3": [0.4, 0.6]}},
        }

    def segment(self, image: NDArray, affine: NDArray) -> NDArray[np.uint8]:
        prepared = prepare(Case("x", image, affine), self.plan)
        bright = (prepared.image.mean(axis=0) > 1.0).astype(np.float32)
        return to_label(
            restore(np.stack([1 - bright, bright]), prepared), list(self.labels.values())
        )


class TwoChannels(Threshold):
    channels = ("T1", "T2")  # type: ignore[assignment]


@pytest.fixture
def image(make_case: Callable[..., Case], tmp_path: Path) -> Path:
    """A ball in LPS voxels, slope and units and all."""
    case = make_case("a", 0)
    affine = case.affine @ np.diag([-1.0, -1.0, 1.0, 1.0])
    affine[:2, 3] = -case.affine[:2, 3]
    values = nib.Nifti1Image(case.image[0, ::-1, ::-1].astype(np.float64), affine)
    values.set_data_dtype(np.int16)
    values.set_qform(affine, code=1)
    values.set_sform(affine, code=4)
    values.header["descrip"] = b"scanner"
    values.header["cal_max"] = 900
    nib.save(values, tmp_path / "ball.nii.gz")
    return tmp_path / "ball.nii.gz"


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.5), (0.8, 1.3, 2.0)])
def test_the_answer_lies_on_the_voxels_of_the_input(
    params: dict, image: Path, tmp_path: Path, spacing: tuple[float, float, float]
) -> None:
    predict(Threshold(spacing), image, tmp_path / "out.nii.gz", **params)
    given, answer = nib.load(image), nib.load(tmp_path / "out.nii.gz")
    np.testing.assert_array_equal(answer.affine, given.affine)
    assert answer.shape == given.shape
    for key in ("sform_code", "qform_code", "pixdim", "srow_x", "quatern_d", "xyzt_units"):
        np.testing.assert_array_equal(answer.header[key], given.header[key])
    assert answer.get_data_dtype() == np.uint8
    assert answer.header["cal_max"] == 0
    values, label = given.get_fdata(), np.asarray(answer.dataobj)
    assert set(np.unique(label)) == {0, 3}
    assert values[label == 3].mean() > 3 * values[label == 0].mean()


def test_volumes_in_ml_are_voxels_times_their_size(
    params: dict, image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    predict(Threshold(), image, tmp_path / "out.nii.gz", **params)
    label = np.asarray(nib.load(tmp_path / "out.nii.gz").dataobj)
    told = json.loads((tmp_path / "out.json").read_text())
    assert told["volume_ml"]["bright"] == pytest.approx((label == 3).sum() * 1.5 / 1000, abs=1e-4)
    assert capsys.readouterr().out == f"out.nii.gz: bright {told['volume_ml']['bright']:g} ml\n"
    params["evaluate"]["predict"]["volumes"] = False
    predict(Threshold(), image, tmp_path / "quiet.nii", **params)
    assert not (tmp_path / "quiet.json").exists()
    np.testing.assert_array_equal(np.asarray(nib.load(tmp_path / "quiet.nii").dataobj), label)


def test_an_answer_unlike_all_training_cases_is_written_with_a_warning(
    params: dict, image: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    task = Threshold()
    predict(task, image, tmp_path / "out.nii.gz", **params)
    assert not caplog.messages
    task.plan["seen"]["volume_ml"]["3"] = [9.0, 10.0]
    predict(task, image, tmp_path / "out.nii.gz", **params)
    (told,) = caplog.messages
    assert "out.nii.gz: bright has 0." in told
    assert told.endswith("ml, in the training cases 9 to 10 ml")


def test_the_same_input_gives_the_same_bytes(params: dict, image: Path, tmp_path: Path) -> None:
    params["evaluate"]["predict"]["overlay"] = True
    for name in ("one", "two"):
        predict(Threshold(), image, tmp_path / name / "out.nii.gz", **params)
    for file in ("out.nii.gz", "out.png", "out.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    assert (tmp_path / "one" / "out.png").read_bytes().startswith(b"\x89PNG")


def test_a_big_endian_input_has_a_little_endian_answer(
    params: dict, make_case: Callable[..., Case], tmp_path: Path
) -> None:
    case, header = make_case("a", 0), nib.Nifti1Header(endianness=">")
    header.set_data_dtype(np.dtype(">f4"))
    big = nib.Nifti1Image(case.image[0], case.affine, header)
    (tmp_path / "big.nii").write_bytes(big.to_bytes())
    predict(Threshold(), tmp_path / "big.nii", tmp_path / "out.nii", **params)
    answer = nib.load(tmp_path / "out.nii")
    assert answer.header.endianness == "<"
    np.testing.assert_allclose(answer.affine, case.affine, atol=1e-6)


def test_the_other_channels_are_found_beside_the_first(
    params: dict, make_case: Callable[..., Case], tmp_path: Path
) -> None:
    case = make_case("a", 0)
    for number in (0, 1):
        volume = nib.Nifti1Image(case.image[0], case.affine)
        nib.save(volume, tmp_path / f"scan_{number:04d}.nii.gz")
    predict(TwoChannels(), tmp_path / "scan_0000.nii.gz", tmp_path / "out.nii.gz", **params)
    assert nib.load(tmp_path / "out.nii.gz").shape == case.image.shape[1:]


@pytest.mark.parametrize(("input", "output"), [("scan_0000.nii.gz", "scan.nii.gz"), (".", ".")])
def test_an_answer_beside_its_numbered_image_is_no_channel_of_the_next_run(
    params: dict, image: Path, tmp_path: Path, input: str, output: str
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    shutil.copy(image, folder / "scan_0000.nii.gz")
    answers = []
    for _ in range(2):
        predict(Threshold(), folder / input, folder / output, **params)
        answers.append((folder / "scan.nii.gz").read_bytes())
    assert answers[0] == answers[1]


def test_regions_are_told_instead_of_labels_that_no_answer_has(
    params: dict, image: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    task = Threshold()
    task.labels, task.regions = {"core": 3, "never_painted": 4}, {"tumour": [3, 4]}
    task.plan["seen"]["volume_ml"] = {"3+4": [0.4, 0.6]}
    params["evaluate"]["predict"]["overlay"] = True
    predict(task, image, tmp_path / "out.nii.gz", **params)
    label = np.asarray(nib.load(tmp_path / "out.nii.gz").dataobj)
    told = json.loads((tmp_path / "out.json").read_text())["volume_ml"]
    assert told == {"tumour": pytest.approx((label == 3).sum() * 1.5 / 1000, abs=1e-4)}
    assert not caplog.messages
    assert (tmp_path / "out.png").is_file()


def test_a_folder_of_cases_gives_a_folder_of_answers(
    params: dict, make_case: Callable[..., Case], tmp_path: Path
) -> None:
    for name in ("a", "b"):
        case = make_case(name, 1)
        path = tmp_path / "in" / f"{name}.nii.gz"
        path.parent.mkdir(exist_ok=True)
        nib.save(nib.Nifti1Image(case.image[0], case.affine), path)
    predict(Threshold(), tmp_path / "in", tmp_path / "out", **params)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["a.json", "a.nii.gz", "b.json", "b.nii.gz"]


def test_a_dicom_series_has_its_answer_in_scanner_coordinates(params: dict, tmp_path: Path) -> None:
    from pydicom import dcmread, dcmwrite
    from pydicom.data import get_testdata_file

    one = dcmread(str(get_testdata_file("MR_small.dcm", download=False)))
    x, y, z = (float(value) for value in one.ImagePositionPatient)
    (tmp_path / "series").mkdir()
    for number in range(3):
        one.ImagePositionPatient = [x, y, z + 5.0 * number]
        dcmwrite(tmp_path / "series" / f"{9 - number}.dcm", one)
    predict(Threshold(), tmp_path / "series", tmp_path / "out.nii.gz", **params)
    answer = nib.load(tmp_path / "out.nii.gz")
    assert answer.shape == (64, 64, 3)
    assert int(answer.header["sform_code"]) == 1
    spacing = [float(value) for value in one.PixelSpacing]
    zooms = answer.header.get_zooms()
    np.testing.assert_allclose(zooms, (spacing[1], spacing[0], 5.0), rtol=1e-5)


@pytest.mark.parametrize(
    ("input", "output", "message"),
    [
        ("ball.nii.gz", "out.png", "cannot write this kind of file, expected .nii or .nii.gz"),
        ("ball.nii.gz", "ball.nii.gz", "is the input itself"),
        (".", "out.nii.gz", "the input is a folder of cases, expected a folder too"),
        ("empty", "out", "nothing there, expected NIfTI files or a DICOM series"),
    ],
)
def test_places_that_cannot_be_are_refused(
    params: dict, image: Path, tmp_path: Path, input: str, output: str, message: str
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=message):
        predict(Threshold(), tmp_path / input, tmp_path / output, **params)


def test_nothing_is_left_behind_when_the_input_is_bad(params: dict, tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(np.ones((4, 4, 4), np.int16), np.eye(4)), tmp_path / "flat.nii.gz")
    with pytest.raises(DataError, match="channel 0 is 1 in every voxel"):
        predict(Threshold(), tmp_path / "flat.nii.gz", tmp_path / "new" / "out.nii.gz", **params)
    assert not (tmp_path / "new").exists()


def test_the_example_is_answered_and_the_answer_is_that_of_the_file(
    params: dict, image: Path, tmp_path: Path
) -> None:
    task = Threshold()
    example = example_input(task)
    assert infer(task, example)["label"].shape == (8, 16, 24)
    given = nib.load(image)
    arrays = {"image": given.get_fdata(dtype=np.float32)[None], "affine": given.affine}
    predict(task, image, tmp_path / "out.nii.gz", **params)
    answer = np.asarray(nib.load(tmp_path / "out.nii.gz").dataobj)
    np.testing.assert_array_equal(infer(task, arrays)["label"], answer)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"affine": None}, "affine missing"),
        ({"image": np.zeros((2, 4, 4, 4))}, r"expected \(1, X, Y, Z\): intensity"),
        ({"affine": np.zeros((4, 4))}, "affine has no inverse"),
        ({"image": np.full((1, 4, 4, 4), np.nan)}, "NaN or infinite"),
    ],
)
def test_arrays_that_cannot_be_answered_are_refused(change: dict, message: str) -> None:
    task = Threshold()
    arrays = {key: value for key, value in {**example_input(task), **change}.items()
              if value is not None}  # fmt: skip
    with pytest.raises(DataError, match=message):
        infer(task, arrays)


def test_a_network_answers_a_volume_smaller_than_its_patch(
    params: dict, tiny_dataset: Path, make_case: Callable[..., Case], tmp_path: Path
) -> None:
    from domains.medical_segmentation.train import build

    task, _ = build(tiny_dataset, model=params["model"], train=params["train"])
    case = make_case("small", 2, (7, 9, 4))
    nib.save(nib.Nifti1Image(case.image[0], case.affine), tmp_path / "small.nii.gz")
    predict(task, tmp_path / "small.nii.gz", tmp_path / "out.nii.gz", **params)
    answer = nib.load(tmp_path / "out.nii.gz")
    assert answer.shape == (7, 9, 4)
    assert set(np.unique(np.asarray(answer.dataobj))) <= {0, 1, 2}
    volumes = json.loads((tmp_path / "out.json").read_text())["volume_ml"]
    assert list(volumes) == ["front", "back"]
    assert infer(task, example_input(task))["label"].shape == tuple(task.plan["patch"])
