"""Rows of CSV, TSV, JSON lines or JSON as text, with nothing lost in silence.

Every value stays text: an 18-digit id does not survive as a float.  Quoting is declared: read with
the wrong one, a stray quote swallows whole rows, which is refused here.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from domains.errors import DataError
from domains.fake_news.sources.collection import Readable
from domains.fake_news.sources.decoding import decode

_LONGEST_FIELD = 50_000_000
_ROUNDED = re.compile(r"\d(?:\.\d+)?[eE]\+?\d+")
_DELIMITERS = (",", ";", "\t", "|")


@dataclass
class Table:
    """Rows of a file.

    Args:
        where: names the file in messages.
        rows: name of column -> text; "" where a value is missing.
        encoding: that the file was read with.
        rejected: reason -> rows.
    """

    where: str
    rows: list[dict[str, str]]
    encoding: str
    rejected: Counter[str] = field(default_factory=Counter)

    def require(self, column: str, key: str) -> None:
        """Refuse the table if it lacks ``column``.

        Raises:
            DataError: names the nearest column.
        """
        names = list(self.rows[0]) if self.rows else []
        if column not in names:
            near = get_close_matches(column, names, 1)
            hint = f"did you mean {near[0]}? " if near else ""
            found = ", ".join(names[:12])
            raise DataError(f"{self.where}: no column {column!r}, found {found}; {hint}set {key}")


def read_table(
    file: Readable,
    encoding: str = "auto",
    delimiter: str = "auto",
    quoting: str = "minimal",
    header: list[str] | None = None,
) -> Table:
    """All rows of a ``.csv``, ``.tsv``, ``.txt``, ``.jsonl`` or ``.json`` file.

    Args:
        file: to read.
        encoding: see ``decoding.decode``.
        delimiter: ``auto`` = tab for ``.tsv``, else the most frequent one of the first line.
        quoting: ``minimal`` or ``none``.
        header: names of the columns of a file without a header.

    Raises:
        DataError: not text, no rows, a header with a name twice, or rows swallowed by a quote.
    """
    text, used = decode(file.read_bytes(), encoding, file.name)
    if not text.strip():
        raise DataError(f"{file.name}: the file is empty, expected rows; export it again")
    if file.name.lower().endswith((".jsonl", ".ndjson", ".json")):
        table = _read_json(text, file.name, used)
    else:
        first_line = text.split("\n", 1)[0]
        table = _read_csv(
            text, file.name, used, _delimiter(delimiter, file.name, first_line), quoting, header
        )
    if not table.rows:
        raise DataError(f"{file.name}: no usable row, refused {dict(table.rejected)}")
    return table


def _delimiter(declared: str, name: str, first_line: str) -> str:
    if declared == "tab" or (declared == "auto" and name.lower().endswith(".tsv")):
        return "\t"
    return max(_DELIMITERS, key=first_line.count) if declared == "auto" else declared


def _read_csv(
    text: str, where: str, encoding: str, delimiter: str, quoting: str, header: list[str] | None
) -> Table:
    kind: Any = csv.QUOTE_NONE if quoting == "none" else csv.QUOTE_MINIMAL
    limit = csv.field_size_limit(_LONGEST_FIELD)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=kind))
    except csv.Error as error:
        raise DataError(f"{where}: {error}; check ingest.files.quoting and delimiter") from error
    finally:
        csv.field_size_limit(limit)
    if header is None:
        header, lines = [name.strip() for name in lines[0]], lines[1:]
    if twice := [name for name, count in Counter(header).items() if count > 1]:
        raise DataError(f"{where}: column {twice[0]!r} comes twice; rename one")
    lines = [line for line in lines if any(map(str.strip, line))]
    _check_swallowed(lines, header, delimiter, quoting, where)
    table = Table(where, [], encoding)
    for line in lines:
        if len(line) != len(header):
            table.rejected["row with a wrong number of fields"] += 1
            continue
        table.rows.append(dict(zip(header, line, strict=True)))
    return table


def _check_swallowed(
    lines: list[list[str]], header: list[str], delimiter: str, quoting: str, where: str
) -> None:
    """Refuse fields that hold rows: tabs and line ends in one field, or a quote never closed."""
    if quoting == "none" or not lines:
        return
    held = [value for line in lines for value in line if "\n" in value]
    swallowed = sum(value.count("\n") for value in held if delimiter == "\t" and "\t" in value)
    if len(lines[-1]) < len(header) and "\n" in lines[-1][-1]:
        swallowed = max(swallowed, lines[-1][-1].count("\n"))
    if swallowed:
        raise DataError(
            f"{where}: {swallowed} rows lie inside quoted fields, expected one row a line; its "
            "quotes are letters: set ingest.files.quoting: none"
        )


def _read_json(text: str, where: str, encoding: str) -> Table:
    table = Table(where, [], encoding)
    for record in _records(text, where, table):
        if isinstance(record, dict):
            table.rows.append({str(key): _text(value) for key, value in record.items()})
        else:
            table.rejected["line that is no JSON object"] += 1
    names = dict.fromkeys(name for row in table.rows for name in row)
    table.rows = [{name: row.get(name, "") for name in names} for row in table.rows]
    return table


def _records(text: str, where: str, table: Table) -> list[Any]:
    """JSON values; numbers stay the text they were written as."""
    decoder = json.JSONDecoder(parse_int=str, parse_float=str)
    try:
        whole = decoder.decode(text)
        return whole if isinstance(whole, list) else [whole]
    except ValueError as error:
        reason = error
    if text.lstrip().startswith("["):
        raise DataError(f"{where}: not JSON ({reason}); export it again") from reason
    lines = [line for line in text.split("\n") if line.strip()]
    records = []
    for line in lines:
        try:
            records.append(decoder.decode(line))
        except ValueError:
            table.rejected["line that is no JSON object"] += 1
    if not records:
        raise DataError(f"{where}: no line is JSON ({reason}); expected JSON lines") from reason
    return records


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def check_id(value: str, where: str) -> str:
    """``value`` without blanks.

    Raises:
        DataError: it went through a spreadsheet that rounded it, such as 3.24598E+17.
    """
    if _ROUNDED.fullmatch(value.strip()):
        raise DataError(
            f"{where}: id {value.strip()} has lost digits, expected all of them; export the column "
            "as text"
        )
    return value.strip()
