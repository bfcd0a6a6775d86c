"""The task: the networks of all folds, trained side by side, and how a trained one scores articles.

Legend: N articles, S seeds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from domains import task as contract
from domains.contract import Card
from domains.fake_news.data import (
    Articles,
    Encoder,
    NewsData,
    Rows,
    feature_names,
    in_batches,
    learning_rows,
    read_articles,
)
from domains.fake_news.models.char_linear import CharLinear, run_counts
from domains.fake_news.models.committee import CHAR, TI_CNN_INPUTS, Committee, Part
from domains.fake_news.models.ti_cnn import TiCnn
from domains.fake_news.models.words import WordVectors, latent_semantic_vectors
from domains.fake_news.science.corpus import Corpus, open_corpus
from domains.fake_news.science.tokens import Vocabulary
from domains.task import DataModule, warmup_cosine

DEPLOYED = "grouped_0"
"""The fold whose committee answers the user."""

Scores = dict[str, NDArray[np.float64]]


class Task(contract.Task):
    """One committee for each fold, grouped and random.

    Args:
        folds: name -> ``vocabulary`` (words) and ``networks`` (name -> number of seeds).
        model: section ``model``.
        publishers: whose names were taken out of the training texts.
        is_posts: whether they are posts, which may be short.
        size_px: longest side of a training picture at rest, px.
        **config: keys of the section ``train`` that ``build`` passes on.
    """

    def __init__(
        self,
        folds: Mapping[str, Mapping],
        model: Mapping,
        publishers: Sequence[str] = (),  # models saved before these three were kept lack them
        is_posts: bool = False,
        size_px: int = 64,
        **config: Any,
    ) -> None:
        super().__init__(
            folds=folds, model=model, publishers=publishers, is_posts=is_posts, size_px=size_px,
            **config,
        )  # fmt: skip
        of_text, of_picture = feature_names(model["explicit"])
        self.vocabularies = {name: Vocabulary(fold["vocabulary"]) for name, fold in folds.items()}
        self.committees = nn.ModuleDict(
            {
                name: Committee(
                    fold["networks"],
                    model,
                    len(self.vocabularies[name]),
                    len(of_text),
                    len(of_picture),
                )
                for name, fold in folds.items()
            }
        )
        self._seen: dict[str, tuple[Scores, NDArray, float]] = {}

    def committee(self, fold: str = DEPLOYED) -> Committee:
        """All that was trained for ``fold``."""
        return cast(Committee, self.committees[fold])

    def encoder(self, articles: Articles, fold: str = DEPLOYED) -> Encoder:
        """Batches of ``articles`` with the words that ``fold`` knows."""
        return Encoder(articles, self.vocabularies[fold], self.config["model"])

    # --- training ------------------------------------------------------------------------------

    def training_step(self, batch: dict[str, dict], _: int) -> Tensor:
        """Sum of the networks' losses: each has weights of its own, only the clipping is common."""
        losses = [self.committee(fold).loss(batches) for fold, batches in batch.items()]
        loss = torch.stack(losses).sum()
        self.log("train_loss", loss / len(losses), batch_size=1)
        return loss

    def validation_step(self, batch: dict[str, Any], _: int) -> None:
        """Scores of one fold's validation articles, by the copies that have not seen them."""
        committee = self.committee(batch["fold"])
        found = seed_scores(committee, committee.main, batch["batches"], "train").mean(axis=0)
        scores = {committee.main: found, CHAR: batch["char"].cpu().numpy()}
        self._seen[batch["fold"]] = (scores, batch["label"].cpu().numpy(), batch["share"])

    def on_validation_epoch_end(self) -> None:
        """Calibrate, and log the cross-entropy of our probabilities, mean over grouped folds."""
        losses = []
        for fold, (scores, labels, share) in self._seen.items():
            p = np.clip(self.committee(fold).calibrate(scores, labels, share), 1e-6, 1 - 1e-6)
            if fold.startswith("grouped"):
                losses.append(-np.mean(np.where(labels == 1, np.log(p), np.log1p(-p))))
        self._seen = {}
        self.log("val_loss", float(np.mean(losses)))

    def configure_optimizers(self) -> Any:
        """AdamW; the rate rises over the first tenth of the steps, then falls as a cosine."""
        optimizer = torch.optim.AdamW(
            self.parameters(), lr=self.config["lr"], weight_decay=self.config["weight_decay"]
        )
        steps = self.config["max_steps"]
        return warmup_cosine(optimizer, steps, rise=steps // 10)

    # --- use -----------------------------------------------------------------------------------

    def scores(self, encoder: Encoder, rows: Rows, fold: str = DEPLOYED) -> Scores:
        """Method -> (N,) scores of rows, and ``name/seed`` for each copy of a network.

        Args:
            encoder: of ``fold``.
            rows: (N,) of its articles.
            fold: whose committee scores.
        """
        self.eval()
        committee = self.committee(fold)
        batches = in_batches(encoder, rows)
        found: Scores = {}
        for name in committee.seeds:
            seeds = seed_scores(committee, name, batches, "whole")
            found[name] = seeds.mean(axis=0)
            found |= {f"{name}/{number}": one for number, one in enumerate(seeds)}
        found[CHAR] = committee.char.score(run_counts(encoder.articles.joined(rows)))
        return committee.complete(found)


def seed_scores(
    committee: Committee, name: str, batches: list[dict[str, Tensor]], part: Part
) -> NDArray[np.float64]:
    """(S, N) logits of each seed's copy of a network."""
    device = next(committee.parameters()).device
    with torch.inference_mode():
        found = [
            committee.by_seed(name, part, {key: value.to(device) for key, value in batch.items()})
            for batch in batches
        ]
    return torch.cat(found, dim=1).double().cpu().numpy()


def build(
    dataset: Path | str, *, ingest: Mapping, model: Mapping, train: Mapping, **_: Any
) -> tuple[Task, DataModule]:
    """Task and data for the dataset folder that ``ingest`` wrote.

    Args:
        dataset: the folder.
        ingest: section ``ingest`` that it was written with.
        model: section ``model``.
        train: section ``train``.
    """
    corpus = open_corpus(dataset)
    articles = read_articles(corpus, model)
    rows = {
        f"{kind}_{fold}": {
            role: corpus.rows(role, kind, fold) for role in ("train", "validate")
        }
        for kind in ("grouped", "random")
        for fold in range(corpus.num_folds)
    }  # fmt: skip
    folds: dict[str, dict[str, Any]] = {}
    for name, roles in rows.items():
        texts = [articles.bodies[row] for row in learning_rows(roles)["whole"]]
        folds[name] = {
            "vocabulary": Vocabulary.fit(texts, model["vocabulary"]).known,
            "networks": networks_of(name, model["network"], train, bool(len(articles.pictures))),
        }
    torch.manual_seed(train["seed"])
    task = Task(
        folds,
        dict(model),
        publishers=sorted({name for name in corpus.articles["source"] if name}),
        is_posts="posts" in Card.load(corpus.folder)[0].counts,
        size_px=ingest["images"]["size_px"],
        **{key: train[key] for key in ("lr", "weight_decay", "max_steps")},
    )
    encoders = {name: task.encoder(articles, name) for name in rows}
    for name, roles in rows.items():
        _start(task, name, articles, roles, train["seed"])
    char_scores = _fit_char(task, corpus, articles, rows, train["posts_per_image"])
    labels = corpus.articles["label"].to_numpy(np.float32)
    num_seeds = {name: max(fold["networks"].values()) for name, fold in folds.items()}
    return task, NewsData(encoders, rows, char_scores, labels, num_seeds, train)


def networks_of(fold: str, main: str, train: Mapping, has_pictures: bool) -> dict[str, int]:
    """Network -> number of seeds, the main one first; random folds have it alone, once."""
    if fold.startswith("random"):
        return {main: 1}
    known = TI_CNN_INPUTS if not has_pictures else ()  # without pictures it reads text alone
    peers = {k: count for k, count in train["peers"].items() if k != main and k not in known}
    return {main: train["num_seeds"], **peers}


def _start(task: Task, fold: str, articles: Articles, roles: Mapping[str, Rows], seed: int) -> None:
    """Word vectors and scales of the explicit features, from the articles that a copy learns."""
    vocabulary, committee = task.vocabularies[fold], task.committee(fold)
    width = task.config["model"]["embedding"]
    for part, rows in learning_rows(roles).items():
        texts = [articles.bodies[row] for row in rows.tolist()]
        vectors = torch.from_numpy(latent_semantic_vectors(texts, vocabulary, width, seed))
        own = articles.picture_of[rows]
        about = torch.from_numpy(articles.picture_features[np.unique(own[own >= 0])])
        for copy in committee.copies:
            network = committee.network(*copy)
            if copy[1] != part:
                continue
            for module in network.modules():
                if isinstance(module, WordVectors):
                    module.start_from(vectors)
            if isinstance(network, TiCnn):
                network.set_statistics(torch.from_numpy(articles.text_features[rows]), about)


def _fit_char(
    task: Task,
    corpus: Corpus,
    articles: Articles,
    rows: Mapping[str, Mapping[str, Rows]],
    most: int,
) -> dict[str, NDArray[np.float64]]:
    """Fit every fold's linear half; returns the validation scores of one that saw train alone.

    All posts of one picture count together as ``most`` posts.
    """
    counts = run_counts(articles.joined(np.arange(len(articles.bodies))))
    labels = corpus.articles["label"].to_numpy()
    found = {}
    for fold, roles in rows.items():
        for part, own in learning_rows(roles).items():
            place = np.unique(articles.picture_of[own], return_inverse=True)[1]
            posts = np.bincount(place)[place]
            shares = np.where(articles.picture_of[own] < 0, 1.0, np.minimum(1.0, most / posts))
            char = CharLinear() if part == "train" else task.committee(fold).char
            char.fit(counts[own], labels[own], shares)
            if part == "train":
                found[fold] = char.score(counts[roles["validate"]])
    return found
