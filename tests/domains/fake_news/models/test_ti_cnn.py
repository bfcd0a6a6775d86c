"""TI-CNN: branches, missing pictures, the paper's sizes, one batch learnt by heart."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from domains.fake_news.models.ti_cnn import TiCnn
from domains.fake_news.params import ModelParams
from tests.domains.fake_news.conftest import MODEL

NUM_TEXT, NUM_PICTURE = 5, 4


def batch_of(num: int = 6, num_pictures: int = 3) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    words = torch.randint(1, 50, (num, 20), generator=generator)
    words[0, 12:] = 0
    picture_of = torch.full((num,), -1)
    picture_of[:num_pictures] = torch.arange(num_pictures)
    return {
        "words": words,
        "title": torch.randint(1, 50, (num, 4), generator=generator),
        "text_features": torch.randn(num, NUM_TEXT, generator=generator),
        "pictures": torch.rand(num_pictures, 3, 16, 16, generator=generator),
        "picture_features": torch.rand(num_pictures, NUM_PICTURE, generator=generator),
        "picture_of": picture_of,
    }


def other_words(batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Other words in the same places."""
    return torch.where(batch["words"] > 0, 50 - batch["words"], 0)


def network(inputs: str = "both", **changes: object) -> TiCnn:
    torch.manual_seed(0)
    return TiCnn({**MODEL, **changes}, 50, NUM_TEXT, NUM_PICTURE, inputs)


def test_the_papers_text_branch_has_its_number_of_weights() -> None:
    """1000 words, 10 filters of 3: 998 × 10 responses, their maxima over pairs flat into 128."""
    paper = {**MODEL, "pooling": "flatten", "normalisation": "batch", "length": 1000}
    paper |= {"embedding": 100, "filters": 10, "hidden": 128}
    text = TiCnn(paper, 50, 31, 4, "text").text
    assert text is not None
    assert text.latent.width == 4990
    assert sum(p.numel() for p in text.latent.parameters()) == 100 * 10 * 3 + 10
    assert sum(p.numel() for p in text.dense[0].parameters()) == 4990 * 128 + 128


def test_a_missing_picture_adds_nothing() -> None:
    net, batch = network().eval(), batch_of()
    other = {**batch, "pictures": 1 - batch["pictures"], "picture_features": torch.rand(3, 4)}
    assert torch.equal(net(batch)[3:], net(other)[3:])
    assert not torch.allclose(net(batch)[:3], net(other)[:3])
    assert net.image is not None
    assert net.image(batch)[3:].abs().sum() == 0


def test_without_any_picture_it_reads_the_text() -> None:
    net, batch = network().eval(), batch_of(num_pictures=0)
    assert torch.isfinite(net(batch)).all()


@pytest.mark.parametrize(
    ("inputs", "read", "unread"), [("text", "words", "pictures"), ("image", "pictures", "words")]
)
def test_a_half_reads_its_own_input_alone(inputs: str, read: str, unread: str) -> None:
    net, batch = network(inputs).eval(), batch_of()
    changed = {"words": other_words(batch), "pictures": batch["pictures"].flip(3)}
    assert torch.equal(net(batch), net({**batch, unread: changed[unread]}))
    assert not torch.equal(net(batch), net({**batch, read: changed[read]}))


def test_the_title_is_read_only_with_its_branch() -> None:
    batch = batch_of()
    other = {**batch, "title": batch["title"].flip(1)}
    assert torch.equal(network().eval()(batch), network().eval()(other))
    titled = network(has_title_branch=True).eval()
    assert not torch.equal(titled(batch), titled(other))


@pytest.mark.parametrize("pooling", ["max", "flatten"])
def test_padding_changes_nothing(pooling: str) -> None:
    net, batch = network(pooling=pooling).eval(), batch_of()
    longer = torch.nn.functional.pad(batch["words"], (0, 9))
    torch.testing.assert_close(net(batch), net({**batch, "words": longer}))


def test_a_text_too_short_for_a_pair_of_places_is_refused() -> None:
    flat = {**MODEL, "pooling": "flatten", "has_title_branch": True, "kernel": 8, "length": 9}
    shortest = ModelParams.model_validate({**flat, "title_length": 9}).model_dump()
    assert torch.isfinite(network(**shortest)(batch_of())).all()
    for key in ("length", "title_length"):
        with pytest.raises(ValueError, match=f"{key} 8 and kernel 8 leave no pair"):
            ModelParams.model_validate({**shortest, key: 8})
    ModelParams.model_validate({**shortest, "title_length": 2, "has_title_branch": False})


@pytest.mark.parametrize("changes", [{}, {"pooling": "flatten", "normalisation": "batch"}])
def test_it_learns_one_batch_by_heart(changes: dict) -> None:
    net, batch = network(**changes), batch_of()
    label = torch.tensor([1.0, 0, 1, 0, 1, 0])
    optimizer = torch.optim.Adam(net.parameters(), lr=0.03)
    for _ in range(40):
        loss = binary_cross_entropy_with_logits(net(batch), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.05


def test_one_picture_in_a_batch_is_enough_for_batch_normalisation() -> None:
    net = network(normalisation="batch").train()
    assert torch.isfinite(net(batch_of(num_pictures=1))).all()
