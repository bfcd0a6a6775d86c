"""All that is trained for one fold, and the probability it gives together.

The main network has a copy for each seed that learns from the articles of ``train`` and
``validate`` and answers, and one more that learns from ``train`` alone, for as many steps: its
scores of ``validate`` calibrate, fix the threshold and tell when to stop. Peers have copies that
answer, for the same articles and steps. Ours is the mean of the calibrated logits of the main
network (mean of its seeds) and of ``CharLinear``, calibrated again:

    logit(p) = a · ½ [(a₁ z_network + b₁) + (a₂ z_char + b₂)] + b

so no weight between the two is chosen: a half that says nothing on validation has slope 0.
"""

# B articles, S seeds, M methods

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from domains.fake_news.models.char_linear import CharLinear
from domains.fake_news.models.peers import KimCnn, Recurrent
from domains.fake_news.models.ti_cnn import TiCnn
from domains.fake_news.science.calibration import Platt, fit_rising_platt, weights_to_share
from domains.fake_news.science.scores import best_threshold
from domains.fake_news.science.verdicts import OURS

Part = Literal["train", "whole"]
TI_CNN_INPUTS = {"ti_cnn": "both", "ti_cnn_text": "text", "ti_cnn_image": "image"}
CHAR = "char"
Batch = Mapping[str, Tensor]


def make_network(
    name: str, size: Mapping[str, Any], num_words: int, num_text: int, num_picture: int
) -> nn.Module:
    """An untrained network.

    Args:
        name: ``ti_cnn``, ``ti_cnn_text``, ``ti_cnn_image``, ``kim_cnn``, ``lstm`` or ``gru``.
        size: section ``model``.
        num_words: rows of the word vectors.
        num_text: explicit features of a text.
        num_picture: explicit features of a picture.
    """
    if name in TI_CNN_INPUTS:
        return TiCnn(size, num_words, num_text, num_picture, TI_CNN_INPUTS[name])
    return KimCnn(size, num_words) if name == "kim_cnn" else Recurrent(size, num_words, name)


class Committee(nn.Module):
    """Networks, linear half and calibration of one fold.

    Args:
        networks: name -> number of seeds; the first is the one that answers.
        size: section ``model``.
        num_words: rows of the word vectors.
        num_text: explicit features of a text.
        num_picture: explicit features of a picture.
    """

    platt: Tensor
    threshold: Tensor

    def __init__(
        self,
        networks: Mapping[str, int],
        size: Mapping[str, Any],
        num_words: int,
        num_text: int,
        num_picture: int,
    ) -> None:
        super().__init__()
        self.seeds = dict(networks)
        self.main = next(iter(networks))
        self.copies: list[tuple[str, Part, int]] = [
            *((name, "whole", seed) for name, count in networks.items() for seed in range(count)),
            (self.main, "train", 0),
        ]
        self.networks = nn.ModuleDict(
            {
                _key(*copy): make_network(copy[0], size, num_words, num_text, num_picture)
                for copy in self.copies
            }
        )
        self.char = CharLinear()
        self.methods = (self.main, CHAR, OURS)
        self.register_buffer("platt", torch.zeros(len(self.methods), 2, dtype=torch.float64))
        self.register_buffer("threshold", torch.zeros(len(self.methods), dtype=torch.float64))

    def loss(self, batches: Mapping[str, Batch]) -> Tensor:
        """Sum over all copies of the mean cross-entropy of their batch.

        Args:
            batches: ``cell_key(part, seed)`` -> batch with ``label`` (B,).
        """
        losses = []
        for copy in self.copies:
            batch = batches[cell_key(*copy[1:])]
            logits = self.network(*copy)(batch)
            losses.append(F.binary_cross_entropy_with_logits(logits, batch["label"]))
        return torch.stack(losses).sum()

    def network(self, name: str, part: Part, seed: int) -> nn.Module:
        """One of the copies."""
        return self.networks[_key(name, part, seed)]

    def answering(self) -> list[nn.Module]:
        """The main network's copies that answer, one for each seed."""
        return [self.network(*copy) for copy in self.copies if copy[:2] == (self.main, "whole")]

    def by_seed(self, name: str, part: Part, batch: Batch) -> Tensor:
        """Logits (S, B) of each seed's copy of a network."""
        seeds = [seed for own, of, seed in self.copies if (own, of) == (name, part)]
        return torch.stack([self.network(name, part, seed)(batch) for seed in seeds])

    def calibrate(
        self, scores: Mapping[str, NDArray[np.float64]], labels: NDArray, share: float
    ) -> NDArray[np.float64]:
        """Fit all calibrations and thresholds on validation; returns our probabilities (N,).

        Args:
            scores: main network and ``CHAR`` -> (N,) scores by copies that saw ``train`` alone.
            labels: (N,) 1 = fake.
            share: of fakes among the articles that the answering copies learn from.
        """
        scores, weights = dict(scores), weights_to_share(labels, share)
        for row, method in enumerate(self.methods):
            if method == OURS:
                scores[OURS] = self._joined(scores)
            fitted = fit_rising_platt(scores[method], labels, weights)
            self.platt[row] = torch.tensor([fitted.slope, fitted.offset], dtype=torch.float64)
            probability = fitted(scores[method])
            self.threshold[row] = best_threshold(probability, labels, weights)
        return probability

    def complete(self, scores: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
        """``scores`` (N,) of the main network, ``CHAR`` and others, with ``OURS`` beside them."""
        return {**scores, OURS: self._joined(scores)}

    def calibration(self, method: str) -> Platt:
        """How a score of ``method`` becomes a probability."""
        slope, offset = self.platt[self.methods.index(method)].tolist()
        return Platt(slope, offset)

    def threshold_of(self, method: str) -> float:
        """Probability from which ``method`` says fake."""
        return float(self.threshold[self.methods.index(method)])

    def slopes(self) -> tuple[float, float]:
        """How much our logit rises with the main network's and with the linear half's score."""
        outer = self.calibration(OURS).slope / 2
        return outer * self.calibration(self.main).slope, outer * self.calibration(CHAR).slope

    def _joined(self, scores: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        halves = []
        for method in (self.main, CHAR):
            platt = self.calibration(method)
            halves.append(platt.slope * np.asarray(scores[method]) + platt.offset)
        return np.mean(halves, axis=0)


def cell_key(part: Part, seed: int) -> str:
    """Name of the articles that one copy of each network learns from."""
    return f"{part}_{seed}"


def _key(name: str, part: Part, seed: int) -> str:
    return f"{name}_{part}_{seed}"
