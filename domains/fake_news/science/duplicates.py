"""Near duplicates: texts whose five-word shingles overlap.

A. Z. Broder, "On the resemblance and containment of documents", SEQUENCES 1997: the Jaccard index
J = |A ∩ B| / |A ∪ B| of the sets of shingles.  MinHash with banding proposes pairs, J itself
decides, so no pair is joined by a chance of hashing.  With bands of 3 rows a pair of J = 0.5 is
proposed with probability 1 − (1 − 0.5³)^42 = 0.996.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from domains.fake_news.science.tokens import words

SHINGLE_WORDS = 5
_BANDS, _ROWS = 42, 3


def shingles(text: str) -> frozenset[str]:
    """All runs of five words, in lower case; a shorter text is one shingle, an empty one none."""
    found = [word.lower() for word in words(text)]
    if not found:
        return frozenset()
    last = max(1, len(found) - SHINGLE_WORDS + 1)
    return frozenset(" ".join(found[first : first + SHINGLE_WORDS]) for first in range(last))


def jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    """|a ∩ b| / |a ∪ b|; 0 for two empty sets."""
    joint = len(a & b)
    return joint / (len(a) + len(b) - joint) if joint else 0.0


def cluster(texts: Sequence[str], threshold: float, seed: int) -> NDArray[np.int32]:
    """(N,) number of the cluster of each text, counted in order of appearance.

    Clusters are the connected parts of the graph whose edges join pairs with J ≥ ``threshold``.
    A text without words is alone.
    """
    sets = [shingles(text) for text in texts]
    union = Union(len(texts))
    first_of: dict[frozenset[str], int] = {}
    for index, found in enumerate(sets):
        if found:
            union.join(first_of.setdefault(found, index), index)
    for a, b in _proposed(list(first_of), list(first_of.values()), seed):
        if union.find(a) != union.find(b) and jaccard(sets[a], sets[b]) >= threshold:
            union.join(a, b)
    return union.numbers()


def join_equal(
    clusters: NDArray[np.int32], names: Sequence[Hashable], unknown: Hashable = ""
) -> NDArray[np.int32]:
    """Clusters in which rows of one name, e.g. one picture, are also together."""
    union = Union(len(clusters))
    for keys, skip in ((clusters.tolist(), None), (list(names), unknown)):
        first_of: dict[Hashable, int] = {}
        for index, key in enumerate(keys):
            if key != skip:
                union.join(first_of.setdefault(key, index), index)
    return union.numbers()


def _proposed(sets: list[frozenset[str]], rows: list[int], seed: int) -> list[tuple[int, int]]:
    """Pairs of rows that agree in a band of their MinHash signatures."""
    from datasketch import MinHash

    signatures = MinHash.bulk(
        [[shingle.encode() for shingle in sorted(found)] for found in sets],
        num_perm=_BANDS * _ROWS,
        seed=seed + 1,
    )
    pairs: set[tuple[int, int]] = set()
    for band in range(_BANDS):
        buckets: dict[bytes, list[int]] = defaultdict(list)
        for row, signature in zip(rows, signatures, strict=True):
            part = signature.hashvalues[band * _ROWS : (band + 1) * _ROWS]
            buckets[part.tobytes()].append(row)
        for bucket in buckets.values():
            pairs.update((a, b) for i, a in enumerate(bucket) for b in bucket[i + 1 :])
    return sorted(pairs)


class Union:
    """Disjoint sets of 0 … num − 1."""

    def __init__(self, num: int) -> None:
        self._parent = list(range(num))

    def find(self, item: int) -> int:
        """The smallest member of the set of ``item``."""
        while self._parent[item] != item:
            self._parent[item] = self._parent[self._parent[item]]
            item = self._parent[item]
        return item

    def join(self, a: int, b: int) -> None:
        """Make one set of those of ``a`` and ``b``."""
        first, second = sorted((self.find(a), self.find(b)))
        self._parent[second] = first

    def numbers(self) -> NDArray[np.int32]:
        """(num,) number of each member's set, counted in order of appearance."""
        roots = [self.find(item) for item in range(len(self._parent))]
        order = {root: number for number, root in enumerate(dict.fromkeys(roots))}
        return np.array([order[root] for root in roots], np.int32)
