"""The pages show what a reader needs, work from disk, and stay small."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from domains.contract import Metric
from flows.results import headline, number
from tests.checkout import Checkout


def rendered(page: Path, profile: Path) -> str:
    """The page's document as headless Chromium has it."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium (infra/install_chromium.sh installs Debian's)")
    done = subprocess.run(
        [
            *(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            *(f"--user-data-dir={profile}", "--dump-dom", page.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_browser_shows_headline_baseline_figures_and_provenance(
    finished: Checkout, tmp_path: Path
) -> None:
    page = rendered(finished.root / "outputs/report/toy.html", tmp_path / "profile")
    for words in (
        "lower (better) than fixed slope",  # the headline sentence from the numbers
        "over 16 test cases",
        "Best case",
        "Every case",
        "SHA-256",
        "points on a line, simulated",
        "Seed",
        "Commit",
        "convoy run toy",
        "cores",
        "by method",
        "Key number by run",
        "torch 2",
    ):
        assert words in page
    index = rendered(finished.root / "outputs/report/index.html", tmp_path / "profile")
    assert '<a href="toy.html">toy</a>' in index
    assert '<a href="layers.html">' in index
    assert "better" in index
    layers = rendered(finished.root / "outputs/report/layers.html", tmp_path / "profile")
    assert "Kernels live on this machine" in layers
    assert "shared_layers_cpu.json</code> is missing" in layers


def test_the_page_tells_what_the_key_number_was_in_each_run(finished: Checkout) -> None:
    report = finished.root / "outputs/report"
    assert "1 run<" in (report / "index.html").read_text()
    headlines = (report / "headlines.json").read_text()
    finished.convoy("run", "--no-server", "-S", "toy.train.lr=0.02")
    page = (report / "toy.html").read_text()
    assert "train.lr 0.01 → 0.02" in page
    assert page.count("(shown here)") == 1
    assert (report / "toy/key_number.png").is_file()
    assert "toy, ours by run, oldest first: " in (report / "index.html").read_text()

    finished.convoy("run", "--no-server", "-S", "toy.train.lr=0.01")  # restored from the cache
    page = (report / "toy.html").read_text()
    rows = page[page.index("Key number by run") : page.index("Provenance")].split("<tr")
    assert ["(shown here)" in row for row in rows if 'class="n ours"' in row] == [False, True]
    assert (report / "headlines.json").read_text() == headlines


def test_a_domain_without_a_result_has_a_page_that_says_so(finished: Checkout) -> None:
    finished.convoy("new", "tides")
    finished.convoy("report")
    report = finished.root / "outputs/report"
    assert "no result yet: <code>convoy run tides</code>" in (report / "index.html").read_text()
    assert "This domain has not run here" in (report / "tides.html").read_text()
    finished.convoy("run", "tides", "--no-server", "-S", "tides.source=public", code=1)
    page = (report / "tides.html").read_text()
    assert "failed at ingest@tides" in page
    assert "no public data set yet; set source to sample or to your CSV" in page


def test_a_run_that_was_killed_is_told_on_the_page_of_the_results_before(
    finished: Checkout,
) -> None:
    process = finished.start("run", "--no-server", "-S", "toy.train.seed=7", TOY_PAUSE_S="0.5")
    finished.wait_for(finished.checkpoint)
    process.kill()
    process.communicate()
    finished.wait_for(lambda: finished.step() is None)
    finished.convoy("report")
    page = (finished.root / "outputs/report/toy.html").read_text()
    notes = re.findall(r'<p class="note">(.*?)</p>', page)
    assert any("was stopped before its end. What follows is from before" in n for n in notes), notes


def test_pages_are_static_small_and_every_picture_has_words(finished: Checkout) -> None:
    folder = finished.root / "outputs/report"
    for page in folder.glob("*.html"):
        text = page.read_text()
        assert "<script" not in text
        assert "http" not in re.sub(r'<html.*?>|charset="[^"]*"', "", text)
        pictures = re.findall(r'<img src="([^"]+)" alt="([^"]+)"', text)
        assert len(pictures) == text.count("<img")
        assert all((folder / source).is_file() for source, _ in pictures)
        weight = len(text) + sum((folder / source).stat().st_size for source, _ in pictures)
        assert weight < 500_000


def test_a_report_without_results_says_what_to_do(checkout: Checkout) -> None:
    assert "nothing evaluated yet; run `convoy run`" in checkout.convoy("report", code=1)


@pytest.mark.parametrize(
    ("value", "better", "words"),
    [
        (0.5, "lower", "50% lower (better) than vqf 1°"),
        (1.5, "lower", "50% higher (worse) than vqf 1°"),
        (1.5, "higher", "50% higher (better) than vqf 1°"),
        (1.0, "lower", "error 1°: equal to vqf 1°"),
        (float("nan"), "lower", "(worse) than vqf 1°"),
    ],
)
def test_a_headline_says_better_only_when_it_is(value: float, better: str, words: str) -> None:
    metric = Metric(
        *("error", value, "°", better, 3),
        {"broken": float("nan"), "vqf": 1.0, "other": 9.0 if better == "lower" else 0.1},
    )  # type: ignore[arg-type]
    assert words in headline(metric)
    assert "over 3 test cases" in headline(metric)


def test_a_headline_of_one_case_and_hardly_any_change_reads_well() -> None:
    metric = Metric("error", 1.001, "m", "lower", 1, {"line": 1.0})
    assert headline(metric) == (
        "error 1 m: under 1% higher (worse) than line 1 m, over 1 test case"
    )


def test_a_headline_beside_a_baseline_of_zero_names_no_share() -> None:
    metric = Metric("error", 1.0, "m", "lower", 2, {"line": 0.0})
    assert headline(metric) == "error 1 m: higher (worse) than line 0 m, over 2 test cases"


def test_any_number_beats_one_that_is_none() -> None:
    none, some = (Metric("error", value, "m", "lower", 1) for value in (float("nan"), 9.0))
    assert some.beats(none.value)
    assert not none.beats(some.value)
    assert not none.beats(none.value)


def test_numbers_have_three_digits_and_their_unit() -> None:
    assert number(0.38219, "°") == "0.382°"
    assert number(123456.0, "µK") == "123456 µK"
    assert number(2.0) == "2"
