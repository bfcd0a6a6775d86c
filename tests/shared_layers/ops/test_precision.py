import pytest
import torch

from shared_layers.ops.precision import at_least_float32


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_only_half_precision_is_widened(found, expected):
    assert at_least_float32(torch.ones(2, dtype=found)).dtype == expected
