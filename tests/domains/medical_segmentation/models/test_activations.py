"""Kept bytes: hand-computed for layers, equal to those of a real step, growing with the volume."""

import torch
from torch import nn

from domains.medical_segmentation.models.activations import kept_bytes
from domains.medical_segmentation.models.networks import make_network


def test_a_convolution_keeps_its_input_and_a_relu_its_output():
    assert kept_bytes(nn.Conv3d(2, 3, 1), (1, 2, 4, 4, 4)) == 2 * 64 * 4
    two = nn.Sequential(nn.Conv3d(2, 3, 1), nn.ReLU())
    assert kept_bytes(two, (1, 2, 4, 4, 4)) == (2 + 3) * 64 * 4


def test_the_bytes_are_those_of_a_real_step(params):
    torch.manual_seed(0)
    plan = {"patch": [16, 16, 16], "spacing_mm": [1.0, 1.0, 1.0]}
    for name in ("xlstm_unet", "swtr"):
        network, *_ = make_network({**params["model"], "network": name}, 1, 2, plan)
        storages, held = {}, []

        def keep(tensor, storages=storages, held=held):
            if not isinstance(tensor, nn.Parameter):
                held.append(tensor)
                storages[tensor.data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            network(torch.randn(1, 1, 16, 16, 16))
        found = kept_bytes(network, (1, 1, 16, 16, 16))
        assert abs(found - sum(storages.values())) < 0.05 * found


def test_eight_times_the_voxels_keep_about_eight_times_the_bytes():
    network = nn.Sequential(nn.Conv3d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv3d(4, 1, 3, padding=1))
    small, large = (kept_bytes(network, (1, 1, edge, edge, edge)) for edge in (16, 32))
    assert large == 8 * small
