"""Horne 2017 and MediaEval 2016: shapes made here, and the real files where they are at hand."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from domains.errors import DataError
from domains.fake_news.sources.files import collect_files
from domains.fake_news.sources.horne import SHA256, collect_horne
from domains.fake_news.sources.mediaeval import collect_mediaeval, post_date
from domains.files import hash_file

RANDOM = "Random Poltical News Dataset"


def test_a_zip_with_titles_in_a_parallel_folder_is_read(tmp_path: Path) -> None:
    path = tmp_path / "news.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for label in ("Fake", "Real", "Satire"):
            for part in ("Buzzfeed Political News Dataset", RANDOM):
                folder = f"Public Data/{part}/{label}"
                archive.writestr(f"{folder}/1_{label}.txt", f"{label} “body”".encode("cp1252"))
                archive.writestr(f"{folder}_titles/1_{label}.txt", f"{label} title")
        archive.writestr("Public Data/README.txt", "read me")
    found = collect_horne(path)
    assert sorted((a.origin, a.label, a.title, a.body) for a in found.articles) == sorted(
        (part, int(label == "Fake"), f"{label} title", f"{label} “body”")
        for part in ("Buzzfeed", "Random")
        for label in ("Fake", "Real")
    )
    assert found.rejected == {"label 'satire' is neither fake nor real": 2}
    assert found.warnings == ["4 of 4 texts are cp1252, not UTF-8"]
    assert (found.group_by, found.leave_out) == (("origin",), ("Buzzfeed", "Random"))


def test_folders_without_labels_in_their_names_are_refused(
    tmp_path: Path, files_params: Callable
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other/a.txt").write_text("x")
    with pytest.raises(DataError, match="in folders named 0, 1, fake, real"):
        collect_files(str(tmp_path), files_params(format="folders"))
    with pytest.raises(DataError, match="expected a folder or a ZIP archive"):
        collect_files(str(tmp_path / "other/a.txt"), files_params(format="folders"))


@pytest.mark.parametrize("form", ["Horne2017_FakeNewsData.zip", "horne2017.jsonl"])
def test_hornes_real_corpus_has_its_251_articles(test_data: Path, form: str) -> None:
    path = test_data / "news" / form
    found = collect_horne(path)
    counts = Counter((article.origin, article.label) for article in found.articles)
    assert counts == {
        ("Buzzfeed", 1): 48,
        ("Buzzfeed", 0): 53,
        ("Random", 1): 75,
        ("Random", 0): 75,
    }
    assert found.rejected == {"label 'satire' is neither fake nor real": 75}
    assert all(article.title.strip() for article in found.articles)
    if form.endswith(".zip"):
        assert hash_file(path) == SHA256


POSTS = (
    "post_id\tpost_text\tuser_id\timage_id(s)\tusername\ttimestamp\tlabel\n"
    '324597532548276224\t"An open quote &amp; more\\n\t1\tboston_fake_99 , boston_fake_01 \tu'
    "\tWed Apr 17 18:57:37 +0000 2013\tfake\n"
    "324597532548276225\tplain\t1\tgarissa_01\tu\t\treal\n"
    '324597532548276226\tcloses" it\t1\tsandy_real_02\tu\t\treal\n'
    "324597532548276227\tno picture\t1\tsandy_real_77\tu\t\treal\n"
    "324597532548276228\tjoke\t1\tsandy_real_02\tu\t\thumor\n"
)


def test_posts_are_read_line_by_line_and_find_the_first_picture_at_hand(tmp_path: Path) -> None:
    (tmp_path / "posts.txt").write_text(POSTS)
    (tmp_path / "images").mkdir()
    for name in ("boston_fake_01.jpg", "garissa_01.png", "sandy_real_02.gif"):
        Image.new("RGB", (9, 9)).save(tmp_path / "images" / name)
    (tmp_path / "images/notes.txt").write_text("a text among the pictures")
    found = collect_mediaeval(tmp_path)
    assert [(a.id[-1], a.label, a.event, a.date) for a in found.articles] == [
        ("4", 1, "boston", "2013-04-17"),
        ("5", 0, "garissa", ""),
        ("6", 0, "sandy", ""),
    ]
    assert [a.image.name for a in found.articles if a.image] == [
        "boston_fake_01.jpg", "garissa_01.png", "sandy_real_02.gif",
    ]  # fmt: skip
    assert found.rejected == {
        "post whose picture is absent": 1,
        "label 'humor' is neither fake nor real": 1,
    }


def test_a_folder_without_posts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"0 files posts\.tsv or posts\.txt, expected one"):
        collect_mediaeval(tmp_path)


def test_a_date_that_is_none_is_unknown() -> None:
    assert post_date("Mon Oct 29 23:00:00 +0000 2012") == "2012-10-29"
    assert post_date("yesterday") == ""


def test_mediaevals_real_posts_are_all_there(test_data: Path) -> None:
    found = collect_mediaeval(test_data / "news/mediaeval2016_dev")
    assert len(found.articles) == 13_416
    assert len({article.id for article in found.articles}) == 13_416
    assert all(article.id.isdigit() and len(article.id) >= 17 for article in found.articles)
    assert len({a.image.name for a in found.articles if a.image}) == 376
    assert len({article.event for article in found.articles}) == 15
    assert not found.rejected
    by_picture: dict[str, set] = {}
    for article in found.articles:
        by_picture.setdefault(article.image.name, set()).add(article.label)  # type: ignore[union-attr]
    assert all(len(labels) == 1 for labels in by_picture.values())
    assert found.articles[0].image_size is not None
