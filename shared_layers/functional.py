"""The kernels as plain functions, and the functions behind layers."""

from shared_layers.conv.standardized import weight_standardize
from shared_layers.ops.causal_conv1d import causal_depthwise_conv1d
from shared_layers.ops.depthwise_conv import depthwise_conv
from shared_layers.ops.log_bessel import (
    VonMisesFisher,
    bessel_ratio,
    fit_von_mises_fisher,
    log_iv,
    log_kv,
)
from shared_layers.ops.mlstm import (
    MLSTMState,
    mlstm_chunkwise,
    mlstm_parallel,
    mlstm_recurrent,
)

__all__ = [
    "MLSTMState",
    "VonMisesFisher",
    "bessel_ratio",
    "causal_depthwise_conv1d",
    "depthwise_conv",
    "fit_von_mises_fisher",
    "log_iv",
    "log_kv",
    "mlstm_chunkwise",
    "mlstm_parallel",
    "mlstm_recurrent",
    "weight_standardize",
]
