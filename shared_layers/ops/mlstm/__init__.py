"""The matrix LSTM cell: parallel, recurrent and chunkwise forms."""

from __future__ import annotations

from shared_layers.ops import triton_state
from shared_layers.ops.mlstm.op import mlstm_chunkwise
from shared_layers.ops.mlstm.reference import MLSTMState, mlstm_parallel, mlstm_recurrent

__all__ = ["MLSTMState", "forms", "mlstm_chunkwise", "mlstm_parallel", "mlstm_recurrent"]


def forms() -> dict[str, str]:
    """Each form of the kernel: "live", or why it is not."""
    return {"reference": "live", "chunkwise": "live", "triton": triton_state.state()}
