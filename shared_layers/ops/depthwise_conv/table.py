"""Which form is fastest for which case: measured, not derived.

Measured by ``python -m benchmarks.shared_layers.depthwise_table`` (one thread, AVX-512).
"""

from __future__ import annotations

from typing import Literal

Pass = Literal["forward", "grad_input", "grad_weight"]
Form = Literal["aten", "cpp", "rewrite", "reference", "triton"]

# (pass, axes of space, channels-last, dilated, last axis narrower than 16) -> up to which kernel
# size which forms beat PyTorch's own, fastest first: only those that lost on no measured shape.
# By hand: undilated 2-D up to 3 is aten throughout (its time comes in two modes, 3 times and 0.8 of
# ours; whole layers then skip the op), and its input gradient at 5 is cpp (even alone, ahead inside
# a block).
_Key = tuple[Pass, int, bool, bool, bool]
_Rows = tuple[tuple[int, tuple[Form, ...]], ...]
NARROW = 16

TABLE: dict[_Key, _Rows] = {
    ("forward", 1, False, False, False): ((31, ("cpp",)),),
    ("grad_input", 1, False, False, False): ((15, ("cpp",)), (31, ())),
    ("grad_weight", 1, False, False, False): (
        (3, ("cpp",)),
        (7, ("cpp", "rewrite")),
        (31, ("cpp",)),
    ),
    ("forward", 1, False, False, True): ((3, ("cpp",)), (7, ()), (31, ("cpp",))),
    ("grad_input", 1, False, False, True): ((3, ("cpp",)), (7, ("rewrite",)), (31, ())),
    ("grad_weight", 1, False, False, True): (
        (3, ()),
        (7, ("rewrite", "cpp")),
        (31, ("cpp", "rewrite")),
    ),
    ("forward", 1, False, True, False): ((7, ("cpp",)),),
    ("grad_input", 1, False, True, False): ((7, ("cpp", "rewrite")),),
    ("grad_weight", 1, False, True, False): ((3, ("cpp", "rewrite")), (7, ("cpp",))),
    ("forward", 1, False, True, True): ((3, ("cpp",)), (7, ("cpp", "rewrite"))),
    ("grad_input", 1, False, True, True): ((7, ("cpp", "rewrite")),),
    ("grad_weight", 1, False, True, True): ((3, ("rewrite", "cpp")), (7, ("cpp",))),
    ("forward", 2, False, False, False): ((13, ()), (31, ("cpp",))),
    ("grad_input", 2, False, False, False): (
        (3, ()),
        (5, ("cpp", "rewrite")),
        (9, ()),
        (13, ("rewrite",)),
        (15, ("cpp",)),
        (31, ()),
    ),
    ("grad_weight", 2, False, False, False): (
        (3, ()),
        (11, ("cpp", "rewrite")),
        (13, ("rewrite", "cpp")),
        (31, ("cpp", "rewrite")),
    ),
    ("forward", 2, False, False, True): ((13, ()), (31, ("cpp",))),
    ("grad_input", 2, False, False, True): ((3, ()), (13, ("rewrite",)), (31, ())),
    ("grad_weight", 2, False, False, True): (
        (3, ()),
        (13, ("rewrite", "cpp")),
        (31, ("cpp", "rewrite")),
    ),
    ("forward", 2, True, False, False): ((11, ()), (13, ("cpp",)), (31, ())),
    ("grad_input", 2, True, False, False): (
        (3, ()),
        (5, ("rewrite",)),
        (13, ()),
        (31, ("rewrite",)),
    ),
    ("grad_weight", 2, True, False, False): (
        (3, ()),
        (9, ("cpp", "rewrite")),
        (13, ("rewrite", "cpp")),
        (31, ("cpp", "rewrite")),
    ),
    ("forward", 2, True, False, True): ((31, ()),),
    ("grad_input", 2, True, False, True): (
        (3, ()),
        (11, ("rewrite",)),
        (13, ()),
        (15, ("rewrite",)),
        (31, ()),
    ),
    ("grad_weight", 2, True, False, True): ((3, ()), (13, ("rewrite", "cpp")), (31, ("cpp",))),
    ("forward", 2, False, True, False): ((3, ("cpp",)), (5, ()), (13, ("cpp", "rewrite"))),
    ("grad_input", 2, False, True, False): ((13, ("cpp", "rewrite")),),
    ("grad_weight", 2, False, True, False): ((3, ("cpp", "rewrite")), (13, ("cpp",))),
    ("forward", 2, False, True, True): ((5, ()), (13, ("cpp", "rewrite"))),
    ("grad_input", 2, False, True, True): ((5, ("cpp", "rewrite")), (13, ("cpp",))),
    ("grad_weight", 2, False, True, True): ((3, ("rewrite", "cpp")), (13, ("cpp",))),
    ("forward", 2, True, True, False): (
        (5, ()),
        (9, ("cpp", "rewrite")),
        (11, ("cpp",)),
        (13, ("cpp", "rewrite")),
    ),
    ("grad_input", 2, True, True, False): (
        (7, ("cpp",)),
        (9, ("cpp", "rewrite")),
        (11, ("cpp",)),
        (13, ("cpp", "rewrite")),
    ),
    ("grad_weight", 2, True, True, False): ((3, ("cpp", "rewrite")), (13, ("cpp",))),
    ("forward", 2, True, True, True): (
        (5, ()),
        (7, ("cpp",)),
        (11, ("cpp", "rewrite")),
        (13, ("cpp",)),
    ),
    ("grad_input", 2, True, True, True): ((13, ("cpp",)),),
    ("grad_weight", 2, True, True, True): (
        (3, ("rewrite", "cpp")),
        (5, ("cpp",)),
        (13, ("cpp", "rewrite")),
    ),
    ("forward", 3, False, False, False): ((7, ("cpp",)),),
    ("grad_input", 3, False, False, False): ((7, ("cpp", "rewrite")),),
    ("grad_weight", 3, False, False, False): ((7, ("cpp", "rewrite")),),
    ("forward", 3, False, False, True): ((7, ()),),
    ("grad_input", 3, False, False, True): ((7, ("rewrite", "cpp")),),
    ("grad_weight", 3, False, False, True): ((7, ("cpp", "rewrite")),),
    ("forward", 3, True, False, False): ((7, ()),),
    ("grad_input", 3, True, False, False): ((7, ("rewrite", "cpp")),),
    ("grad_weight", 3, True, False, False): ((7, ("cpp", "rewrite")),),
    ("forward", 3, True, False, True): ((7, ()),),
    ("grad_input", 3, True, False, True): ((7, ("rewrite", "cpp")),),
    ("grad_weight", 3, True, False, True): ((7, ("cpp", "rewrite")),),
    ("forward", 3, False, True, False): ((7, ("cpp", "rewrite")),),
    ("grad_input", 3, False, True, False): ((7, ("cpp", "rewrite")),),
    ("grad_weight", 3, False, True, False): ((7, ("cpp", "rewrite")),),
    ("forward", 3, False, True, True): ((7, ("cpp", "rewrite")),),
    ("grad_input", 3, False, True, True): ((7, ("cpp", "rewrite")),),
    ("grad_weight", 3, False, True, True): ((7, ("rewrite", "cpp")),),
    ("forward", 3, True, True, False): ((3, ("cpp",)), (7, ("cpp", "rewrite"))),
    ("grad_input", 3, True, True, False): ((3, ("cpp",)), (7, ("cpp", "rewrite"))),
    ("grad_weight", 3, True, True, False): ((5, ("cpp", "rewrite")), (7, ("rewrite", "cpp"))),
    ("forward", 3, True, True, True): ((3, ("cpp",)), (7, ("cpp", "rewrite"))),
    ("grad_input", 3, True, True, True): ((3, ("cpp",)), (7, ("cpp", "rewrite"))),
    ("grad_weight", 3, True, True, True): ((7, ("rewrite", "cpp")),),
}


def preferred(
    which: Pass, dims: int, is_channels_last: bool, is_dilated: bool, is_narrow: bool, kernel: int
) -> tuple[Form, ...]:
    """The forms in order of speed, aten last, for a kernel whose longest axis is ``kernel``.

    A kernel larger than any measured takes the row of the largest.
    """
    rows = TABLE[which, dims, is_channels_last, is_dilated, is_narrow]
    forms = next((forms for largest, forms in rows if kernel <= largest), rows[-1][1])
    return (*forms, "aten")
