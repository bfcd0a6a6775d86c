"""Raw text to what an author wrote: no markup, no boilerplate, no publisher's name.

Each step tells what it found, so that the card can count it.  Typographic quotes, dashes and
spaces become plain ones: which kind a text has tells who published it, not whether it is true.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

AGENCIES = (
    "Reuters", "Associated Press", "Agence France-Presse", "AFP", "CNN", "Fox News", "BBC News",
    "BBC", "NPR", "ABC News", "CBS News", "NBC News", "MSNBC", "USA Today", "The New York Times",
    "New York Times", "The Washington Post", "Washington Post", "The Wall Street Journal",
    "Wall Street Journal", "The Guardian", "The Economist", "Breitbart", "InfoWars", "Infowars",
    "The Onion", "Huffington Post", "PolitiFact", "BuzzFeed", "BuzzFeed News",
)  # fmt: skip
"""Names that are taken out everywhere, besides the sources of the corpus itself."""

_LONGEST_LINE = 300
"""Letters of a line that can be boilerplate; a longer one is a paragraph."""

_ESCAPED = re.compile(r"<U\+([0-9A-Fa-f]{4,6})>")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<!--.{0,2000}?-->", re.S)
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("“”„‟«»", '"'),
        **dict.fromkeys("‘’‚‛´", "'"),
        **dict.fromkeys("–—―−", "-"),
        **dict.fromkeys("\u00a0\u2007\u2009\u200a\u202f\u3000\t\f\v", " "),
        **dict.fromkeys("\r\u2028\u2029", "\n"),
    }
)
_LINK = re.compile(
    r"(?:https?://|www\.)\S+|\b(?:pic\.twitter|t)\.(?:com|co)/\S+|(?<!\S)\S{1,64}@\S{1,200}\.\w+",
    re.I,
)
_MENTION = re.compile(r"(?<!\w)@\w+:?")
_RETWEET = re.compile(r"^\s*(?:RT|MT)\b:?\s*")
_MOJIBAKE = re.compile(r"â€|Ã[\x80-\xbf©¨¢¶¼¤]|ï»¿|\ufffd")
_DATELINE = re.compile(
    r"^\s*(?:[A-Z][A-Z.'’ -]+(?:,\s*[A-Z][\w.]+)?(?:,\s*[A-Z][a-z]+\.? \d{1,2})?\s*)?"
    r"\(\s*[A-Z][\w .&'-]{1,30}\)\s*(?:[-:]+\s*)?|"
    r"^\s*[A-Z][A-Z.' ]{3,}(?:,\s*[A-Z][\w.]+)?\s*-+\s+"
)
_BOILERPLATE = re.compile(
    r"copyright\b|©|\(c\) ?\d{4}|all rights reserved|may not be (?:published|reproduced)"
    r"|\bcookies?\b.*\b(?:policy|site|website|browser|accept|use)|accept (?:all )?cookies"
    r"|\b(?:log|sign) ?in\b.*\b(?:continue|account|read|password|facebook)"
    r"|forgot (?:your )?password"
    r"|create an account|already a (?:member|subscriber)"
    r"|\bsubscribe\b.*\b(?:newsletter|today|now|channel|email|updates)|sign up (?:for|to) "
    r"|^(?:share (?:this|on)|follow us|read more|click here|related(?: articles?)?:|advertisement\b"
    r"|continue reading|watch:|photo:|image:|tags?:|filed under|loading|print this|most popular)"
    r"|enable javascript|terms of (?:use|service)|privacy policy|breaking news, latest"
    r"|like us on facebook|this site uses|page not found|404 error",
    re.I,
)


@dataclass(frozen=True)
class Cleaned:
    """A cleaned text, and what was found in it.

    Args:
        text: paragraphs parted by one line end, words by one space.
        boilerplate_words: words of the lines that were dropped.
        found: what -> 1; names of ``FINDINGS``.
    """

    text: str
    boilerplate_words: int
    found: Counter[str]


FINDINGS = {
    "entities": "texts with HTML entities, markup or escapes, turned into letters",
    "boilerplate": "texts with boilerplate lines, dropped",
    "names": "texts with a publisher's name, taken out",
    "datelines": "texts with a dateline, taken off",
    "links": "texts with links, addresses or @mentions, taken out",
    "mojibake": "texts in letters of a wrong encoding (â€™), left as they are: read the file with "
    "another ingest.files.encoding",
}


def clean_text(text: str, names: Sequence[re.Pattern[str]], is_headline: bool = False) -> Cleaned:
    """Normalise one title or body.

    Args:
        text: as it was read.
        names: of ``publisher_names``, taken out one after the other.
        is_headline: has no dateline: ``BREAKING -`` before it is its style.
    """
    found: Counter[str] = Counter()
    plain = plain_text(text)
    found["entities"] = int(bool(_ESCAPED.search(text) or _TAG.search(text)
                                 or html.unescape(text) != text))  # fmt: skip
    found["mojibake"] = int(bool(_MOJIBAKE.search(plain)))
    lines = plain.split("\n")
    kept = [line for line in lines if not is_boilerplate(line)]
    dropped = sum(len(line.split()) for line in lines) - sum(len(line.split()) for line in kept)
    found["boilerplate"] = int(dropped > 0)
    body = "\n".join(kept)
    steps: list[tuple[str, re.Pattern[str], str]] = [
        ("links", _LINK, " "),
        ("links", _MENTION, " "),
        ("links", _RETWEET, ""),
        *([] if is_headline else [("datelines", _DATELINE, "")]),
        *(("names", pattern, " ") for pattern in names),
    ]
    for name, pattern, instead in steps:
        body, count = pattern.subn(instead, body)
        found[name] |= int(count > 0)
    return Cleaned(_tidy(body), dropped, found)


def plain_text(text: str) -> str:
    """``text`` without entities, markup, escapes, control characters and typography."""
    text = _ESCAPED.sub(lambda match: _letter(match.group(1)), text)
    for _ in range(2):  # &amp;#8217; was escaped twice
        text = html.unescape(text)
    text = _TAG.sub(" ", text)
    text = text.replace("\\n", "\n").replace('\\"', '"').replace("\\'", "'")
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).translate(_PLAIN)
    # Cc control and Cf format: zero-width spaces, soft hyphens, byte order marks
    return "".join(
        letter
        for letter in text
        if letter == "\n" or unicodedata.category(letter) not in ("Cc", "Cf")
    )


def _letter(code: str) -> str:
    number = int(code, 16)
    return chr(number) if number <= 0x10FFFF and not 0xD800 <= number < 0xE000 else " "


def is_boilerplate(line: str) -> bool:
    """Whether a short line is of the page, not of the article."""
    return len(line) <= _LONGEST_LINE and bool(_BOILERPLATE.search(line.strip()))


def _tidy(text: str) -> str:
    lines = (re.sub(r" +([,.;:!?])", r"\1", " ".join(line.split())) for line in text.split("\n"))
    return "\n".join(line for line in lines if re.search(r"\w", line))


def publisher_names(sources: Iterable[str]) -> re.Pattern[str]:
    """A pattern of all names to take out: agencies, and ``sources`` as name or web address.

    ``truepundit.com`` also finds ``True Pundit``; a name of fewer than four letters is left, it
    would hit words.
    """
    exact, loose = set(AGENCIES), set()
    for source in sources:
        name = re.sub(r"^(?:https?://)?(?:www\.)?", "", source.strip()).split("/")[0]
        if sum(letter.isalpha() for letter in name) < 4:
            continue
        if re.fullmatch(r"[\w-]+(?:\.[\w-]+)+", name):
            loose.add(re.escape(name))
            stem = re.sub(r"[^a-z0-9]", "", name.split(".")[0].lower())
            if len(stem) >= 8:
                loose.add(r"[\s-]?".join(stem) + r"(?:\.(?:com|org|net|co|uk|info))*")
        else:
            exact.add(name)
    ranked = sorted(exact, key=lambda name: (-len(name), name))
    parts = "|".join(map(re.escape, ranked))
    pattern = rf"\b(?:{parts})(?:\.com)?(?:'s)?(?!\w)"
    if loose:
        addresses = "|".join(sorted(loose, key=lambda name: (-len(name), name)))
        pattern = rf"\b(?i:{addresses})(?:'s)?(?!\w)|{pattern}"
    return re.compile(pattern)


def web_domain(address: str) -> str:
    """``https://www.nytimes.com/2016/…`` -> ``nytimes.com``; other text as it is, stripped."""
    text = address.strip()
    match = re.match(r"^(?:https?://)?(?:www\d?\.)?([\w-]+(?:\.[\w-]+)+)(?=[:/?#]|$)", text, re.I)
    return match.group(1).lower() if match else text
