"""Each explicit feature counts what its name says, on a text counted by hand."""

from __future__ import annotations

import pytest
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from domains.fake_news.science import text_features as features
from domains.fake_news.science.tokens import words

TITLE = "WAKE UP America: They LIED to You!"
TEXT = 'I never said "no" to 12 people. We don\'t walk, but you run! Why?\nHe hates NASA and us.'
NUM_WORDS = 18


@pytest.fixture(scope="module")
def found() -> dict[str, float]:
    values = features.text_features(TITLE, "Their THREAD", TEXT)
    return dict(zip(features.NAMES, values.tolist(), strict=True))


def test_the_paper_has_31_features_in_the_order_of_its_file() -> None:
    assert len(features.PAPER_NAMES) == 31
    assert features.PAPER_NAMES[:4] == ("caps_title", "caps_thread", "caps_text", "title_len")
    assert features.PAPER_NAMES[-4:] == ("positive", "first_all", "second_all", "third_all")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("caps_title", 3),  # WAKE UP LIED
        ("caps_thread", 1),
        ("caps_text", 1),  # NASA; I is one letter
        ("title_len", len(TITLE)),
        ("thread_len", 12),
        ("text_len", len(TEXT)),
        ("excl_title", 1),
        ("excl_thread", 0),
        ("excl_text", 1),
        ("first_title", 0),
        ("first_text", 3),  # I We us
        ("second_title", 1),
        ("second_text", 1),
        ("third_title", 1),
        ("third_thread", 1),
        ("third_text", 1),
        ("first_all", 3),
        ("second_all", 2),
        ("third_all", 3),
        ("num_sentences", 4),
        ("words_per_sentence", NUM_WORDS / 4),
        ("question_title", 0),
        ("question_rate", 100 / NUM_WORDS),
        ("exclamation_rate", 100 / NUM_WORDS),
        ("quote_rate", 200 / NUM_WORDS),
        ("number_rate", 100 / NUM_WORDS),
        ("punctuation_rate", 800 / NUM_WORDS),  # " " . ' , ! ? .
        ("capital_word_rate", 100 / NUM_WORDS),
        ("capital_letter_share_title", 13 / 26),
        ("first_rate", 300 / NUM_WORDS),
        ("second_rate", 100 / NUM_WORDS),
        ("third_rate", 100 / NUM_WORDS),
        ("exclusive_rate", 100 / NUM_WORDS),  # but
        ("negation_rate", 300 / NUM_WORDS),  # never no don't
        ("lexical_diversity", 1.0),
    ],
)
def test_a_feature_is_the_count_made_by_hand(
    found: dict[str, float], name: str, value: float
) -> None:
    assert len(words(TEXT)) == NUM_WORDS
    assert found[name] == pytest.approx(value, rel=1e-6)


def test_the_country_is_no_pronoun_and_contractions_are() -> None:
    assert features.count_pronouns(words("The US says I'm with us, they've gone")) == (2, 0, 1)


def test_rates_do_not_change_when_a_text_is_doubled() -> None:
    once = features.text_features("", "", TEXT + "\n")
    twice = features.text_features("", "", (TEXT + "\n") * 2)
    for name in features.FURTHER:
        if name.endswith(("rate", "share")):
            index = features.NAMES.index(name)
            assert once[index] == pytest.approx(twice[index]), name


def test_lexical_diversity_is_different_words_over_the_first_hundred() -> None:
    index = features.NAMES.index("lexical_diversity")
    assert features.text_features("", "", "one two " * 80)[index] == pytest.approx(2 / 100)


def test_emotions_and_motion_are_words_of_empaths_categories() -> None:
    from empath import Empath

    text = "The furious fraud made everyone walk away in terror and joy"
    truth = Empath().analyze(text.lower(), categories=["anger", "fear", "joy", "movement"])
    counts = features.count_categories(words(text))
    assert truth["joy"] > 0
    assert truth["movement"] > 0
    assert {name: counts[name] for name in truth} == truth


def test_sentiment_is_vaders_mean_over_sentences() -> None:
    vader = SentimentIntensityAnalyzer()
    parts = ["This is wonderful news.", "The terrible fraud goes on."]
    truth = sum(vader.polarity_scores(part)["compound"] for part in parts) / 2
    values = features.text_features(parts[0], "", " ".join(parts))
    assert values[features.NAMES.index("sentiment_text")] == pytest.approx(truth, abs=1e-6)
    assert values[features.NAMES.index("sentiment_title")] > 0.5


def test_an_empty_article_has_features_of_zero() -> None:
    assert features.text_features("", "", "").tolist() == [0.0] * len(features.NAMES)
