"""Which floating-point type a sum needs: squares, exponentials and long products want float32."""

import torch
from torch import Tensor


def at_least_float32(x: Tensor) -> Tensor:
    """Return `x` in float32 if it is half precision, else as it is."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
