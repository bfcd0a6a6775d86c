"""The article of a page, without the page."""

from __future__ import annotations

import time

import pytest

from domains.errors import DataError
from domains.fake_news.sources.html import read_page

PAGE = """<html><head><title>Paper | Vote</title>
<meta property="og:title" content="The vote &amp; after">
<meta property="og:site_name" content="Paper">
<meta property="article:published_time" content="2016-11-08T10:00:00Z"></head><body>
<nav><p>Home World Sport</p></nav><div class="cookie-consent"><p>We value you, accept.</p></div>
<article><h1>The vote</h1><p>First <b>paragraph</b> of it.</p><script>var p = "<p>no</p>";</script>
<p>Second one.</p><p>Copyright 2016 Paper</p><aside><p>Related story</p></aside></article>
<div id="sidebar"><p>Ten tricks, longer than the whole article by many words of no use.</p></div>
<footer><p>Imprint</p></footer></body></html>"""


def test_paragraphs_of_the_article_are_kept_and_the_rest_is_dropped() -> None:
    page = read_page(PAGE, "a.html")
    assert page.body == "First paragraph of it.\nSecond one."
    assert (page.title, page.source, page.date) == ("The vote & after", "Paper", "2016-11-08")


def test_without_article_the_parent_with_most_text_is_it() -> None:
    page = read_page(
        "<title>T</title><div><p>short</p></div><div><p>A long one here.</p><p>And more.</p></div>",
        "a.html",
    )
    assert (page.title, page.body) == ("T", "A long one here.\nAnd more.")


def test_paragraphs_that_were_never_closed_are_all_kept() -> None:
    page = read_page("<div><p>One<br><b>bold</b>.<p>Two.<p>Three.</div><div><p>x</div>", "a.html")
    assert page.body == "One bold.\nTwo.\nThree."


TEXT = "<p>The council voted on Tuesday.</p>"


@pytest.mark.parametrize(
    "page",
    [
        f"<div class='wrapper has-sidebar'><div>{TEXT}</div></div>",
        f"<section class='article-body no-comments'>{TEXT}</section>",
        f"<form id='aspnetForm'><div>{TEXT}</div><input></form>",
        f"<div class='right-sidebar has-cookies'><article>{TEXT}</article></div><p>Imprint</p>",
    ],
)
def test_what_is_around_the_article_stays(page: str) -> None:
    assert read_page(f"<body>{page}</body>", "a.html").body == "The council voted on Tuesday."


@pytest.mark.parametrize(
    "beside",
    [
        "<div class='comments'>" + "<p>I was there and it was all different.</p>" * 3 + "</div>",
        "<div class='related'><article><p>Another story</p></article></div>",
        "<form><p>Write to us</p></form>",
    ],
)
def test_what_is_beside_the_article_is_dropped(beside: str) -> None:
    page = f"<body><div>{TEXT}</div>{beside}</body>"
    assert read_page(page, "a.html").body == "The council voted on Tuesday."


@pytest.mark.parametrize("unit", ["<div><p>a ", "<p>hello ", "<article>", "<b>", "<li>x<ul>"])
def test_markup_nested_ten_thousand_deep_is_read_in_seconds(unit: str) -> None:
    started = time.process_time()
    assert read_page(unit * 10_000 + "<p>the end</p>", "a.html").body.endswith("the end")
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "markup",
    [
        "",
        "<p>Please log in to continue reading.</p>",
        "<div class='cookie-banner'><p>Hello</p></div>",
        "<p><",
    ],
)
def test_a_page_without_an_article_is_refused(markup: str) -> None:
    with pytest.raises(DataError, match=r"a\.html: no paragraph of an article"):
        read_page(markup, "a.html")
