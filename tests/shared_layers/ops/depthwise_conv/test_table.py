"""The dispatch table covers every case and only names forms that exist."""

import itertools

import torch

from shared_layers import use_kernels
from shared_layers.ops.depthwise_conv import op
from shared_layers.ops.depthwise_conv.table import TABLE, preferred

PASSES = ("forward", "grad_input", "grad_weight")


def test_every_case_has_a_row_and_ends_in_pytorchs_own_form():
    for which, dims, is_last, is_dilated, is_narrow in itertools.product(
        PASSES, (1, 2, 3), (False, True), (False, True), (False, True)
    ):
        if dims == 1 and is_last:
            continue
        for kernel in (1, 2, 3, 7, 13, 31, 51):
            forms = preferred(which, dims, is_last, is_dilated, is_narrow, kernel)
            assert forms[-1] == "aten"
            assert set(forms[:-1]) <= {"cpp", "rewrite"}


def test_rows_grow_in_kernel_size():
    for rows in TABLE.values():
        sizes = [largest for largest, _ in rows]
        assert sizes == sorted(set(sizes))


def test_a_forced_form_overrules_the_table():
    x = torch.zeros(1, 2, 20, 20)
    sizes = ([3, 3], [1, 1], [1, 1], [1, 1])
    with use_kernels("reference"):
        assert op.choose("forward", x, *sizes) == "reference"
    with use_kernels("cpp"):
        assert op.choose("forward", x, *sizes) == "cpp"


def test_strided_and_foreign_cases_stay_with_pytorch():
    x = torch.zeros(1, 2, 20, 20)
    assert op.choose("forward", x, [3, 3], [2, 2], [1, 1], [1, 1]) == "aten"
    assert op.choose("forward", x.to("meta"), [3, 3], [1, 1], [1, 1], [1, 1]) == "aten"
