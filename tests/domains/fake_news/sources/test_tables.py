"""Rows are read whole or refused with the key to set."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from domains.errors import DataError
from domains.fake_news.sources.collection import MemoryFile
from domains.fake_news.sources.files import collect_files, to_articles
from domains.fake_news.sources.tables import read_table

LONG_ID = "324597532548276224"


def file(text: str, name: str = "a.csv", encoding: str = "utf-8") -> MemoryFile:
    return MemoryFile(name, text.encode(encoding))


def test_ids_of_eighteen_digits_keep_them_in_every_format() -> None:
    rows = [
        read_table(file(f"id,text\n{LONG_ID},hello")).rows,
        read_table(file(f'{{"id": {LONG_ID}, "text": "hello"}}\n', "a.jsonl")).rows,
        read_table(file(f'[{{"id": {LONG_ID}, "text": "hello"}}]', "a.json")).rows,
    ]
    assert rows == [[{"id": LONG_ID, "text": "hello"}]] * 3


def test_a_rounded_id_is_refused(files_params: Callable) -> None:
    table = read_table(file("id,title,text,label,source\n3.24598E+17,t,b,fake,s"))
    with pytest.raises(DataError, match=r"id 3\.24598E\+17 has lost digits"):
        to_articles(table, files_params(), Path(), Counter())


def test_tabs_inside_a_quoted_csv_field_stay_text() -> None:
    ids = f"{LONG_ID}\t{LONG_ID}"
    table = read_table(file(f'id,news_url,title,tweet_ids\np1,u,t,"{ids}"\np2,u,t,\n'))
    assert [row["tweet_ids"] for row in table.rows] == [ids, ""]


@pytest.mark.parametrize(
    ("encoding", "used"), [("cp1252", "cp1252"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16")]
)
def test_auto_finds_what_word_processors_write(encoding: str, used: str) -> None:
    table = read_table(file("id,text\n1,“naïve” – café", encoding=encoding))
    assert table.rows == [{"id": "1", "text": "“naïve” – café"}]
    assert table.encoding == used


def test_a_declared_encoding_is_held_to() -> None:
    with pytest.raises(DataError, match=r"not utf-8 .* set ingest\.files\.encoding"):
        read_table(file("id,text\n1,“x”", encoding="cp1252"), encoding="utf-8")


def test_a_binary_file_is_no_table() -> None:
    with pytest.raises(DataError, match="holds zero bytes, expected text"):
        read_table(MemoryFile("a.csv", b"id,text\n\0\0"))


def test_a_quote_that_swallows_rows_of_a_tsv_is_refused() -> None:
    text = 'id\ttext\tlabel\n1\t"It begins\tfake\n2\tplain\treal\n3\tends" here\tfake\n'
    with pytest.raises(DataError, match=r"2 rows lie inside quoted fields.*quoting: none"):
        read_table(file(text, "posts.tsv"))
    rows = read_table(file(text, "posts.tsv"), quoting="none").rows
    assert [row["label"] for row in rows] == ["fake", "real", "fake"]


def test_a_quote_that_never_closes_in_a_csv_is_refused() -> None:
    with pytest.raises(DataError, match="3 rows lie inside quoted fields"):
        read_table(file('id,text,label\n1,"open,fake\n2,b,real\n3,c,real\n'))


def test_line_ends_in_quoted_csv_fields_are_text() -> None:
    rows = read_table(file('id,text,label\n1,"two\nlines, and a comma",fake\n')).rows
    assert rows[0]["text"] == "two\nlines, and a comma"


def test_rows_with_too_many_fields_are_counted() -> None:
    table = read_table(file("id;text\n1;a\n2;b;c\n\n3;d\n"))
    assert len(table.rows) == 2
    assert table.rejected == {"row with a wrong number of fields": 1}


def test_lines_that_are_no_json_are_counted() -> None:
    table = read_table(file('{"a": "x"}\n[1]\n{broken\n{"b": null}\n', "a.jsonl"))
    assert table.rows == [{"a": "x", "b": ""}, {"a": "", "b": ""}]
    assert table.rejected == {"line that is no JSON object": 2}


def test_one_json_object_over_many_lines_is_a_row() -> None:
    article = {"title": "t", "n": 1.5, "tags": ["a", "b"], "media": [{}]}
    table = read_table(file(json.dumps(article, indent=1), "a.json"))
    assert table.rows == [{"title": "t", "n": "1.5", "tags": '["a", "b"]', "media": "[{}]"}]
    assert not table.rejected


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("  \n", "a.csv", "the file is empty"),
        ("id,text\n", "a.csv", "no usable row"),
        ("id,id\n1,2\n", "a.csv", "column 'id' comes twice"),
        ("hello", "a.json", "no line is JSON"),
        ("[1,", "a.json", "not JSON"),
    ],
)
def test_a_file_without_rows_says_so(text: str, name: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_table(file(text, name))


def test_a_missing_column_names_the_nearest(tmp_path: Path, files_params: Callable) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,titel,text,label,source\n1,t,b,fake,s\n")
    with pytest.raises(DataError, match=r"no column 'title'.*did you mean titel.*columns\.title"):
        collect_files(str(path), files_params())


def test_the_declared_direction_of_labels_is_obeyed(files_params: Callable) -> None:
    table = read_table(file("id,text,label\na,x,1\nb,y,0\nc,z,\nd,w,satire\n"))
    columns = {"title": None, "source": None}
    rejected: Counter[str] = Counter()
    as_fake = to_articles(table, files_params(columns), Path(), rejected)
    assert [(a.id, a.label) for a in as_fake] == [("a", 1), ("b", 0)]
    assert rejected == {"no label": 1, "label 'satire' is neither fake nor real": 1}
    turned = files_params(columns, fake_labels=["0"], real_labels=["1"])
    assert [a.label for a in to_articles(table, turned, Path(), Counter())] == [0, 1]


def test_labels_that_are_all_unknown_are_listed(files_params: Callable) -> None:
    table = read_table(file("id,text,label\na,x,TRUE\nb,y,FALSE\n"))
    with pytest.raises(DataError, match=r"labels 'FALSE', 'TRUE', expected some of.*fake_labels"):
        to_articles(table, files_params({"title": None, "source": None}), Path(), Counter())


def test_a_label_cannot_mean_both(files_params: Callable) -> None:
    with pytest.raises(ValueError, match="'1' is in fake_labels and in real_labels"):
        files_params(real_labels=["1"])
