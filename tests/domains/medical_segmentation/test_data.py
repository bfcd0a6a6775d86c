"""Patches: where they lie, what they hold, and that chance comes from the seed alone."""

import gc

import numpy as np
import pytest
import torch

import domains.medical_segmentation.data as module
from domains.errors import DataError
from domains.medical_segmentation.data import PatchData, class_table, load_plan, load_prepared
from domains.medical_segmentation.science.cases import Catalogue
from domains.medical_segmentation.science.geometry import Grid
from domains.medical_segmentation.science.preparation import Prepared

CUBE = (1.0, 1.0, 1.0)  # mm


@pytest.fixture
def data(tiny_dataset, params):
    plan = load_plan(tiny_dataset)
    parts = [load_prepared(tiny_dataset, split, plan) for split in ("train", "validate")]
    classes = class_table(Catalogue.load(tiny_dataset))
    return PatchData(*parts, (16, 16, 16), CUBE, classes, True, params["train"])


def one_case(image, label):
    grid = Grid(label.shape, np.eye(4))
    return Prepared(image.astype(np.float32)[None], label.astype(np.uint8), grid, grid)


def plain(params, **changed):
    quiet = {"spatial_share": 0.0, "intensity_share": 0.0, "foreground_share": 0.0}
    return {**params["train"], **quiet, **changed}


def test_a_sample_is_a_function_of_index_and_seed(data):
    one, same, other = (data.train_sample(1, seed) for seed in (5, 5, 6))
    assert torch.equal(one["image"], same["image"])
    assert torch.equal(one["target"], same["target"])
    assert not torch.equal(one["image"], other["image"])
    assert one["image"].shape == (1, 16, 16, 16)
    assert data.num_train == 8  # four cases, two patches each


def test_image_and_label_stay_together_in_every_change(params):
    label = np.zeros((24, 24, 24), np.uint8)
    label[6:18, 8:16, 9:20] = 1
    case = one_case(label.astype(float), label)
    table = torch.arange(256, dtype=torch.uint8)
    section = plain(params, spatial_share=1.0)
    data = PatchData([case], [case], (16, 16, 16), CUBE, table, True, section)
    for seed in range(10):
        sample = data.train_sample(0, seed)
        inside = sample["image"][0] > 0.5
        assert (inside != (sample["target"] == 1)).float().mean() < 0.02  # rounding at the edge


def test_foreground_patches_hold_each_structure_however_small(params):
    label = np.zeros((64, 64, 64), np.uint8)
    label[2, 3, 4] = 1  # near a corner: the patch is moved into the volume
    label[30:50, 30:50, 30:50] = 2
    case = one_case(label.astype(float), label)
    table = torch.arange(256, dtype=torch.uint8)
    data = PatchData(
        [case], [case], (16, 16, 16), CUBE, table, False, plain(params, foreground_share=1.0)
    )
    held = [set(data.train_sample(0, seed)["target"].unique().tolist()) for seed in range(20)]
    assert all(one & {1, 2} for one in held)
    assert sum(1 in one for one in held) >= 5  # half of the patches, not one voxel in 8,000


def test_a_volume_smaller_than_the_patch_is_continued_by_its_border(params):
    label = np.ones((6, 6, 6), np.uint8)
    case = one_case(3.0 * label, label)
    table = torch.arange(256, dtype=torch.uint8)
    sample = PatchData(
        [case], [case], (16, 16, 16), CUBE, table, False, plain(params)
    ).train_sample(0, 0)
    assert (sample["image"] == 3.0).all()
    assert (sample["target"] == 1).all()


def test_mirroring_swaps_left_and_right_only(params):
    label = np.zeros((16, 16, 16), np.uint8)
    label[:8, :8, :8] = 1
    case = one_case(label.astype(float), label)
    table = torch.arange(256, dtype=torch.uint8)
    data = PatchData([case], [case], (16, 16, 16), CUBE, table, True, plain(params))
    found = [data.train_sample(0, seed)["target"].numpy() for seed in range(12)]
    mirrored = [not np.array_equal(one, label) for one in found]
    assert 0 < sum(mirrored) < 12
    assert all(
        np.array_equal(one, label[::-1]) for one, is_ in zip(found, mirrored, strict=True) if is_
    )
    sided = PatchData([case], [case], (16, 16, 16), CUBE, table, False, plain(params))
    assert all(
        np.array_equal(sided.train_sample(0, seed)["target"].numpy(), label) for seed in range(12)
    )


def test_label_values_become_class_indices():
    catalogue = Catalogue("n", "real", ["CT"], {"liver": 5, "lesion": 9}, {}, {})
    table = class_table(catalogue)
    assert table[[0, 5, 9, 7]].tolist() == [0, 1, 2, 0]


def test_validation_cases_come_whole_and_unchanged(data, tiny_dataset):
    (case,) = list(data.val_dataloader())
    (prepared,) = load_prepared(tiny_dataset, "validate", load_plan(tiny_dataset))
    np.testing.assert_array_equal(case["image"].numpy(), prepared.image)
    assert case["target"].shape == prepared.label.shape


def test_volumes_that_do_not_fit_into_memory_are_mapped_and_give_the_same_patches(
    data, tiny_dataset, params, monkeypatch
):
    monkeypatch.setattr(module, "_IN_MEMORY", 50_000)  # bytes: two of five cases
    plan = load_plan(tiny_dataset)
    parts = [load_prepared(tiny_dataset, split, plan) for split in ("train", "validate")]
    classes = class_table(Catalogue.load(tiny_dataset))
    mapped = PatchData(*parts, (16, 16, 16), CUBE, classes, True, params["train"])
    folder = mapped.store.folder
    assert 0 < len(list(folder.glob("*.npy"))) < 10
    for index in range(4):
        one, two = data.train_sample(index, 7), mapped.train_sample(index, 7)
        assert torch.equal(one["image"], two["image"])
        assert torch.equal(one["target"], two["target"])
    del mapped
    gc.collect()
    assert not folder.exists()


def test_a_folder_without_fingerprint_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"fingerprint.json is missing; run the ingest step"):
        load_plan(tmp_path)
