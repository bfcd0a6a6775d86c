"""English and not."""

from __future__ import annotations

import pytest

from domains.fake_news.sources.language import is_english

ENGLISH = (
    "The council said on Monday that it would look at the plan for the bridge when the "
    "figures are known, and that no decision had been made by then."
)
GERMAN = (
    "Der Rat der Stadt hat am Montag über den Haushalt beraten und will erst im Herbst "
    "entscheiden, ob die neue Brücke über den Fluss gebaut werden soll oder doch nicht."
)
SPANISH = (
    "El consejo de la ciudad dijo el lunes que estudiaría el plan para el puente cuando se "
    "conozcan las cifras, y que todavía no se ha tomado ninguna decisión sobre la obra."
)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (ENGLISH, True),
        (GERMAN, False),
        (SPANISH, False),
        ("Совет города рассмотрел план моста в понедельник", False),
        ("SHOCKING photo, must see", True),  # too short to tell by words
        ("", True),
    ],
)
def test_a_text_is_english_by_its_small_words(text: str, answer: bool) -> None:
    assert is_english(text) is answer
