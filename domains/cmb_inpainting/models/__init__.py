"""The networks: ``precision`` and ``mask_gated`` ours, ``skyreconnet``, ``pepsi``, ``medfe``."""
