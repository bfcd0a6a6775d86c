"""What is written as a dataset is read as it was, and is the same bytes each time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from domains.errors import DataError
from domains.files import hash_folder
from domains.medical_segmentation.science.cases import (
    Case,
    Catalogue,
    load_case,
    load_cases,
    save_case,
)


@pytest.mark.parametrize("name", ["a", "scan [1] 0001"])
def test_a_case_is_read_as_it_was_written(
    make_case: Callable[..., Case], tmp_path: Path, name: str
) -> None:
    case = make_case(name, 3)
    both = Case(name, np.concatenate([case.image, np.rint(case.image)]), case.affine, case.label)
    save_case(tmp_path, both)
    found = load_case(tmp_path, name)
    np.testing.assert_array_equal(found.image, both.image)
    np.testing.assert_array_equal(found.label, both.label)
    np.testing.assert_allclose(found.affine, both.affine, atol=1e-6)
    whole = nib.load(tmp_path / "images" / f"{name}_0001.nii.gz")
    assert whole.get_data_dtype() == np.int16


def test_a_dataset_is_the_same_bytes_each_time(
    make_case: Callable[..., Case], tmp_path: Path
) -> None:
    for folder in ("one", "two"):
        save_case(tmp_path / folder, make_case("a", 3))
    assert hash_folder(tmp_path / "one") == hash_folder(tmp_path / "two")


def test_cases_come_in_the_order_of_the_catalogue(tiny_dataset: Path) -> None:
    catalogue = Catalogue.load(tiny_dataset)
    assert [case.name for case in load_cases(tiny_dataset, "train")] == catalogue.splits["train"]


def test_what_is_missing_is_named(tiny_dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="run the ingest step"):
        Catalogue.load(tmp_path)
    with pytest.raises(DataError, match="no image of case nobody"):
        load_case(tiny_dataset, "nobody")
