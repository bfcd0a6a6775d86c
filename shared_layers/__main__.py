"""``python -m shared_layers``: which kernels are live on this machine, and why others are not."""

from __future__ import annotations

import torch

from shared_layers.config import kernels_info


def main() -> None:
    """Print one line for each form of each kernel."""
    cpu = torch.backends.cpu.get_cpu_capability()
    print(f"torch {torch.__version__}, {cpu}, {torch.get_num_threads()} threads")
    for kernel, forms in kernels_info().items():
        for form, state in forms.items():
            print(f"{kernel:<16} {form:<10} {state}")


if __name__ == "__main__":
    main()
