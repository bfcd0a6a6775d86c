"""The peers read words alone, and no padding."""

from __future__ import annotations

import pytest
import torch

from domains.fake_news.models.committee import make_network
from tests.domains.fake_news.conftest import MODEL
from tests.domains.fake_news.models.test_ti_cnn import batch_of, other_words


@pytest.mark.parametrize("name", ["kim_cnn", "lstm", "gru"])
def test_a_peer_ignores_padding_and_everything_but_words(name: str) -> None:
    torch.manual_seed(0)
    net, batch = make_network(name, MODEL, 50, 5, 4).eval(), batch_of()
    longer = torch.nn.functional.pad(batch["words"], (0, 5))
    torch.testing.assert_close(net(batch), net({"words": longer}))
    assert not torch.allclose(net(batch), net({"words": other_words(batch)}))


@pytest.mark.parametrize("name", ["kim_cnn", "lstm", "gru"])
def test_a_text_without_words_has_a_score(name: str) -> None:
    net = make_network(name, MODEL, 50, 5, 4).eval()
    assert torch.isfinite(net({"words": torch.zeros(2, 1, dtype=torch.long)})).all()
