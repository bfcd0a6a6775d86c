"""The user's articles in, a stylistic risk with its reasons out; bad input in one line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from domains.errors import DataError
from domains.fake_news.data import Articles
from domains.fake_news.predict import example_input, infer, predict
from domains.fake_news.sources.judging import as_articles
from domains.fake_news.train import Task

BODY = (
    "You will not believe what the council is hiding about the bridge. Everybody knows that they "
    "lie to you and that nobody will ever be punished for this shocking disgrace!"
)
SPANISH = "El consejo de la ciudad dijo que no hay dinero para el puente y que los vecinos " * 3


def answers(path: Path) -> list[dict]:
    return json.loads(path.read_text())["articles"]


def test_a_text_gets_a_risk_with_words_and_features(
    trained: Task, tmp_path: Path, sections: dict
) -> None:
    (tmp_path / "a.txt").write_text(f"A headline\n\n{BODY}")
    predict(trained, tmp_path / "a.txt", tmp_path / "out.json", **sections)
    whole = json.loads((tmp_path / "out.json").read_text())
    assert "not a fact check" in whole["about"]
    (one,) = whole["articles"]
    assert (one["id"], one["title"], one["language"]) == ("a.txt", "A headline", "en")
    assert 0 < one["stylistic_risk"] < 1
    assert (one["stylistic_risk"] >= one["threshold"]) == one["verdict"].startswith("high")
    assert len(one["words"]) == len(one["features"]) == 5
    assert one["has_picture"] is False
    assert (one["share_of_text"], one["share_of_picture"]) == (1, 0)


def test_html_and_text_of_one_article_have_one_risk(
    trained: Task, tmp_path: Path, sections: dict
) -> None:
    (tmp_path / "a.txt").write_text(f"A headline\n\n{BODY}")
    page = f"<title>A headline</title><article><h1>A headline</h1><p>{BODY}</p></article>"
    (tmp_path / "b.html").write_text(f"<html><body>{page}</body></html>")
    risks = []
    for name in ("a.txt", "b.html"):
        predict(trained, tmp_path / name, tmp_path / "out.json", **sections)
        risks.append(answers(tmp_path / "out.json")[0]["stylistic_risk"])
    assert risks[0] == risks[1]


def test_a_picture_beside_the_text_takes_its_share(
    trained: Task, tmp_path: Path, sections: dict
) -> None:
    (tmp_path / "a.txt").write_text(BODY)
    pixels = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    predict(trained, tmp_path / "a.txt", tmp_path / "out.json", **sections)
    (one,) = answers(tmp_path / "out.json")
    assert one["has_picture"]
    assert 0 < one["share_of_picture"] < 1
    assert one["share_of_text"] + one["share_of_picture"] == pytest.approx(1, abs=1e-3)


def test_a_table_gives_a_line_for_each_article_and_counts_the_rest(
    trained: Task, tmp_path: Path, sections: dict, caplog: pytest.LogCaptureFixture
) -> None:
    lines = [f'1,One,"{BODY}",x.org', "2,Two,too short,x.org", f'3,Three,"{SPANISH}",y.org']
    (tmp_path / "in.csv").write_text("\n".join(["id,title,text,source", *lines]))
    predict(trained, tmp_path / "in.csv", tmp_path / "out.csv", **sections)
    with open(tmp_path / "out.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["id"] for row in rows] == ["1", "3"]
    assert [row["language"] for row in rows] == ["en", "not English"]
    assert "body has fewer than 30 words" in caplog.text
    assert "1 of 2 articles are not English" in caplog.text
    assert "bridge:" in rows[0]["words"] or "believe:" in rows[0]["words"] or rows[0]["words"]
    assert rows[1]["is_unsure"] == "True"


def test_a_damaged_picture_is_told_and_the_text_judged(
    trained: Task, tmp_path: Path, sections: dict, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a.txt").write_text(BODY)
    (tmp_path / "a.png").write_bytes(b"no picture")
    predict(trained, tmp_path / "a.txt", tmp_path / "out.json", **sections)
    assert answers(tmp_path / "out.json")[0]["has_picture"] is False
    assert "file is not a picture, the article is judged without it" in caplog.text


def test_what_cannot_be_judged_or_written_is_refused(
    trained: Task, tmp_path: Path, sections: dict
) -> None:
    (tmp_path / "a.txt").write_text("Too short to say anything.")
    with pytest.raises(DataError, match=r"no article .*fewer than 30.*ingest\.files\.kind: post"):
        predict(trained, tmp_path / "a.txt", tmp_path / "out.json", **sections)
    with pytest.raises(DataError, match=r"out\.pdf: cannot write .* expected \.json or \.csv"):
        predict(trained, tmp_path / "a.txt", tmp_path / "out.pdf", **sections)
    (tmp_path / "b.json").write_text(json.dumps({"text": BODY}))
    with pytest.raises(DataError, match="is the input itself"):
        predict(trained, tmp_path / "b.json", tmp_path / "b.json", **sections)
    with pytest.raises(DataError, match="no such file"):
        predict(trained, tmp_path / "gone.txt", tmp_path / "out.json", **sections)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "b.json"]


def test_inference_takes_the_example_and_any_number_of_articles(trained: Task) -> None:
    arrays = example_input(trained)
    found = infer(trained, arrays)
    assert found["stylistic_risk"].shape == found["is_high"].shape == (2,)
    assert ((found["stylistic_risk"] > 0) & (found["stylistic_risk"] < 1)).all()
    one = infer(trained, {key: value[:1] for key, value in arrays.items()})
    np.testing.assert_allclose(one["stylistic_risk"], found["stylistic_risk"][:1], rtol=1e-5)
    pictured = infer(trained, {**arrays, "picture": np.full((2, 20, 30, 3), 90, np.uint8)})
    assert not np.allclose(pictured["stylistic_risk"], found["stylistic_risk"])


def test_inference_sees_the_pixels_that_predict_sees(
    trained: Task, tmp_path: Path, sections: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def watched(prepared: list, size: dict) -> Articles:
        seen.append(prepared[0].picture.name)  # the digest of its pixels at rest
        return as_articles(prepared, size)

    monkeypatch.setattr("domains.fake_news.predict.as_articles", watched)
    (tmp_path / "a.txt").write_text(BODY)
    pixels = np.random.default_rng(0).integers(0, 255, (150, 200, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    predict(trained, tmp_path / "a.txt", tmp_path / "out.json", **sections)
    infer(trained, {"title": np.array([""]), "text": np.array([BODY]), "picture": pixels[None]})
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.zeros((2, 3, 20, 30), np.uint8), r"shape \(2, 3, 20, 30\), expected \(N, H, W, 3\)"),
        (np.zeros((20, 30, 3), np.uint8), r"shape \(20, 30, 3\)"),
        (np.zeros((2, 4, 30, 3), np.uint8), "H and W of 8 px or more"),
        (np.full((2, 20, 30, 3), 0.5), r"values from 0\.5 to 0\.5, expected 0 … 255"),
        (np.full((2, 20, 30, 3), -1), "values from -1 to -1"),
        (np.full((2, 20, 30, 3), np.nan), "values from nan"),
    ],
)
def test_inference_refuses_pictures_of_other_axes_or_values(
    trained: Task, picture: np.ndarray, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        infer(trained, {**example_input(trained), "picture": picture})


def test_inference_refuses_what_it_cannot_use(trained: Task) -> None:
    arrays = example_input(trained)
    with pytest.raises(DataError, match="text missing, expected title and text"):
        infer(trained, {"title": arrays["title"]})
    with pytest.raises(DataError, match="1 titles, 2 texts"):
        infer(trained, {**arrays, "title": arrays["title"][:1]})
    with pytest.raises(DataError, match=r"no body.*expected a text with a word"):
        infer(trained, {"title": np.array(["a"]), "text": np.array([" "])})
