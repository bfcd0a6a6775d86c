"""Tokens and vocabulary."""

from __future__ import annotations

from domains.fake_news.science.tokens import PADDING, UNKNOWN, Vocabulary, sentences, tokenise


def test_a_token_is_a_word_a_number_or_a_mark_that_shouts() -> None:
    assert tokenise("It’s 1,000.5 Über-lies, ok_then?!") == [
        "it's", "1,000.5", "über", "lies", "ok", "then", "?", "!",
    ]  # fmt: skip


def test_the_vocabulary_ranks_by_count_then_alphabet_and_drops_rare_words() -> None:
    vocabulary = Vocabulary.fit(["b a b", "a c b", "once"], size=10)
    assert vocabulary.known == ["b", "a"]
    assert len(vocabulary) == 4
    assert Vocabulary.fit(["b a b", "a c b"], size=1).known == ["b"]


def test_encoding_pads_cuts_and_marks_what_training_never_saw() -> None:
    vocabulary = Vocabulary(["lie", "truth"])
    assert vocabulary.encode("Truth, what a LIE", 6).tolist() == [
        3, UNKNOWN, UNKNOWN, 2, PADDING, PADDING,
    ]  # fmt: skip
    assert vocabulary.encode("lie lie lie", 2).tolist() == [2, 2]


def test_a_vocabulary_is_rebuilt_from_its_words() -> None:
    fitted = Vocabulary.fit(["x y y x z z z y"], size=3)
    again = Vocabulary(fitted.known)
    assert again.encode("z y x", 3).tolist() == [3, 2, 4]
    assert fitted.encode("z y x", 3).tolist() == [3, 2, 4]


def test_sentences_end_at_marks_and_lines_and_hold_a_word() -> None:
    assert sentences('He said: "Go!" Then... she left\n\n*** 12\nEnd') == [
        'He said: "Go!', "Then...", "she left", "End",
    ]  # fmt: skip
