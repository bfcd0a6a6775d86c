"""The networks: shapes, gradients, and what each paper says of its own."""

import pytest
import torch
from safetensors.torch import save_file

from domains.errors import DataError
from domains.medical_segmentation.models.networks import make_network
from domains.medical_segmentation.models.reversible_unet import ReversibleUNet
from domains.medical_segmentation.models.stages import plan_stages
from domains.medical_segmentation.models.swtr_unet import SWTRUNet
from domains.medical_segmentation.models.xlstm_unet import XLSTMUNet, mixer_kind
from shared_layers import ViLBlock

OURS = ("xlstm_unet", "reversible", "swtr")
PEERS = ("monai_unet", "segresnet")
PLAN = {"patch": [16, 24, 16], "spacing_mm": [1.0, 1.0, 1.0]}
CUBE = plan_stages((16, 16, 16), (1, 1, 1))


@pytest.fixture
def model(params):
    return params["model"]


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("network", [*OURS, *PEERS])
def test_every_network_answers_each_voxel_from_any_place_of_its_receptive_field(
    model, network, dims
):
    torch.manual_seed(0)
    made, patch, strides = make_network({**model, "network": network, "dims": dims}, 2, 3, PLAN)
    assert patch == (16, 24, 16)
    assert strides == ((4, 4, 4) if dims == 3 else (4, 4, 1))
    image = torch.randn(2, 2, 16, 24, 16, requires_grad=True)
    logits = made(image)
    assert logits[0].shape == (2, 3, 16, 24, 16)
    assert len(logits) == (2 if network in OURS else 1)
    logits[0].square().mean().backward()
    assert image.grad.abs().amax((0, 2, 3, 4)).min() > 0
    missing = [n for n, p in made.named_parameters() if p.grad is None]
    assert all("heads.1" in name for name in missing)  # the coarse head alone


def test_swin_unetr_is_padded_to_its_stride_and_cut_back(model):
    made, *_ = make_network(
        {**model, "network": "swinunetr", "dims": 2, "base_channels": 12},
        1,
        2,
        {"patch": [40, 40, 1], "spacing_mm": [1.0, 1.0, 3.0]},
    )
    with torch.no_grad():
        assert made(torch.randn(1, 1, 40, 40, 2))[0].shape == (1, 2, 40, 40, 2)


def test_slices_are_cut_across_the_coarsest_axis_and_do_not_see_each_other(model):
    plan = {"patch": [4, 16, 16], "spacing_mm": [5.0, 1.0, 1.0]}
    made, patch, strides = make_network({**model, "dims": 2}, 1, 2, plan)
    assert patch == (4, 16, 16)
    assert strides == (1, 4, 4)
    image = torch.randn(1, 1, 4, 16, 16)
    changed = image.clone()
    changed[:, :, 2] += 1.0
    with torch.no_grad():
        difference = (made(image)[0] - made(changed)[0]).abs().amax((0, 1, 3, 4))
    assert difference[2] > 0
    assert difference[[0, 1, 3]].max() == 0


def test_a_patch_that_cannot_be_halved_is_refused(model):
    with pytest.raises(ValueError, match=r"patch \(4, 7, 4\): expected 8 voxels or more"):
        make_network(model, 1, 2, {"patch": [4, 7, 4], "spacing_mm": [1.0, 1.0, 1.0]})


@pytest.mark.parametrize("sizes", [(5, 16), (8, 9)])
def test_reversible_pairs_on_an_odd_number_of_channels_are_refused(sizes):
    with pytest.raises(ValueError, match=r"max_channels=\d+: expected even ones"):
        ReversibleUNet(1, 2, CUBE, base_channels=sizes[0], max_channels=sizes[1])


@pytest.mark.parametrize(
    ("dtype", "relative", "absolute"),
    [
        (torch.float64, 1e-12, 1e-15),
        (torch.float32, 1e-5, 1e-8),  # a bias before a normalisation has a gradient of rounding
    ],
)
def test_eight_reversible_pairs_a_stage_have_the_gradients_of_plain_ones(dtype, relative, absolute):
    found = {}
    for is_reversible in (True, False):
        torch.manual_seed(0)
        made = ReversibleUNet(
            1, 2, CUBE, base_channels=16, blocks=8, is_reversible=is_reversible
        ).to(dtype)
        torch.manual_seed(1)
        image = torch.randn(1, 1, 16, 16, 16).to(dtype)
        loss = sum(answer.square().mean() for answer in made(image))
        found[is_reversible] = torch.autograd.grad(loss, list(made.parameters()))
    for one, two in zip(found[True], found[False], strict=True):
        assert (one - two).abs().max() <= relative * two.abs().max() + absolute


