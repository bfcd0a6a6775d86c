"""Resolutions: halved while an axis is long and fine enough."""

import pytest

from domains.medical_segmentation.models.stages import (
    fitted_patch,
    plan_stages,
    total_stride,
    widths,
)


@pytest.mark.parametrize(
    ("patch", "spacing", "strides", "first_kernel"),
    [
        ((32, 48, 32), (1, 1, 1), (8, 8, 8), (3, 3, 3)),
        ((64, 64, 16), (1, 1, 5), (16, 16, 4), (3, 3, 1)),  # 1, 2, 4 mm before 5 mm is halved
        ((128, 128, 128), (1, 1, 1), (32, 32, 32), (3, 3, 3)),
        ((320, 320), (0.8, 0.8), (64, 64), (3, 3)),
        ((7, 7, 7), (1, 1, 1), (1, 1, 1), (3, 3, 3)),
    ],
)
def test_strides_and_kernels_follow_patch_and_spacing(patch, spacing, strides, first_kernel):
    stages = plan_stages(patch, spacing)
    assert total_stride(stages) == strides
    assert stages[0].kernel == first_kernel
    assert stages[0].stride == (1,) * len(patch)
    assert stages[-1].kernel == (3,) * len(patch)


def test_the_number_of_stages_can_be_limited():
    assert len(plan_stages((64, 64, 64), (1, 1, 1), 3)) == 3


def test_a_patch_grows_to_a_multiple_of_all_strides():
    stages = plan_stages((30, 41, 32), (1, 1, 1))
    assert total_stride(stages) == (8, 8, 8)
    assert fitted_patch((30, 41, 32), stages) == (32, 48, 32)


def test_widths_double_up_to_their_limit():
    assert widths(32, 320, 6) == [32, 64, 128, 256, 320, 320]


def test_patch_and_spacing_must_have_the_same_axes():
    with pytest.raises(ValueError, match="differ in length"):
        plan_stages((32, 32, 32), (1, 1))
