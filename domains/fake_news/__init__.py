"""How likely an article or post is fake, from its style: words, explicit features and picture.

A score of style and layout, no check of facts: it says "written like those that were fake".

Papers: Y. Yang, L. Zheng, J. Zhang, Q. Cui, Z. Li, P. S. Yu, "TI-CNN: Convolutional Neural Networks
for Fake News Detection", 2018, arXiv:1806.00749 (the network); B. D. Horne, S. Adali, "This Just
In: Fake News Packs a Lot in Title", NECO 2017 (data); C. Boididou and others, "Verifying
information with multimedia content on Twitter", Multimedia Tools and Applications 77, 2018 (data
with pictures).

Data: ``sample`` a synthetic corpus with pictures, a planted style and planted leaks; ``public``
Horne 2017 (articles) or MediaEval 2016 (posts with pictures); or the user's CSV, TSV, JSON lines,
folders, LIAR, FakeNewsNet, ReCOVery or the paper's ``all_data.csv``.

The dataset is a folder (``science/corpus.py`` reads and writes it):

- ``articles.parquet``: one row per article or post, sorted by id: id (text, never a number),
  title, thread (headline of the thread, "" where there is none), body (cleaned), label (1 = fake,
  0 = real), source (publisher or web domain), event, origin (named part of the corpus), date
  ("2016-11-08" or ""), image (file in ``images/`` or ""), duplicates (number of its cluster of near
  duplicates), and for each fold k the roles ``grouped_k`` and ``random_k``: ``train``,
  ``validate``, ``test`` or ``unused``.  "" means unknown in every text column.
- ``features.parquet``: id, the text features (``science/text_features.NAMES``: counts, rates per
  100 words, sentiment in [-1, 1]) and the picture features (``science/image_features.NAMES``: px,
  counts, shares; NaN where there is no picture), float32, rows as in ``articles.parquet``.
- ``images/<digest>.png``: RGB, longest side at most ``ingest.images.size_px``; named by content, so
  that no name spells a label.
- ``card.json``: what was kept, counted as ``articles`` or, where they may be short, ``posts``; and
  how many were refused for which reason.

``grouped`` is the honest split: the test shares neither publisher nor event (nor part of the
corpus, whichever ``ingest.split.group_by`` names) with training; rows that share one of them are
``unused``.  ``random`` has the same sizes drawn at random, as the literature does it: inflated.
Near duplicates and copies of one picture never lie in two roles of either.
"""
