"""Bytes of a text file to text: the encoding is declared, or UTF-8 with cp1252 behind it."""

from __future__ import annotations

from domains.errors import DataError


def decode(content: bytes, encoding: str, where: str) -> tuple[str, str]:
    """The text, and the encoding that it was read with.

    A byte order mark is obeyed and taken off.  ``auto`` reads UTF-8; where that fails cp1252, which
    is what word processors wrote; latin-1 where a byte has no meaning in cp1252.

    Args:
        content: of the file.
        encoding: ``auto`` or a name.
        where: names the file in messages.

    Raises:
        DataError: not text, or not in the declared encoding.
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    elif b"\0" in content and encoding != "utf-16":
        raise DataError(f"{where}: holds zero bytes, expected text; check the kind of file")
    tried = ("utf-8-sig", "cp1252", "latin-1") if encoding == "auto" else (_name(encoding),)
    for name in tried:
        try:
            return content.decode(name), name.removesuffix("-sig")
        except UnicodeError as error:
            reason = error
    raise DataError(
        f"{where}: not {encoding} ({reason}); set ingest.files.encoding to what it is, or to auto"
    )


def _name(encoding: str) -> str:
    return "utf-8-sig" if encoding == "utf-8" else encoding
