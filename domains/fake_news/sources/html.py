"""The article of a web page: headline, paragraphs, publisher, date; menus and banners dropped.

Nothing is fetched: the page is a file that the user saved.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from bs4 import BeautifulSoup
from bs4.element import Tag

from domains.errors import DataError
from domains.fake_news.sources.cleaning import is_boilerplate, web_domain

_NEVER = ("script", "style", "noscript", "template", "nav", "header", "footer", "aside", "button",
          "figure", "iframe", "svg", "select")  # fmt: skip
_BANNER = re.compile(
    r"(?:^|[-_ ])(?:cookies?|consent|gdpr|nav|menu|sidebar|share|social|comments?|related|promo|"
    r"newsletter|subscribe|advert\w*|footer|breadcrumbs?|popup|modal|paywall|login)(?:[-_ ]|$)",
    re.I,
)
_ASKS = re.compile(r"(?:^|[-_ ])(?:cookies?|consent|gdpr|login)(?:[-_ ]|$)", re.I)
_BLOCKS = ("p", "h2", "h3", "h4", "li", "blockquote")


@dataclass(frozen=True)
class Page:
    """What a page says; "" where it does not."""

    title: str
    body: str
    source: str
    date: str


def read_page(markup: str, where: str) -> Page:
    """The article in ``markup``.

    The body is what ``<article>`` holds, else the element whose own paragraphs have the most
    letters. A tag around it stays, though it may be a form or be named ``has-sidebar``.

    Args:
        markup: HTML.
        where: names the file in messages.

    Raises:
        DataError: no paragraph that is not boilerplate.
    """
    soup = BeautifulSoup(markup, "html.parser")
    meta = _meta(soup)
    headline = soup.find("h1")
    title = meta.get("og:title") or (headline.get_text(" ") if headline else "")
    title = title or (soup.title.get_text(" ") if soup.title else "")
    for tag in soup.find_all(_NEVER):
        tag.decompose()
    wrappers = _wrappers(soup)
    for tag in soup.find_all(_is_banner):
        if not tag.decomposed and id(tag) not in wrappers:
            tag.decompose()
    for line_end in soup.find_all("br"):
        line_end.replace_with("\n")
    paragraphs = _paragraphs(_main(soup))
    if not paragraphs:
        raise DataError(
            f"{where}: no paragraph of an article, expected <article> or <p> with text; a login "
            "or cookie page? save the page of the article itself"
        )
    address = meta.get("og:url", "")
    return Page(
        " ".join(title.split()),
        "\n".join(paragraphs),
        meta.get("og:site_name") or (web_domain(address) if address else ""),
        meta.get("article:published_time", "")[:10],
    )


def _meta(soup: BeautifulSoup) -> dict[str, str]:
    found: dict[str, str] = {}
    for tag in soup.find_all("meta"):
        key = tag.get("property") or tag.get("name")
        if key and tag.get("content"):
            found.setdefault(str(key), str(tag["content"]))
    return found


def _is_banner(tag: Tag) -> bool:
    if tag.name in ("html", "body", "main", "article"):
        return False
    return tag.name == "form" or _is_named(tag, _BANNER)


def _is_named(tag: Tag, pattern: re.Pattern[str]) -> bool:
    classes: Any = tag.get("class") or []
    names = [*([classes] if isinstance(classes, str) else classes), tag.get("id") or ""]
    return any(pattern.search(str(name)) for name in names)


def _wrappers(soup: BeautifulSoup) -> set[int]:
    """Ids of the tags around the longest ``<article>`` and half of the page's paragraphs, in
    letters; without one, around nine tenths of them, if they ask for no login or cookies."""
    tags = soup.find_all(True)
    letters: Counter[int] = Counter()
    for tag in reversed(tags):  # what a tag holds comes after it in the page
        letters[id(tag)] += _own_letters(tag) if tag.name == "p" else 0
        letters[id(tag.parent)] += letters[id(tag)]
    article = _longest_article(soup)
    if article is not None:
        around, share = list(article.parents), 0.5
    else:  # comments can be longer than what they are on
        around, share = [tag for tag in tags if not _is_named(tag, _ASKS)], 0.9
    return {id(tag) for tag in around if letters[id(tag)] > share * letters[id(soup)]}


def _longest_article(soup: BeautifulSoup) -> Tag | None:
    articles = [tag for tag in soup.find_all("article") if tag.find_parent("article") is None]
    return max(articles, key=lambda tag: sum(map(len, _paragraphs(tag))), default=None)


def _own_letters(block: Tag) -> int:
    return sum(len(text.strip()) for text in block.find_all(string=True, recursive=False))


def _main(soup: BeautifulSoup) -> Tag:
    """The longest ``<article>``, else the element around the paragraphs with most letters."""
    if (article := _longest_article(soup)) is not None:
        return article
    container_of: dict[int, Tag] = {}
    letters: dict[int, int] = {}
    for block in soup.find_all("p"):
        parent = block.parent or soup
        # a paragraph that was never closed holds the next one
        container = container_of.setdefault(id(block), container_of.get(id(parent), parent))
        letters[id(container)] = letters.get(id(container), 0) + _own_letters(block)
    containers = {id(tag): tag for tag in container_of.values()}
    return containers[max(letters, key=lambda key: letters[key])] if letters else soup


def _paragraphs(tag: Tag) -> list[str]:
    """Text of each block below ``tag``, without what lies in blocks inside it."""
    parts: dict[int, list[str]] = {}
    for string in tag.strings:
        block = string.find_parent(_BLOCKS)
        if block is not None:
            parts.setdefault(id(block), []).append(string)
    texts = [" ".join("".join(found).split()) for found in parts.values()]
    return [text for text in texts if re.search(r"\w", text) and not is_boilerplate(text)]
