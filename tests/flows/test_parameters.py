"""params.yaml is checked before anything runs, and edited only by -S."""

from __future__ import annotations

import pytest

from domains.errors import ParameterError
from flows import parameters
from tests.checkout import Checkout

pytestmark = pytest.mark.usefixtures("toy_on_path")


@pytest.fixture
def toy_on_path(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    import domains

    monkeypatch.setattr(domains, "__path__", [str(checkout.root / "domains"), *domains.__path__])


def message(checkout: Checkout) -> str:
    with pytest.raises(ParameterError) as caught:
        parameters.load(checkout.places)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_a_misspelt_key_is_named_with_the_nearest_right_one(checkout: Checkout) -> None:
    checkout.set("batch_size", "batchsize")
    assert "`toy.train.batchsize`; did you mean `batch_size`?" in message(checkout)


def test_a_wrong_type_is_named_with_what_the_key_takes(checkout: Checkout) -> None:
    checkout.set("max_steps: 40", "max_steps: many")
    assert "`toy.train.max_steps` = 'many'" in (text := message(checkout))
    assert "(optimiser steps)" in text


def test_a_value_out_of_range_is_refused(checkout: Checkout) -> None:
    checkout.set("lr: 0.01", "lr: -1")
    assert "`toy.train.lr` = -1: Input should be greater than 0" in message(checkout)


def test_a_missing_key_is_named(checkout: Checkout) -> None:
    checkout.set("    width: 4 # hidden units\n", "    {}\n")
    assert "`toy.model.width` is missing" in message(checkout)


def test_broken_yaml_names_the_line(checkout: Checkout) -> None:
    checkout.set("  source: sample", "  source: [sample")
    assert "params.yaml line" in message(checkout)


def test_a_listed_domain_without_block_and_a_block_without_listing_are_told(
    checkout: Checkout,
) -> None:
    checkout.set("- toy\n", "- toy\n- tides\n")
    assert "lists tides, but there is no such block" in message(checkout)
    checkout.set("- toy\n- tides\n", "- toy\n")
    checkout.set("toy:\n", "tides: {}\ntoy:\n")
    assert "`tides` is not in the list `domains`" in message(checkout)


def test_an_override_changes_one_value_and_keeps_comments(checkout: Checkout) -> None:
    before = (checkout.root / "params.yaml").read_text()
    parameters.override(checkout.places, ["toy.train.max_steps=41"])
    after = (checkout.root / "params.yaml").read_text()
    assert after == before.replace("max_steps: 40", "max_steps: 41")


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        ("toy.train.lrr=1", "did you mean `toy.train.lr`?"),
        ("toy.train.lr", "expected key=value"),
        ("toy.train.lr=-1", "greater than 0"),
        ("toy.train.batch_size=abc", "`toy.train.batch_size` = 'abc'"),
    ],
)
def test_a_wrong_override_is_one_line_and_changes_nothing(
    checkout: Checkout, pair: str, words: str
) -> None:
    before = (checkout.root / "params.yaml").read_text()
    with pytest.raises(ParameterError, match=r"^[^\n]*$") as caught:
        parameters.override(checkout.places, [pair])
    assert words in str(caught.value)
    assert (checkout.root / "params.yaml").read_text() == before
    assert not list(checkout.root.glob(".params*"))


def test_paper_values_become_overrides(checkout: Checkout) -> None:
    assert parameters.paper_overrides(checkout.places, "toy") == ["toy.model.width=8"]


def test_an_unknown_domain_is_answered_with_the_nearest_name(checkout: Checkout) -> None:
    known = parameters.load(checkout.places)
    with pytest.raises(ParameterError, match="no domain 'tooy'; did you mean `toy`"):
        parameters.choose(known, ["tooy"])
