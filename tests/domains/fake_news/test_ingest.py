"""Raw articles to dataset: what is kept, counted, split; the leak check works on a planted leak."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from domains.contract import Card
from domains.errors import DataError
from domains.fake_news.ingest import ingest
from domains.fake_news.params import IngestParams, Params
from domains.fake_news.science.baselines import fit_baseline
from domains.fake_news.science.corpus import Corpus, open_corpus
from domains.fake_news.science.scores import auc
from domains.fake_news.sources.simulator import simulate
from domains.files import hash_folder

LINES = (
    "The committee met on {a} and spoke about the {b} for most of the day, said a member.",
    "It was not clear what the {b} would cost, and no one from {a} could be reached.",
    "A new meeting on the {a} of the {b} will be held when the papers are ready.",
)


def write_csv(path: Path, rows: list[dict]) -> Path:
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def article(number: int, **changes: object) -> dict:
    random = np.random.default_rng(number)
    words = ["".join(random.choice(list("bcdfgaeiou"), 7)) for _ in range(24)]
    body = " ".join(
        line.format(a=" ".join(words[8 * i : 8 * i + 4]), b=" ".join(words[8 * i + 4 : 8 * i + 8]))
        for i, line in enumerate(LINES)
    )
    return {
        "id": f"n{number:03d}",
        "title": f"Headline {number}",
        "text": body,
        "label": "fake" if number % 2 else "real",
        "source": f"site{number % 8}.org",
        **changes,
    }


def test_the_block_of_params_yaml_fits_its_schema(params_block: dict) -> None:
    assert Params.model_validate(params_block).ingest.split.folds == 3


def test_what_was_planted_is_counted_on_the_card(tiny_dataset: Path, ingest_params: dict) -> None:
    settings = IngestParams.model_validate(ingest_params)
    _, planted = simulate(settings.sample, 0)
    card, digest = Card.load(tiny_dataset)
    assert card.rejected == {
        "body has fewer than 30 words": planted.counts["short"],
        "no body": planted.counts["empty"],
        "body is not English": planted.counts["foreign"],
        "body is boilerplate (login, cookies, copyright)": planted.counts["login"],
        "picture is cut short, the article is kept": planted.counts["damaged picture"],
    }
    warnings = " ".join(card.warnings)
    assert f"{planted.counts['entities']} texts with HTML entities" in warnings
    assert f"{planted.counts['republished']} articles are near duplicates" in warnings
    assert "synthetic" in card.title
    assert digest == hash_folder(tiny_dataset)
    assert card.counts["articles"] == 220 - 2 - 1 - 2 - 2


def test_no_body_names_its_publisher(tiny_dataset: Path) -> None:
    articles = open_corpus(tiny_dataset).articles
    names = re.compile("|".join(map(re.escape, set(articles["source"]))))
    assert not articles["body"].str.contains(names).any()
    assert not articles["body"].str.contains("&[a-z]+;|<br|Copyright", regex=True).any()


def inflation(corpus: Corpus, name: str) -> tuple[float, float]:
    """AUC of a baseline in the grouped and in the random folds, mean."""
    found = []
    for kind in ("grouped", "random"):
        values = []
        for fold in range(corpus.num_folds):
            train, test = (corpus.table(corpus.rows(r, kind, fold)) for r in ("train", "test"))
            values.append(auc(fit_baseline(name, train)(test), test["label"]))
        found.append(float(np.mean(values)))
    return found[0], found[1]


def test_the_planted_publisher_leak_shows_in_the_random_split_alone(tiny_dataset: Path) -> None:
    grouped, random = inflation(open_corpus(tiny_dataset), "source_only")
    assert grouped == 0.5
    assert random > 0.7


def test_the_planted_style_is_found_for_new_publishers(tiny_dataset: Path) -> None:
    grouped, _ = inflation(open_corpus(tiny_dataset), "explicit_lr")
    assert grouped > 0.7


def test_ingest_writes_the_same_bytes_again(
    tiny_dataset: Path, tmp_path: Path, ingest_params: dict
) -> None:
    ingest("sample", tmp_path / "again", ingest=ingest_params)
    assert hash_folder(tmp_path / "again") == hash_folder(tiny_dataset)
    assert (tmp_path / "again/card.json").read_bytes() == (tiny_dataset / "card.json").read_bytes()


def test_a_users_table_with_pictures_becomes_a_dataset(tmp_path: Path, ingest_params: dict) -> None:
    random = np.random.default_rng(0)
    for name in ("a.png", "b.jpg"):
        Image.fromarray(random.integers(0, 255, (50, 90, 3), dtype=np.uint8)).save(tmp_path / name)
    (tmp_path / "c.jpg").write_bytes(b"no picture")
    pictures = {0: "a.png", 1: "b.jpg", 2: "c.jpg", 3: "gone.jpg"}
    rows = [article(k, image=pictures.get(k, "")) for k in range(64)]
    rows.append(article(64, id="n001"))
    ingest_params["files"]["columns"]["image"] = "image"
    card = ingest(str(write_csv(tmp_path / "t.csv", rows)), tmp_path / "out", ingest=ingest_params)
    assert card.rejected == {
        "id comes twice": 1,
        "file is not a picture, the article is kept": 1,
        "picture file is absent, the article is kept": 1,
    }
    assert card.counts["articles"] == 64
    assert card.counts["with picture"] == 2
    corpus = open_corpus(tmp_path / "out")
    assert corpus.features["image_width"].iloc[:2].tolist() == [90, 90]
    assert set(corpus.articles["source"]) == {f"site{k}.org" for k in range(8)}
    assert any("no split by event: 1 value" in sentence for sentence in card.warnings)


def test_near_duplicates_are_dropped_if_so_asked(tmp_path: Path, ingest_params: dict) -> None:
    rows = [article(k) for k in range(60)]
    rows += [
        article(k, id=f"z{k}", text=rows[k]["text"] + " More on this later.") for k in range(5)
    ]
    ingest_params["duplicates"]["action"] = "drop"
    card = ingest(str(write_csv(tmp_path / "t.csv", rows)), tmp_path / "out", ingest=ingest_params)
    assert card.rejected == {"near duplicate of another article": 5}
    assert not any(name.startswith("z") for name in open_corpus(tmp_path / "out").articles["id"])


def test_a_text_with_both_labels_is_told(tmp_path: Path, ingest_params: dict) -> None:
    rows = [article(k) for k in range(60)]
    rows.append(article(0, id="z", label="fake", source="site1.org"))
    card = ingest(str(write_csv(tmp_path / "t.csv", rows)), tmp_path / "out", ingest=ingest_params)
    assert "1 clusters of near duplicates carry both labels" in card.warnings


def test_without_publishers_the_split_is_said_to_be_inflated(
    tmp_path: Path, ingest_params: dict
) -> None:
    rows = [article(k, source="") for k in range(60)]
    card = ingest(str(write_csv(tmp_path / "t.csv", rows)), tmp_path / "out", ingest=ingest_params)
    assert any("as inflated as the random one" in sentence for sentence in card.warnings)


@pytest.mark.parametrize(
    ("rows", "changes", "message"),
    [
        ([article(k) for k in range(20)], {}, "10 fake and 10 real articles left, expected 15"),
        ([article(k, text="") for k in range(60)], {}, r"0 fake and 0 real.*'no body': 60"),
        (
            [article(k) for k in range(60)],
            {"group_by": ["source"], "leave_out": ["site9.org"]},
            r"leave_out: no source 'site9\.org', expected some of site0\.org",
        ),
        (
            [article(k) for k in range(60)],
            {"group_by": ["source"], "leave_out": ["site1.org"]},
            "to test, expected both labels; change ingest.split",
        ),
    ],
)
def test_a_table_that_cannot_train_and_test_is_refused(
    tmp_path: Path, ingest_params: dict, rows: list, changes: dict, message: str
) -> None:
    ingest_params["split"] |= changes
    path = write_csv(tmp_path / "t.csv", rows)
    with pytest.raises(DataError, match=message):
        ingest(str(path), tmp_path / "out", ingest=ingest_params)
    assert not (tmp_path / "out").exists()


def test_a_source_that_is_not_there_says_so(tmp_path: Path, ingest_params: dict) -> None:
    with pytest.raises(DataError, match=r"source: .*gone: no such file or folder"):
        ingest(str(tmp_path / "gone"), tmp_path / "out", ingest=ingest_params)


def test_horne_is_split_part_against_part(
    test_data: Path, tmp_path: Path, ingest_params: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVOY_MIRROR", str(test_data))
    card = ingest("public", tmp_path / "out", ingest=ingest_params)
    assert card.counts["articles"] == 251
    corpus = open_corpus(tmp_path / "out")
    for fold, part in enumerate(("Buzzfeed", "Random")):
        test = corpus.articles.iloc[corpus.rows("test", fold=fold)]
        assert set(test["origin"]) == {part}
    assert len(corpus.rows("test", fold=0)) == 101
    # the measured peer: char 3-5 + LR reaches 0.85 from Random to Buzzfeed
    train, test = (corpus.table(corpus.rows(role)) for role in ("train", "test"))
    assert auc(fit_baseline("char_lr", train)(test), test["label"]) > 0.8
