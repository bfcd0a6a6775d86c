"""Recurrent layers: one paper's idea in each file."""

from .auto_conditioned import AutoConditionedLSTM
from .conv_bilstm import ConvBiLSTM
from .conv_lstm import TemporalConvLSTM
from .lssl import LSSL, hippo_legs
from .mlstm import MLSTMCell, mlstm_chunkwise, mlstm_parallel, mlstm_recurrent
from .vil import ViLBlock, ViLLayer

__all__ = [
    "LSSL",
    "AutoConditionedLSTM",
    "ConvBiLSTM",
    "MLSTMCell",
    "TemporalConvLSTM",
    "ViLBlock",
    "ViLLayer",
    "hippo_legs",
    "mlstm_chunkwise",
    "mlstm_parallel",
    "mlstm_recurrent",
]