def test_reversible_pairs_keep_no_more_activations_when_there_are_more_of_them():
    def kept_bytes(blocks, is_reversible):
        made = ReversibleUNet(
            1, 2, CUBE, base_channels=8, blocks=blocks, is_reversible=is_reversible
        )
        total = 0

        def count(tensor):
            nonlocal total
            total += tensor.nbytes
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            made(torch.randn(1, 1, 16, 16, 16))
        return total

    plain = kept_bytes(4, False) - kept_bytes(1, False)
    assert kept_bytes(4, True) - kept_bytes(1, True) < 0.02 * plain


@pytest.mark.parametrize(
    ("variant", "dims", "count", "expected"),
    [
        ("bot", 3, 6, ["none"] * 5 + ["vil"]),
        ("enc", 3, 6, ["residual"] * 3 + ["vil"] * 3),
        ("enc", 2, 7, ["none", "residual", "vil", "none", "vil", "none", "vil"]),
        ("enc", 2, 6, ["none", "residual", "none", "vil", "none", "vil"]),
    ],
)
def test_vision_lstm_layers_are_where_the_paper_has_them(variant, dims, count, expected):
    assert [mixer_kind(variant, dims, number, count) for number in range(count)] == expected


def test_one_scan_direction_sees_only_what_comes_before_and_two_see_all():
    torch.manual_seed(0)
    for directions, sees_later in ((1, False), (2, True)):
        made = XLSTMUNet(1, 2, CUBE, base_channels=4, variant="bot", directions=directions)
        mixer = made.mixers[-1]
        assert sum(isinstance(layer, ViLBlock) for layer in mixer) == directions
        x = torch.randn(1, 16, 3, 3, 3)
        changed = x.clone()
        changed[..., -1] += 1.0
        with torch.no_grad():
            first = (mixer(x) - mixer(changed))[0, :, 0, 0, 0].abs().max()
        assert (float(first) > 0) == sees_later


def test_xlstm_unet_takes_other_sizes_than_its_patch():
    torch.manual_seed(0)
    made = XLSTMUNet(1, 2, CUBE, base_channels=4, variant="enc")
    with torch.no_grad():
        assert made(torch.randn(1, 1, 24, 16, 32))[0].shape == (1, 2, 24, 16, 32)


def test_the_encoder_of_swtr_unet_is_resnet_50_by_count():
    stages = plan_stages((256, 256), (1, 1))
    made = SWTRUNet(3, 3, stages, transformer_blocks=0)
    encoder = [
        parameter.numel()
        for name, parameter in made.named_parameters()
        if name.split(".")[0] in ("conv1", "bn1") or name.startswith("layer")
    ]
    # torchvision's resnet50 has 25,557,032 parameters, layer4 14,964,736 and fc 2,049,000 of them
    assert sum(encoder) == 25_557_032 - 14_964_736 - 2_049_000


def test_pretrained_weights_are_taken_and_the_first_kernel_averaged_over_colours(tmp_path):
    stages = plan_stages((64, 64), (1, 1))
    size = {"base_channels": 8, "blocks": (1, 1), "transformer_blocks": 0}
    torch.manual_seed(0)
    source = SWTRUNet(3, 2, stages, **size)
    save_file(source.state_dict(), tmp_path / "resnet.safetensors")
    made = SWTRUNet(1, 2, stages, **size, pretrained=str(tmp_path / "resnet.safetensors"))
    torch.testing.assert_close(made.conv1.weight, source.conv1.weight.mean(1, keepdim=True))
    assert torch.equal(made.layer1[0].conv2.weight, source.layer1[0].conv2.weight)
    wider = {**size, "base_channels": 16}
    with pytest.raises(DataError, match=r"conv1.weight is \(8, 3, 7, 7\), expected \(16,"):
        SWTRUNet(3, 2, stages, **wider, pretrained=str(tmp_path / "resnet.safetensors"))
    with pytest.raises(DataError, match="missing"):
        SWTRUNet(3, 2, stages, **size, pretrained=str(tmp_path / "none.safetensors"))


@pytest.mark.parametrize("network", OURS)
def test_bfloat16_autocast_leaves_answers_finite_and_near(model, network):
    torch.manual_seed(0)
    made, *_ = make_network({**model, "network": network}, 1, 2, PLAN)
    image = torch.randn(1, 1, 16, 24, 16)
    with torch.no_grad():
        plain = made(image)[0]
        with torch.autocast("cpu", torch.bfloat16):
            half = made(image)[0].float()
    assert (plain - half).abs().max() < 0.15 * plain.abs().max()
