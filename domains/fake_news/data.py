"""Dataset to batches: numbered words, explicit features and pictures of the rows of each network.

Legend: N articles, B of a batch, U different pictures, T words, K text and G picture features, P
px."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from domains.fake_news.models.committee import cell_key
from domains.fake_news.science import image_features, text_features
from domains.fake_news.science.corpus import Corpus
from domains.fake_news.science.tokens import PADDING, Vocabulary
from domains.task import DataModule, one_at_a_time

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Articles:
    """What the networks and the linear half read of N articles, without labels.

    Args:
        titles: N headlines.
        bodies: N cleaned texts.
        text_features: (N, K), see ``feature_names``.
        picture_features: (U, G).
        pictures: (U, 3, P, P) in 0 … 255.
        picture_of: (N,) which picture an article has, -1 for none.
    """

    titles: Sequence[str]
    bodies: Sequence[str]
    text_features: NDArray[np.float32]
    picture_features: NDArray[np.float32]
    pictures: NDArray[np.uint8]
    picture_of: NDArray[np.int64]

    def joined(self, rows: Rows) -> list[str]:
        """Title and body of rows, a line between them, as the baselines read them."""
        return [f"{self.titles[row]}\n{self.bodies[row]}" for row in rows.tolist()]


class Encoder:
    """Makes batches of articles with the words of one vocabulary.

    Args:
        articles: N articles.
        vocabulary: of the fold.
        size: section ``model``.
    """

    def __init__(self, articles: Articles, vocabulary: Vocabulary, size: Mapping[str, Any]) -> None:
        self.articles = articles
        self._words = _numbered(articles.bodies, vocabulary, size["length"])
        self._titles = _numbered(articles.titles, vocabulary, size["title_length"])

    def batch(self, rows: Rows, mirrored: Sequence[bool] = ()) -> dict[str, Tensor]:
        """``words`` (B, T), ``title`` (B, T'), ``text_features`` (B, K), ``pictures`` (U, 3, P, P)
        in [0, 1], ``picture_features`` (U, G) and ``picture_of`` (B,) -1 = none; each different
        picture once.

        Args:
            rows: (B,) of the articles.
            mirrored: whether to turn the picture of a row left to right; none if empty.
        """
        own = self.articles.picture_of[rows]
        shown, place = np.unique(own[own >= 0], return_inverse=True)
        picture_of = np.full(len(rows), -1)
        picture_of[own >= 0] = place
        pictures = torch.from_numpy(self.articles.pictures[shown]).float() / 255
        if len(mirrored) and len(shown):
            turned = np.zeros(len(shown), bool)
            turned[place] = np.asarray(mirrored)[own >= 0]
            pictures = torch.where(
                torch.from_numpy(turned)[:, None, None, None], pictures.flip(3), pictures
            )
        return {
            "words": _trimmed(self._words[rows]),
            "title": _trimmed(self._titles[rows]),
            "text_features": torch.from_numpy(self.articles.text_features[rows]),
            "pictures": pictures,
            "picture_features": torch.from_numpy(self.articles.picture_features[shown]),
            "picture_of": torch.from_numpy(picture_of),
        }


def _numbered(texts: Sequence[str], vocabulary: Vocabulary, length: int) -> NDArray[np.int64]:
    """(N, length) word numbers."""
    rows = [vocabulary.encode(text, length) for text in texts]
    return np.stack(rows) if rows else np.zeros((0, length), np.int64)


def _trimmed(words: NDArray[np.int64]) -> Tensor:
    """(B, T) without the columns that are padding in all rows; T ≥ 1."""
    used = np.flatnonzero((words != PADDING).any(axis=0))
    return torch.from_numpy(words[:, : int(used[-1]) + 1 if len(used) else 1])


def feature_names(explicit: str) -> tuple[list[str], list[str]]:
    """Names of the text and the picture features: ``paper`` the 31 and 4, ``all`` ours too."""
    if explicit == "paper":
        return list(text_features.PAPER_NAMES), list(image_features.PAPER_NAMES)
    return list(text_features.NAMES), list(image_features.NAMES)


def read_articles(corpus: Corpus, size: Mapping[str, Any]) -> Articles:
    """All articles of ``corpus`` in the order of its rows."""
    of_text, of_picture = feature_names(size["explicit"])
    names = sorted({name for name in corpus.articles["image"] if name})
    place = {name: number for number, name in enumerate(names)}
    picture_of = np.array([place.get(name, -1) for name in corpus.articles["image"]], np.int64)
    pictures = np.zeros((len(names), 3, size["image_px"], size["image_px"]), np.uint8)
    about = np.zeros((len(names), len(of_picture)), np.float32)
    values = corpus.features[of_picture].to_numpy(np.float32)
    for row, number in enumerate(picture_of.tolist()):
        if number >= 0 and not pictures[number].any():
            pixels = corpus.picture(row)
            assert pixels is not None
            pictures[number] = squared(pixels, size["image_px"])
            about[number] = values[row]
    return Articles(
        corpus.articles["title"].tolist(),
        corpus.articles["body"].tolist(),
        corpus.features[of_text].to_numpy(np.float32, copy=True),
        about,
        pictures,
        picture_of,
    )


def squared(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """(3, side, side) of pixels (H, W, 3), squeezed to a square as in the paper."""
    from PIL import Image

    image = Image.fromarray(pixels).resize((side, side), Image.Resampling.BILINEAR)
    return np.moveaxis(np.asarray(image), -1, 0)


class Draws:
    """Rows in the order of an epoch: every row once, but of a picture at most ``most`` posts.

    Args:
        rows: that one copy of each network learns from.
        picture_of: (N,) of all articles.
        most: posts of one picture.
        seed: of the order.
    """

    def __init__(self, rows: Rows, picture_of: NDArray[np.int64], most: int, seed: int) -> None:
        own = picture_of[rows]
        groups = [rows[[place]] for place in np.flatnonzero(own < 0)]
        for number in np.unique(own[own >= 0]).tolist():
            posts = rows[own == number]
            groups += [posts] * min(len(posts), most)
        order = np.random.default_rng(seed).permutation(len(groups))
        self._groups = [groups[place] for place in order.tolist()]

    def __len__(self) -> int:
        return len(self._groups)

    def row(self, share: float, random: np.random.Generator) -> int:
        """The row at ``share`` of an epoch, 0 to 1; of a picture's posts any."""
        group = self._groups[int(share * len(self))]
        return int(group[random.integers(len(group))])


class NewsData(DataModule):
    """A batch for each copy of the networks of each fold, and each fold's validation articles.

    Args:
        encoders: fold -> its batches.
        rows: fold -> role -> rows.
        char_scores: fold -> (N_validate,) scores of the linear half that saw ``train`` alone.
        labels: (N,) of all articles.
        num_seeds: fold -> copies of its networks.
        section: section ``train``.
    """

    def __init__(
        self,
        encoders: Mapping[str, Encoder],
        rows: Mapping[str, Mapping[str, Rows]],
        char_scores: Mapping[str, NDArray[np.float64]],
        labels: NDArray[np.float32],
        num_seeds: Mapping[str, int],
        section: Mapping[str, Any],
    ) -> None:
        self.encoders, self.rows, self.char_scores, self.labels = (
            encoders,
            rows,
            char_scores,
            labels,
        )
        self.draws: dict[str, dict[str, Draws]] = {}
        most = section["posts_per_image"]
        for fold, roles in rows.items():
            picture_of = encoders[fold].articles.picture_of
            own = learning_rows(roles)
            self.draws[fold] = {cell_key("train", 0): Draws(own["train"], picture_of, most, 0)}
            for seed in range(num_seeds[fold]):
                draws = Draws(own["whole"], picture_of, most, seed)
                self.draws[fold][cell_key("whole", seed)] = draws
        longest = max(len(draws) for cells in self.draws.values() for draws in cells.values())
        super().__init__(longest, section["batch_size"])

    def train_sample(self, index: int, seed: int) -> dict[str, dict[str, tuple[int, bool]]]:
        """A row for each copy of each fold, and whether its picture is mirrored."""
        random = np.random.default_rng(seed)
        share = index / self.num_train
        return {
            fold: {
                key: (draws.row(share, random), bool(random.random() < 0.5))
                for key, draws in cells.items()
            }
            for fold, cells in self.draws.items()
        }

    def collate(self, samples: list) -> dict[str, dict[str, dict[str, Tensor]]]:  # type: ignore[override]
        """Fold -> copy -> batch with ``label`` (B,)."""
        return {
            fold: {
                key: self._labelled(fold, *zip(*(one[fold][key] for one in samples), strict=True))
                for key in cells
            }
            for fold, cells in self.draws.items()
        }

    def _labelled(
        self, fold: str, rows: Sequence[int], mirrored: Sequence[bool] = ()
    ) -> dict[str, Tensor]:
        chosen = np.asarray(rows, np.int64)
        batch = self.encoders[fold].batch(chosen, mirrored)
        return {**batch, "label": torch.from_numpy(self.labels[chosen])}

    def val_dataloader(self) -> DataLoader:
        """Each fold's articles of ``validate``, and the share of fakes among all that teach."""
        return one_at_a_time(
            [
                {
                    "fold": fold,
                    "char": self.char_scores[fold],
                    "label": self.labels[roles["validate"]],
                    "share": float(self.labels[learning_rows(roles)["whole"]].mean()),
                    "batches": list(in_batches(self.encoders[fold], roles["validate"])),
                }
                for fold, roles in self.rows.items()
            ]
        )


def learning_rows(roles: Mapping[str, Rows]) -> dict[str, Rows]:
    """Part -> rows: ``train`` alone, or ``whole``, which is train and validate."""
    both = np.sort(np.concatenate([roles["train"], roles["validate"]]))
    return {"train": roles["train"], "whole": both}


def in_batches(encoder: Encoder, rows: Rows, most: int = 256) -> list[dict[str, Tensor]]:
    """Batches of at most ``most`` rows, in order; the longest texts are not trimmed together."""
    return [encoder.batch(rows[first : first + most]) for first in range(0, len(rows), most)]
