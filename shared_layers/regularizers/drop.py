"""Dropping of whole paths, and many dropout masks for one head.

- Huang et al., "Deep Networks with Stochastic Depth" (2016, arXiv:1603.09382), as `DropPath`:
  y = x · b / (1 − p), with one b ~ Bernoulli(1 − p) per sample.
- H. Inoue, "Multi-Sample Dropout for Accelerated Training and Better Generalization" (2019,
  arXiv:1905.09788): L = (1/M) Σ_m loss(head(dropout_m(x))), as `MultiSampleDropout`. Differs: the
  M masks are drawn at once and the head runs once, on M·B samples.
"""

# B batch, M masks

from torch import Tensor, nn
from torch.nn import functional as F


class DropPath(nn.Module):
    """Set whole samples of a residual branch to zero, and scale the others to keep the mean.

    Args:
        probability: share p of the samples to drop, in [0, 1).

    Shape:
        (B, …) → (B, …)

    Raises:
        ValueError: a probability outside [0, 1).

    Example:
        >>> x = torch.ones(2, 3)
        >>> torch.equal(DropPath(0.5).eval()(x), x)
        True
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = _share(probability)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.probability == 0:
            return x
        kept = 1 - self.probability
        mask = x.new_empty((x.shape[0],) + (1,) * (x.dim() - 1)).bernoulli_(kept)
        return x * (mask / kept)

    def extra_repr(self) -> str:
        return f"{self.probability}"


class MultiSampleDropout(nn.Module):
    """Run one head on several dropout masks of its input.

    The masks are kept apart, for the paper averages losses and not predictions:
    ``torch.stack([loss(y, target) for y in layer(x)]).mean()`` is right in training and after it.

    Args:
        head: module from a feature (B, …) to a prediction (B, …); all masks share it.
        probability: share of the features to drop, in [0, 1).
        num_samples: number M of masks while training.

    Shape:
        (B, …) → (M, B, …) while training, (1, B, …) after it

    Raises:
        ValueError: a probability outside [0, 1), or no samples.

    Example:
        >>> layer = MultiSampleDropout(torch.nn.Linear(16, 2), probability=0.5, num_samples=8)
        >>> layer(torch.zeros(4, 16)).shape
        torch.Size([8, 4, 2])
    """

    def __init__(self, head: nn.Module, probability: float, num_samples: int = 8) -> None:
        super().__init__()
        if not isinstance(num_samples, int) or num_samples < 1:
            raise ValueError(f"num_samples={num_samples!r}: expected an integer >= 1")
        self.head = head
        self.probability = _share(probability)
        self.num_samples = num_samples

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return self.head(x).unsqueeze(0)  # (1, B, …)
        copies = x.expand(self.num_samples, *x.shape)  # (M, B, …)
        dropped = F.dropout(copies, self.probability)
        return self.head(dropped.flatten(0, 1)).unflatten(0, (self.num_samples, -1))

    def extra_repr(self) -> str:
        return f"probability={self.probability}, num_samples={self.num_samples}"


def _share(probability: float) -> float:
    if not 0 <= probability < 1:
        raise ValueError(f"probability={probability!r}: expected a number in [0, 1)")
    return probability
