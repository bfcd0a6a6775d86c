"""Published corpora: directions of labels, quoting, missing parts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from domains.errors import DataError
from domains.fake_news.sources.files import collect_files


def liar_row(number: int, label: str, statement: str) -> str:
    counts = ["0"] * 5
    fields = [
        f"{number}.json",
        label,
        statement,
        "tax",
        "speaker",
        "job",
        "TX",
        "none",
        *counts,
        "a",
    ]
    return "\t".join(fields)


def test_liar_is_halved_and_its_quotes_swallow_nothing(
    tmp_path: Path, files_params: Callable
) -> None:
    rows = [
        liar_row(1, "pants-fire", '"An open quote'),
        liar_row(2, "half-true", "plain"),
        liar_row(3, "barely-true", 'closed" late'),
        liar_row(4, "TRUE?", "unknown"),
        "5.json\ttrue\tcut",
    ]
    (tmp_path / "train.tsv").write_text("\n".join(rows) + "\n")
    found = collect_files(str(tmp_path), files_params(format="liar"))
    assert [(a.id, a.label, a.body) for a in found.articles] == [
        ("1", 1, '"An open quote'),
        ("2", 0, "plain"),
        ("3", 1, 'closed" late'),
    ]
    assert found.articles[0].source == "speaker"
    assert found.is_posts
    assert found.rejected == {
        "label 'TRUE?' is neither fake nor real": 1,
        "row with a wrong number of fields": 1,
    }


def test_fakenewsnet_takes_labels_from_names_and_bodies_from_the_crawl(
    tmp_path: Path, files_params: Callable
) -> None:
    head = "id,news_url,title,tweet_ids\n"
    (tmp_path / "politifact_fake.csv").write_text(
        head + 'p1,www.a.com/x,One,"937349434668498944\t9"\n'
    )
    (tmp_path / "politifact_real.csv").write_text(
        "id,url,title,tweet_ids\np2,https://b.org/y,Two,\n"
    )
    crawl = tmp_path / "politifact/fake/p1"
    crawl.mkdir(parents=True)
    (crawl / "news content.json").write_text(json.dumps({"text": "The whole body"}))
    found = collect_files(str(tmp_path), files_params(format="fakenewsnet"))
    assert [(a.id, a.label, a.title, a.body, a.source) for a in found.articles] == [
        ("p1", 1, "One", "The whole body", "a.com"),
        ("p2", 0, "", "Two", "b.org"),
    ]
    assert found.warnings == ["1 of 2 articles have no crawled body: the title is taken for it"]
    (crawl / "news content.json").write_text("not json")
    with pytest.raises(DataError, match="not the crawler's JSON"):
        collect_files(str(tmp_path), files_params(format="fakenewsnet"))


def test_recoverys_one_means_reliable(tmp_path: Path, files_params: Callable) -> None:
    path = tmp_path / "recovery-news-data.csv"
    path.write_text(
        "news_id,url,publisher,publish_date,title,body_text,reliability\n"
        "0,https://a.com/x,Paper A,2020-03-01 00:00,T,B,1\n"
        "1,https://b.com/y,,2020-03-02,T,B,0\n2,u,p,d,T,B,\n"
    )
    found = collect_files(str(path), files_params(format="recovery"))
    assert [(a.label, a.source, a.date) for a in found.articles] == [
        (0, "Paper A", "2020-03-01"),
        (1, "b.com", "2020-03-02"),
    ]
    assert found.rejected == {"no label": 1}


def test_all_data_has_zero_for_an_absent_title_and_many_kinds_of_fake(
    tmp_path: Path, files_params: Callable
) -> None:
    path = tmp_path / "all_data.csv"
    path.write_text(
        "uuid,site_url,title,thread_title,text,type,published,local_image\n"
        "u1,https://www.nytimes.com/2016/a.html,0,0,Body one,real,2016-11-23 00:45,\n"
        "u2,beforeitsnews.com,Title,Thread,Body two,bs,2016-10-26T21:41,p.jpg\n"
    )
    columns = {"image": "local_image"}
    found = collect_files(str(path), files_params(columns, format="all_data", images="/pics"))
    one, two = found.articles
    assert (one.title, one.thread, one.label, one.source) == ("", "", 0, "nytimes.com")
    assert (two.title, two.thread, two.label, two.date) == ("Title", "Thread", 1, "2016-10-26")
    assert one.image is None
    assert two.image == Path("/pics/p.jpg")


@pytest.mark.parametrize("kind", ["liar", "fakenewsnet", "recovery", "all_data"])
def test_an_empty_folder_says_what_was_expected(
    tmp_path: Path, files_params: Callable, kind: str
) -> None:
    with pytest.raises(DataError, match=r"no file .*expected the published names"):
        collect_files(str(tmp_path), files_params(format=kind))
