"""What cleaning takes out, and what it leaves."""

from __future__ import annotations

import time

import pytest

from domains.fake_news.science.text_features import text_features
from domains.fake_news.sources.cleaning import clean_text, publisher_names, web_domain


@pytest.mark.parametrize(
    ("raw", "clean", "finding"),
    [
        ("Tom &amp; Jerry&#8217;s &amp;quot;war&amp;quot;", 'Tom & Jerry\'s "war"', "entities"),
        ("At Donald Trump<U+2019>s tower", "At Donald Trump's tower", "entities"),
        ("<p>One<br/>line <b>bold</b></p><!-- no -->", "One line bold", "entities"),
        (r"First\nsecond \"line\"", 'First\nsecond "line"', None),
        ("zero\u200bwidth\u00ad and\u00a0blank\x07", "zerowidth and blank", None),
        ("“Quoted” – so", '"Quoted" - so', None),
        ("Look http://t.co/eXQTPZqqbG and pic.twitter.com/ab1 now", "Look and now", "links"),
        ("RT @user: this is odd, @other", "this is odd,", "links"),
        ("WASHINGTON (Reuters) - The vote", "The vote", "datelines"),
        ("LONDON, England — The vote", "The vote", "datelines"),
        ("(CNN) The vote", "The vote", "datelines"),
        ("As the Reuters desk and Fox News's man said", "As the desk and man said", "names"),
        ("Good text.\nCopyright 2016 Paper. All rights reserved.", "Good text.", "boilerplate"),
        ("Share this on Facebook\nGood text.", "Good text.", "boilerplate"),
        ("It â€™ is broken", "It â€™ is broken", "mojibake"),
        ("A plain (2016) text - it stays.", "A plain (2016) text - it stays.", None),
        ("THE END IS NEAR! They said so.", "THE END IS NEAR! They said so.", None),
    ],
)
def test_a_text_comes_out_clean_and_the_finding_is_told(
    raw: str, clean: str, finding: str | None
) -> None:
    found = clean_text(raw, [publisher_names([])])
    assert found.text == clean
    if finding is None:
        assert not {"links", "datelines", "names", "boilerplate", "mojibake"} & set(+found.found)
    else:
        assert found.found[finding] == 1


def test_names_of_the_corpus_are_taken_out_in_each_of_their_forms() -> None:
    known = ["truepundit.com", "Dolfen Herald", "abc", "https://www.x-news.co.uk/a"]
    names = [publisher_names(known)]
    text = "True Pundit and TRUEPUNDIT.com met Dolfen Herald's editor, abc, at x-news.co.uk today"
    assert clean_text(text, names).text == "and met editor, abc, at today"
    assert clean_text("A true pundits' herald", names).text == "A true pundits' herald"


@pytest.mark.parametrize(
    "unit", ["<!--", "a@", "A.' -", "cookie-", "word ", "t r u e ", "&amp;", "@x ", "(", "\u200b"]
)
def test_a_long_hostile_text_takes_no_more_than_seconds(unit: str) -> None:
    text = unit * (200_000 // len(unit))
    started = time.process_time()
    found = clean_text(text, [publisher_names(["truepundit.com"])])
    text_features(found.text[:500], "", found.text)
    assert time.process_time() - started < 5


def test_without_names_they_stay() -> None:
    assert clean_text("Reuters said", []).text == "Reuters said"


@pytest.mark.parametrize(
    "title",
    ["SHOCKING - Obama admits it", "(VIDEO) Trump speaks", "TRUMP WINS - AND THE MEDIA CRIES"],
)
def test_a_headline_keeps_what_shouts_before_it(title: str) -> None:
    assert clean_text(title, [publisher_names([])], is_headline=True).text == title


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("https://www.nytimes.com/2016/11/22/us/a.html", "nytimes.com"),
        ("abcnews.com.co", "abcnews.com.co"),
        ("WWW.Example.ORG:80/x", "example.org"),
        ("The Daily Bell", "The Daily Bell"),
        ("", ""),
    ],
)
def test_an_address_becomes_its_domain_and_a_name_stays(address: str, domain: str) -> None:
    assert web_domain(address) == domain
