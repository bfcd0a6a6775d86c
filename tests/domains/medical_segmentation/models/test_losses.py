"""The loss: hand-computed values, and zero for a right answer."""

import math

import pytest
import torch

from domains.medical_segmentation.models.losses import segmentation_loss, soft_dice


def sure(target, num_classes, size=50.0):
    """Logits that leave no doubt."""
    return size * torch.nn.functional.one_hot(target, num_classes).movedim(-1, 1).float()


def test_a_sure_right_answer_costs_nothing_on_all_resolutions():
    target = torch.randint(3, (2, 8, 8, 8), generator=torch.Generator().manual_seed(0))
    coarse = target[:, ::2, ::2, ::2]
    loss = segmentation_loss([sure(target, 3), sure(coarse, 3)], target, None)
    assert float(loss) == pytest.approx(0.0, abs=1e-5)


def test_dice_and_entropy_of_an_undecided_answer_are_the_closed_form():
    target = torch.zeros(1, 4, 4, 4, dtype=torch.long)
    target[:, :2] = 1  # half of the voxels; p = 1/2 everywhere: Dice = 2·16/(32 + 32) = 1/2
    loss = segmentation_loss([torch.zeros(1, 2, 4, 4, 4)], target, None)
    assert float(loss) == pytest.approx(math.log(2) + 0.5, abs=1e-5)


def test_coarser_resolutions_weigh_half_as_much_each():
    target = torch.zeros(1, 4, 4, 4, dtype=torch.long)
    target[:, :2] = 1
    right, undecided = sure(target, 2), torch.zeros(1, 2, 2, 2, 2)
    loss = segmentation_loss([right, undecided], target, None)
    assert float(loss) == pytest.approx((math.log(2) + 0.5) / 3, abs=1e-5)


def test_regions_may_lie_inside_each_other():
    target = torch.tensor([0, 1, 2, 2]).reshape(1, 4, 1, 1)
    table = torch.tensor([[0, 0], [1, 0], [1, 1]], dtype=torch.bool)  # whole = {1, 2}, core = {2}
    whole, core = torch.tensor([0.0, 1, 1, 1]), torch.tensor([0.0, 0, 1, 1])
    logits = (100 * torch.stack([whole, core]) - 50).reshape(1, 2, 4, 1, 1)
    assert float(segmentation_loss([logits], target, table)) == pytest.approx(0.0, abs=1e-5)
    assert float(segmentation_loss([-logits], target, table)) > 10


def test_an_absent_structure_that_is_not_found_has_dice_one():
    nothing = torch.zeros(1, 1, 4, 4, 4)
    assert float(soft_dice(nothing, nothing)) == 1.0


def test_the_loss_is_float32_under_autocast():
    target = torch.zeros(1, 4, 4, 4, dtype=torch.long)
    with torch.autocast("cpu", torch.bfloat16):
        loss = segmentation_loss([torch.zeros(1, 2, 4, 4, 4, dtype=torch.bfloat16)], target, None)
    assert loss.dtype == torch.float32
