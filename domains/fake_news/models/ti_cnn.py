"""TI-CNN: explicit and latent features of text and picture, added, joined, judged.

Y. Yang, L. Zheng, J. Zhang, Q. Cui, Z. Li, P. S. Yu, "TI-CNN: Convolutional Neural Networks for
Fake News Detection", 2018, arXiv:1806.00749, section 4:

    text    = explicit(x) + latent(words)          each Dense -> norm -> ReLU, H wide
    picture = explicit(x) + latent(pixels)
    logit   = Dense(norm(Dense(ReLU(text ‖ picture))))

Differs: the latent text feature is by default the strongest response of each filter (Kim 2014)
instead of all responses in their places, which takes 300 times the weights and learns where in a
text a word stands (``pooling: flatten`` is the paper's); a missing picture adds 0; normalisation
by default over features (``batch`` is the paper's); explicit features enter as sign(x) · ln(1 +
|x|) on the scale of the training articles."""

# B articles, U pictures, T words, E embedding, F filters, H hidden, K text and G picture features,
# P px

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from domains.fake_news.models.features import Normalise, Standardise
from domains.fake_news.models.words import WordVectors
from shared_layers import TextCNN

_POOL = 2  # of the paper's maximum over neighbouring words
_IMAGE_STAGES = 3


class TiCnn(nn.Module):
    """The logit of "fake" from an article's words, picture and explicit features.

    Args:
        size: section ``model``.
        num_words: rows of the word vectors, see ``Vocabulary``.
        num_text: explicit features K of a text.
        num_picture: explicit features G of a picture.
        inputs: ``both``, ``text`` or ``image``.
    """

    def __init__(
        self,
        size: Mapping[str, Any],
        num_words: int,
        num_text: int,
        num_picture: int,
        inputs: str = "both",
    ) -> None:
        super().__init__()
        hidden = size["hidden"]
        self.words = WordVectors(num_words, size["embedding"]) if inputs != "image" else None
        self.text = TextBranch(size, num_text) if inputs != "image" else None
        self.image = ImageBranch(size, num_picture) if inputs != "text" else None
        self.joint = nn.Sequential(
            nn.Linear(hidden * (2 if inputs == "both" else 1), hidden),
            Normalise(hidden, size["normalisation"]),
            nn.Linear(hidden, 1),
        )

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Logits (B,) of a batch of ``data.Encoder``."""
        branches = []
        if self.text is not None and self.words is not None:
            title = self.words(batch["title"]) if self.text.title is not None else None
            branches.append(self.text(batch, self.words(batch["words"]), title))
        if self.image is not None:
            branches.append(self.image(batch))
        return self.joint(torch.cat(branches, dim=1).relu()).squeeze(1)

    def set_statistics(self, text_features: Tensor, picture_features: Tensor) -> None:
        """Take the scales of explicit features from articles (N, K) and pictures (U, G)."""
        if self.text is not None:
            self.text.scale.set_statistics(text_features)
        if self.image is not None and len(picture_features):
            self.image.scale.set_statistics(picture_features)


class TextBranch(nn.Module):
    """Explicit plus latent features of a text, and with a title branch those of its title."""

    def __init__(self, size: Mapping[str, Any], num_text: int) -> None:
        super().__init__()
        hidden = size["hidden"]
        self.scale = Standardise(num_text)
        self.explicit = _dense(num_text, hidden, size["normalisation"])
        self.latent = _latent_text(size, size["length"])
        self.title = _latent_text(size, size["title_length"]) if size["has_title_branch"] else None
        self.dense = _dense(self.latent.width, hidden, size["normalisation"])
        self.title_dense = (
            _dense(self.title.width, hidden, size["normalisation"]) if self.title else None
        )
        self.dropout_words = nn.Dropout(size["dropout_embedding"])
        self.dropout = nn.Dropout(size["dropout_branch"])

    def forward(self, batch: Mapping[str, Tensor], vectors: Tensor, title: Tensor | None) -> Tensor:
        """(B, H)."""
        found = self.latent(self.dropout_words(vectors), batch["words"] != 0)
        explicit = self.explicit(self.scale(batch["text_features"]))
        x = explicit + self.dropout(self.dense(found))
        if self.title is not None and self.title_dense is not None and title is not None:
            found = self.title(self.dropout_words(title), batch["title"] != 0)
            x = x + self.dropout(self.title_dense(found))
        return x


class FlatText(nn.Module):
    """The paper's latent text feature: convolution, maximum over pairs, all places kept."""

    def __init__(self, embedding: int, filters: int, kernel: int, length: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(embedding, filters, kernel)
        self.length = length
        self.width = filters * ((length - kernel + 1) // _POOL)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """(B, F · places) of vectors (B, T, E) where mask (B, T) is true."""
        x = (vectors * mask.unsqueeze(-1)).mT  # (B, E, T)
        x = F.pad(x, (0, self.length - x.shape[2]))[..., : self.length]  # (B, E, length)
        return F.max_pool1d(self.conv(x).relu(), _POOL).flatten(1)


class PooledText(TextCNN):
    """The strongest response of each filter, (B, F)."""

    def __init__(self, embedding: int, filters: int, kernel: int) -> None:
        super().__init__(embedding, filters, (kernel,))
        self.width = filters


class ImageBranch(nn.Module):
    """Explicit plus latent features of a picture; 0 for an article without one."""

    def __init__(self, size: Mapping[str, Any], num_picture: int) -> None:
        super().__init__()
        filters, channels = size["image_filters"], 3
        stages: list[nn.Module] = []
        for _ in range(_IMAGE_STAGES):
            stages += [nn.Conv2d(channels, filters, 3, padding=1), nn.ReLU(),
                       nn.Dropout(size["dropout_image"]), nn.MaxPool2d(2)]  # fmt: skip
            channels = filters
        self.latent = nn.Sequential(*stages, nn.Flatten())
        self.hidden = size["hidden"]
        side = size["image_px"] // 2**_IMAGE_STAGES
        self.dense = _dense(filters * side**2, size["hidden"], size["normalisation"])
        self.scale = Standardise(num_picture)
        self.explicit = _dense(num_picture, size["hidden"], size["normalisation"])
        self.dropout = nn.Dropout(size["dropout_branch"])

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """(B, H) of pictures (U, 3, P, P) in [0, 1] and whose they are, picture_of (B,)."""
        picture_of = batch["picture_of"]
        if not len(batch["pictures"]):
            return batch["picture_features"].new_zeros(len(picture_of), self.hidden)
        latent = self.dropout(self.dense(self.latent(batch["pictures"] - 0.5)))  # (U, H)
        x = self.explicit(self.scale(batch["picture_features"])) + latent
        has_one = (picture_of >= 0).unsqueeze(1)
        return x[picture_of.clamp_min(0)] * has_one


def _dense(inputs: int, hidden: int, normalisation: str) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, hidden), Normalise(hidden, normalisation), nn.ReLU())


def _latent_text(size: Mapping[str, Any], length: int) -> FlatText | PooledText:
    embedding, filters, kernel = size["embedding"], size["filters"], size["kernel"]
    if size["pooling"] == "flatten":
        return FlatText(embedding, filters, kernel, length)
    return PooledText(embedding, filters, kernel)
