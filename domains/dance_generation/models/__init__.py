"""Networks that dance: the paper's, ours driven by beat phase, ours that hears."""
