"""Kernels: one folder each, with a custom op, a plain reference and its fast forms."""
