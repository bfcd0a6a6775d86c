"""The task: learns, keeps what it learned on disk, comes near the optimum, is linear."""

import numpy as np
import pytest
import torch

from domains.cmb_inpainting.science.covariance import Covariance
from domains.cmb_inpainting.science.fills import ConstrainedMean, diffusive_fill
from domains.cmb_inpainting.science.masks import draw_masks
from domains.cmb_inpainting.science.scores import gap_closed
from domains.cmb_inpainting.science.skies import Masks, SkySet
from domains.cmb_inpainting.train import build
from domains.errors import DataError
from domains.task import load_task, save_task

MODEL = {
    "network": "precision",
    "window": 3,
    "refine_steps": 0,
    "channels": 8,
    "dilations": [1, 2],
    "start": "diffusive",
}
TRAIN = {
    "seed": 0,
    "max_steps": 60,
    "batch_size": 1,
    "skies_per_mask": 4,
    "lr": 0.01,
    "weight_decay": 0.0,
    "ssim_weight": 0.0,
    "average": 0.9,
}
NETWORKS = ["precision", "mask_gated", "skyreconnet", "pepsi", "medfe"]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory, universe):
    folder = tmp_path_factory.mktemp("dataset")
    universe.save(folder)
    Masks(["gal20"], draw_masks("gal20", 8, 0)).save(folder, "train")
    masks = Masks(["strip20"], draw_masks("strip20", 8, 0))
    SkySet(["v0", "v1"], universe.draw_fixed("validate", 2, 0), masks).save(folder, "validate")
    return folder


def built(dataset, network, **train):
    task, data = build(dataset, model={**MODEL, "network": network}, train={**TRAIN, **train})
    task.log = lambda *_, **__: None
    return task, data


def learn(task, batches, lr):
    optimizer = torch.optim.Adam(task.network.parameters(), lr=lr)
    losses = []
    for number, batch in enumerate(batches):
        loss = task.training_step(batch, number)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    task.averaged.load_state_dict(task.network.state_dict())
    return losses


@pytest.mark.parametrize(
    ("network", "share"), [*((n, 0.7) for n in NETWORKS[1:]), (NETWORKS[0], 1)]
)
def test_it_learns_one_batch_by_heart(dataset, network, share):
    task, data = built(dataset, network, ssim_weight=0.1)
    batch = data.collate([data.train_sample(0, 0)])
    losses = learn(task, [batch] * 80, 1e-2 if network != "pepsi" else 3e-3)
    assert losses[-1] < share * losses[0]


def test_on_new_skies_it_beats_diffusion_and_not_the_optimum(dataset, universe):
    task, data = built(dataset, "precision")
    learn(task, (data.collate([data.train_sample(0, seed)]) for seed in range(60)), 1e-2)
    mask = draw_masks("strip20", 8, 1)[0]  # of a kind that training has not seen
    truth = universe.draw_fixed("test", 60, 0)
    optimum = ConstrainedMean(mask, Covariance(universe.spectra[0], universe.noise_uk))(truth)
    rmse = {
        name: np.sqrt(np.mean((filled - truth)[:, ~mask] ** 2))
        for name, filled in {
            "ours": task.fill(truth, mask),
            "diffusive": diffusive_fill(truth, mask),
            "optimum": optimum,
        }.items()
    }
    assert rmse["optimum"] < rmse["ours"]
    assert gap_closed(rmse["ours"], rmse["diffusive"], rmse["optimum"]) > 55


@pytest.mark.parametrize("network", NETWORKS)
def test_a_task_on_disk_fills_alike_and_keeps_observed_pixels(dataset, network, tmp_path, universe):
    task, _ = built(dataset, network)
    with torch.no_grad():
        for parameter in task.averaged.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    save_task(task, tmp_path, "cmb_inpainting", {})
    _, loaded, _ = load_task(tmp_path)
    mask = draw_masks("gal20", 8, 0)[0]
    sky = universe.draw_fixed("test", 2, 0)
    unread = np.where(mask, sky, np.float32(1e4))
    filled = loaded.fill(unread, mask)
    np.testing.assert_array_equal(filled, task.fill(sky, mask))
    np.testing.assert_array_equal(filled[:, mask], sky[:, mask])


def test_the_same_seed_builds_the_same_weights(dataset):
    one, two = (built(dataset, "mask_gated")[0] for _ in range(2))
    for first, second in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(first, second)


def test_the_unit_of_a_map_does_not_matter(dataset, universe):
    task, _ = built(dataset, "precision")
    mask = draw_masks("gal20", 8, 0)[0]
    sky = universe.draw_fixed("test", 1, 0)
    np.testing.assert_allclose(
        task.fill(1000 * sky, mask), 1000 * task.fill(sky, mask), rtol=1e-3, atol=1.0
    )


def test_averaged_weights_follow_the_trained_ones(dataset):
    task, _ = built(dataset, "mask_gated")
    with torch.no_grad():
        for parameter in task.network.parameters():
            parameter.fill_(3.0)
    task.on_train_batch_end()  # the first step is taken over whole
    assert all(bool((parameter == 3.0).all()) for parameter in task.averaged.parameters())


def test_maps_of_another_nside_are_refused(dataset):
    task, _ = built(dataset, "precision")
    with pytest.raises(DataError, match="maps of nside 16, but the model was trained at 8"):
        task.fill(np.zeros((1, 3072)), np.arange(3072) > 100)


def test_a_mask_of_nothing_observed_is_refused(dataset):
    task, _ = built(dataset, "precision")
    with pytest.raises(DataError, match="leaves no pixel observed"):
        task.fill(np.zeros((1, 768)), np.zeros(768))


def test_a_dilation_larger_than_a_face_is_refused(dataset):
    model = {**MODEL, "network": "mask_gated", "dilations": [1, 16]}
    with pytest.raises(DataError, match=r"model.dilations has 16, expected at most 8 pixels"):
        build(dataset, model=model, train=TRAIN)
