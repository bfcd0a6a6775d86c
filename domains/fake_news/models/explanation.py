"""What pushed a verdict: words, explicit features, and the shares of text and picture.

Words and features of the network by gradient × input (K. Simonyan and others, 2013,
arXiv:1312.6034; A. Shrikumar and others, 2016, arXiv:1605.01713), a word's own at all its places
together; those of the linear half exactly. Both on the scale of our logit, so they add up.
``occlusion`` is the check: how far the logit falls when a word is taken out. Shares are of what
the logit loses without the text and without the picture."""

# B = 1 article, S seeds, T words, E embedding, K features, W words asked for

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from domains.fake_news.models.char_linear import plain_word, run_counts
from domains.fake_news.models.committee import CHAR, Committee
from domains.fake_news.models.features import Standardise
from domains.fake_news.models.ti_cnn import TiCnn
from domains.fake_news.models.words import WordVectors
from domains.fake_news.science.tokens import FIRST_WORD, Vocabulary
from domains.fake_news.science.verdicts import OURS

Batch = Mapping[str, Tensor]


@dataclass(frozen=True)
class Explanation:
    """Parts of our logit; above 0 is towards fake.

    Args:
        words: word -> its part.
        features: explicit feature -> its part.
        text: what the logit loses without the text.
        picture: what it loses without the picture; 0 without one.
    """

    words: dict[str, float]
    features: dict[str, float]
    text: float
    picture: float

    @property
    def share_of_picture(self) -> float:
        """0 = the text alone spoke, 1 = the picture alone."""
        total = abs(self.text) + abs(self.picture)
        return abs(self.picture) / total if total else 0.0


def strongest(parts: Mapping[str, float], most: int) -> list[tuple[str, float]]:
    """The ``most`` parts farthest from 0, the farthest first."""
    ranked = sorted(parts.items(), key=lambda item: (-abs(item[1]), item[0]))
    return [(name, value) for name, value in ranked[:most] if value != 0]


def explain(
    committee: Committee,
    vocabulary: Vocabulary,
    batch: Batch,
    text: str,
    feature_names: tuple[Sequence[str], Sequence[str]],
) -> Explanation:
    """What made our logit of one article.

    Args:
        committee: trained.
        vocabulary: that numbered the words of ``batch``.
        batch: of one article, see ``data.Encoder``.
        text: its title and body as the linear half reads them.
        feature_names: of the explicit features of text and picture.
    """
    of_network, of_char = committee.slopes()
    words: dict[str, float] = defaultdict(float)
    features: dict[str, float] = defaultdict(float)
    networks = committee.answering()
    for network in networks:
        scale = of_network / len(networks)
        tokens, parts = _gradient_times_input(network, batch)
        for number, part in tokens:
            if number >= FIRST_WORD:
                words[vocabulary.known[number - FIRST_WORD]] += scale * part
        for name, part in zip(_names(network, feature_names), parts, strict=False):
            features[name] += scale * part
    for word, part in committee.char.word_contributions(text).items():
        words[word] += of_char * part
    whole = logit(committee, batch, text)
    picture = 0.0
    if bool((batch["picture_of"] >= 0).any()):
        picture = whole - logit(
            committee, {**batch, "picture_of": torch.full_like(batch["picture_of"], -1)}, text
        )
    silent = {
        **batch,
        "words": torch.zeros_like(batch["words"]),
        "title": torch.zeros_like(batch["title"]),
        "text_features": torch.full_like(batch["text_features"], torch.nan),
    }
    return Explanation(dict(words), dict(features), whole - logit(committee, silent, ""), picture)


def occlusion(
    committee: Committee, vocabulary: Vocabulary, batch: Batch, text: str, words: Sequence[str]
) -> NDArray[np.float64]:
    """(W,) how far our logit falls when all places of a word are blank.

    Args:
        committee: trained.
        vocabulary: that numbered the words of ``batch``.
        batch: of one article.
        text: its title and body.
        words: W words to take out.
    """
    number_of = {word: FIRST_WORD + place for place, word in enumerate(vocabulary.known)}
    numbers = torch.tensor([number_of.get(word, -1) for word in words])
    many = {
        key: value if key.startswith("picture") and key != "picture_of"
        else value.expand(len(words), *value.shape[1:])
        for key, value in batch.items()
    }  # fmt: skip
    with torch.inference_mode():
        found = [_blanked(network, many, numbers) for network in committee.answering()]
    cut = [_without(text, word) for word in words]
    scores = {
        committee.main: torch.stack(found).mean(dim=0).double().numpy(),
        CHAR: committee.char.score(run_counts(cut)),
    }
    return logit(committee, batch, text) - _our_logit(committee, scores)


def _blanked(network: nn.Module, batch: Batch, numbers: Tensor) -> Tensor:
    """Logits (W,) with the vectors of word ``numbers`` (W,), each in its own row, set to 0."""

    def blank(_: nn.Module, inputs: tuple[Tensor], output: Tensor) -> Tensor:
        return output * (inputs[0] != numbers.unsqueeze(1)).unsqueeze(-1)

    with _hooked(network, blank, WordVectors):
        return network(batch)


@contextmanager
def _hooked(network: nn.Module, hook: Any, *kinds: type[nn.Module]) -> Iterator[None]:
    """``hook`` on the output of each module of one of ``kinds``."""
    modules = [module for module in network.modules() if isinstance(module, kinds)]
    handles = [module.register_forward_hook(hook) for module in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def logit(committee: Committee, batch: Batch, text: str) -> float:
    """Our logit of one article."""
    with torch.inference_mode():
        found = committee.by_seed(committee.main, "whole", batch).mean(dim=0)
    scores = {
        committee.main: found.double().numpy(),
        CHAR: committee.char.score(run_counts([text])),
    }
    return float(_our_logit(committee, scores)[0])


def _our_logit(
    committee: Committee, scores: Mapping[str, NDArray[np.float64]]
) -> NDArray[np.float64]:
    platt = committee.calibration(OURS)
    return platt.slope * committee.complete(scores)[OURS] + platt.offset


def _names(network: nn.Module, names: tuple[Sequence[str], Sequence[str]]) -> list[str]:
    """Names of a network's explicit features; those of the picture are last, and may be absent."""
    has_text = isinstance(network, TiCnn) and network.text is not None
    return [*(names[0] if has_text else ()), *names[1]]


def _without(text: str, word: str) -> str:
    """``text`` without the words that are ``word``, punctuation aside."""
    return " ".join(part for part in text.split() if plain_word(part) != word)


def _gradient_times_input(
    network: nn.Module, batch: Batch
) -> tuple[list[tuple[int, float]], list[float]]:
    """Number and part of each word that is read; part of each explicit feature, text before
    picture. Both are empty where a network of pictures has none to read."""
    read: list[tuple[nn.Module, Tensor, Tensor]] = []

    def as_input(module: nn.Module, inputs: tuple[Tensor], output: Tensor) -> Tensor:
        read.append((module, inputs[0], output.detach().requires_grad_()))
        return read[-1][2]

    with torch.enable_grad(), _hooked(network, as_input, WordVectors, Standardise):
        out = network(batch).sum()
    values = [value for _, _, value in read]
    slopes = torch.autograd.grad(out, values) if values else ()
    tokens: list[tuple[int, float]] = []
    features: list[float] = []
    for (module, x, value), slope in zip(read, slopes, strict=True):
        parts = value[0] * slope[0]
        if isinstance(module, WordVectors):
            tokens += zip(x[0].tolist(), parts.sum(dim=-1).tolist(), strict=True)
        else:
            features += parts.tolist()
    return tokens, features
