"""A straight line through noisy points: the smallest domain that keeps the contract.

Data: simulated; x in m, y in m.  Tests copy this folder into a checkout as ``domains/toy``.
"""

from typing import Any


def ingest(*args: Any, **params: Any) -> Any:
    """Source -> dataset."""
    from domains.toy.ingest import ingest

    return ingest(*args, **params)


def build(*args: Any, **params: Any) -> Any:
    """Dataset -> task and data module."""
    from domains.toy.train import build

    return build(*args, **params)


def evaluate(*args: Any, **params: Any) -> Any:
    """Test split beside a baseline."""
    from domains.toy.evaluate import evaluate

    return evaluate(*args, **params)


def predict(*args: Any, **params: Any) -> Any:
    """A CSV of x -> a CSV of y."""
    from domains.toy.predict import predict

    return predict(*args, **params)
