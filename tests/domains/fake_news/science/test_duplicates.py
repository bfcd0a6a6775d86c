"""Near duplicates against brute force over all pairs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from domains.fake_news.science.duplicates import cluster, jaccard, join_equal, shingles


def corpus(num: int, random: np.random.Generator) -> list[str]:
    """Texts of which some are edited copies of earlier ones, by more and more words."""
    texts: list[str] = []
    for number in range(num):
        if number % 3 and texts:
            copy = texts[int(random.integers(len(texts)))].split()
            for place in random.choice(len(copy), size=number % 9, replace=False):
                copy[place] = f"x{random.integers(1000)}".translate(
                    str.maketrans("0123456789", "abcdefghij")
                )
            texts.append(" ".join(copy))
        else:
            letters = random.choice(list("abcdefgh"), size=(60, 3))
            texts.append(" ".join("".join(word) for word in letters))
    return texts


def test_shingles_of_six_words_are_two() -> None:
    assert shingles("One two three, four five six!") == {
        "one two three four five",
        "two three four five six",
    }
    assert shingles("Only two") == {"only two"}
    assert shingles("123 ...") == frozenset()


def test_the_jaccard_index_is_shared_over_all() -> None:
    assert jaccard(frozenset("abc"), frozenset("bcd")) == 0.5
    assert jaccard(frozenset(), frozenset()) == 0


@pytest.mark.parametrize("seed", [0, 5])
def test_clusters_are_those_of_all_pairs(seed: int) -> None:
    texts = corpus(60, np.random.default_rng(seed))
    sets = [shingles(text) for text in texts]
    pairs = [
        (a, b) for a in range(60) for b in range(a) if jaccard(sets[a], sets[b]) >= 0.5
    ]  # fmt: skip
    rows, columns = zip(*pairs, strict=True)
    graph = coo_array((np.ones(len(pairs)), (rows, columns)), shape=(60, 60))
    num, truth = connected_components(graph, directed=False)
    found = cluster(texts, 0.5, seed)
    assert 10 < num < 50
    assert len(set(zip(found.tolist(), truth.tolist(), strict=True))) == num
    assert found.max() + 1 == num


def test_the_same_text_in_other_letters_is_one_cluster_and_empty_texts_are_alone() -> None:
    found = cluster(["Buy now, it is cheap", "", "BUY NOW it is cheap!", ""], 0.5, 0)
    assert found.tolist() == [0, 1, 0, 2]


def test_rows_with_one_picture_join_their_clusters_and_no_picture_joins_none() -> None:
    clusters = np.array([0, 1, 1, 2, 3], np.int32)
    assert join_equal(clusters, ["p", "", "q", "p", ""]).tolist() == [0, 1, 1, 0, 2]
