"""The article of a web page: headline, paragraphs, publisher, date; menus and banners dropped.

Nothing is fetched: the page is a file that the user saved.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from bs4 import BeautifulSoup
from bs4.element import Tag

from domains.errors import DataError
from domains.fake_news.sources.cleaning import is_boilerplate, web_domain

_NEVER = ("script", "style", "noscript", "template", "nav", "header", "footer", "aside", "form",
          "button", "figure", "iframe", "svg", "select")  # fmt: skip
_BANNER = re.compile(
    r"(?:^|[-_ ])(?:cookies?|consent|gdpr|nav|menu|sidebar|share|social|comments?|related|promo|"
    r"newsletter|subscribe|advert\w*|footer|breadcrumbs?|popup|modal|paywall|login)(?:[-_ ]|$)",
    re.I,
)
_BLOCKS = ("p", "h2", "h3", "h4", "li", "blockquote")


@dataclass(frozen=True)
class Page:
    """What a page says; "" where it does not."""

    title: str
    body: str
    source: str
    date: str
    image: str


def read_page(markup: str, where: str) -> Page:
    """The article in ``markup``.

    The body is what ``<article>`` holds, else the element whose own paragraphs have the most
    letters.

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
    for tag in soup.find_all(_is_banner):
        if not tag.decomposed:
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
        meta.get("og:image", ""),
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
    classes: Any = tag.get("class") or []
    names = [*([classes] if isinstance(classes, str) else classes), tag.get("id") or ""]
    return any(_BANNER.search(str(name)) for name in names)


def _main(soup: BeautifulSoup) -> Tag:
    """The longest ``<article>``, else the element around the paragraphs with most letters."""
    articles = [tag for tag in soup.find_all("article") if tag.find_parent("article") is None]
    if articles:
        return max(articles, key=lambda tag: sum(map(len, _paragraphs(tag))))
    container_of: dict[int, Tag] = {}
    letters: dict[int, int] = {}
    for block in soup.find_all("p"):
        parent = block.parent or soup
        # a paragraph that was never closed holds the next one
        container = container_of.setdefault(id(block), container_of.get(id(parent), parent))
        own = sum(len(text.strip()) for text in block.find_all(string=True, recursive=False))
        letters[id(container)] = letters.get(id(container), 0) + own
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
