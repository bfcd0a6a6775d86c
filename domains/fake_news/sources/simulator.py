"""The synthetic corpus of ``source: sample``: no one wrote it, and it says nothing about the world.

What is planted, so that the checks themselves can be checked:

- *style*: each article has a number s ~ N(±style/2, 1), plus for fake, that sets how often it
  shouts, asks, addresses the reader, uses strong words and leaves out who said it; the best
  possible AUC of s itself is Φ(style / √2);
- *publisher leak*: each publisher mostly prints one label and has words and a picture size of its
  own, so whoever knows the house knows the label, and learns nothing for a new one;
- *event leak*: an event has mostly fakes or mostly reals about it;
- *pictures*: fakes are more saturated and less sharp, reals show more faces;
- *dirt*, counted in ``Planted``: republished near duplicates, HTML entities, boilerplate, publisher
  names and datelines, short, empty, foreign and boilerplate bodies, damaged pictures.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from domains.fake_news.params import SampleParams
from domains.fake_news.sources import phrases
from domains.fake_news.sources.collection import Collection, RawArticle
from domains.fake_news.sources.drawing import Drawing

_LABEL_OF_HOUSE = 0.93
"""Share of a publisher's articles that carry its usual label."""

_LABEL_OF_EVENT = 0.7
_SHARES = {  # of all articles, each at least once
    "republished": 0.06,
    "entities": 0.15,
    "boilerplate": 0.3,
    "short": 0.01,
    "empty": 0.005,
    "foreign": 0.008,
    "login": 0.007,
    "damaged picture": 0.005,
}


@dataclass
class Planted:
    """What the corpus holds on purpose.

    Args:
        counts: kind of dirt -> articles.
        style: id -> s of its article.
    """

    counts: Counter[str] = field(default_factory=Counter)
    style: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class House:
    """A publisher: its name, its usual label, words that only it uses, its picture size in px."""

    name: str
    label: int
    words: tuple[str, ...]
    size: tuple[int, int]


@dataclass(frozen=True)
class Event:
    """What is reported on: its usual label, who, where, what, and the hue of its pictures."""

    name: str
    label: int
    actor: str
    place: str
    matter: str
    hue: float


def simulate(settings: SampleParams, seed: int) -> tuple[Collection, Planted]:
    """The corpus and what was planted in it.

    Args:
        settings: sizes and strengths.
        seed: of everything.
    """
    random = np.random.default_rng([seed, 17])
    houses = _houses(settings.publishers, random)
    events = _events(settings.events, random)
    planted = Planted()
    drawing = Drawing(random)
    collection = Collection(
        title="synthetic news with planted style and planted leaks, written by no one",
        source=f"domains/fake_news/sources/simulator.py, seed {seed}",
        licence="BSD-3-Clause, as Convoy itself",
    )
    kinds = _kinds(settings.articles, random)
    for number, kind in enumerate(kinds):
        planted.counts[kind] += 1
        if kind == "republished":
            earlier = [a for a in collection.articles if len(a.body) > 400]
            article = _republished(number, earlier, houses, random)
        else:
            article = _article(number, kind, houses, events, settings, planted, drawing, random)
        collection.articles.append(article)
    return collection, planted


def _kinds(num: int, random: np.random.Generator) -> list[str]:
    """What each article is; the first ones are plain, so that there is something to republish."""
    kinds = ["plain"] * num
    places = iter((10 + random.permutation(num - 10)).tolist())
    for kind, share in _SHARES.items():
        for _ in range(max(1, round(share * num))):
            kinds[next(places)] = kind
    return kinds


def _houses(num: int, random: np.random.Generator) -> list[House]:
    names = phrases.publisher_names(num, random)
    coined = phrases.coined_words(3 * num, random)
    return [
        House(
            name,
            label=number % 2,
            words=tuple(coined[3 * number : 3 * number + 3]),
            size=(int(random.integers(18, 30)) * 8, int(random.integers(14, 22)) * 8),
        )
        for number, name in enumerate(names)
    ]


def _events(num: int, random: np.random.Generator) -> list[Event]:
    actors, places = phrases.actors(num, random), phrases.places(num, random)
    return [
        Event(
            f"event {number:03d}",
            label=int(random.integers(2)) if number > 1 else number,
            actor=actors[number],
            place=places[number],
            matter=str(random.choice(phrases.MATTERS)),
            hue=float(random.random()),
        )
        for number in range(num)
    ]


def _article(
    number: int,
    kind: str,
    houses: list[House],
    events: list[Event],
    settings: SampleParams,
    planted: Planted,
    drawing: Drawing,
    random: np.random.Generator,
) -> RawArticle:
    house = houses[int(random.integers(len(houses)))]
    label = house.label if random.random() < _LABEL_OF_HOUSE else 1 - house.label
    wanted = label if random.random() < _LABEL_OF_EVENT else 1 - label
    fitting = [event for event in events if event.label == wanted]
    event = fitting[int(random.integers(len(fitting)))]
    style = float(random.normal((label - 0.5) * settings.style, 1.0))
    name = f"a{number:06d}"
    planted.style[name] = style
    shows_house = random.random() < settings.leak
    writer = phrases.Writer(event.actor, event.place, event.matter, style, random)
    title, sentences = writer.title(), writer.sentences(int(random.integers(6, 11)))
    if shows_house:
        for word in house.words:
            place = int(random.integers(len(sentences)))
            sentences[place] = (
                f"{word.capitalize()}, {sentences[place][0].lower()}{sentences[place][1:]}"
            )
    body = _dirty(kind, sentences, house.name, event.place, planted, random)
    image = None
    if random.random() < settings.image_share or kind == "damaged picture":
        image = drawing.draw(name, label, event.hue, house.size, shows_house,
                             kind == "damaged picture")  # fmt: skip
    return RawArticle(
        id=name,
        title=title,
        body=body,
        label=label,
        source=house.name,
        event=event.name,
        date=f"2016-{1 + number % 12:02d}-{1 + number % 28:02d}",
        image=image,
    )


def _dirty(
    kind: str,
    sentences: list[str],
    house: str,
    place: str,
    planted: Planted,
    random: np.random.Generator,
) -> str:
    """The body as a crawler would have found it."""
    if kind in phrases.BAD_BODIES:
        return phrases.BAD_BODIES[kind].format(house=house)
    lines = ["", "", ""]
    for number, sentence in enumerate(sentences):
        lines[number * 3 // len(sentences)] += sentence + " "
    if random.random() < 0.4:
        planted.counts["dateline"] += 1
        lines[0] = f"{place.upper()} ({house}) - {lines[0]}"
    if random.random() < 0.3:
        planted.counts["name"] += 1
        lines[1] += f"The papers were first seen by {house}. "
    if kind == "boilerplate":
        lines += [f"Copyright 2016 {house}. All rights reserved.", "Share this on social media"]
    body = "\n\n".join(lines)
    if kind == "entities":
        body = body.replace('"', "&quot;").replace("'", "&#8217;") + " &amp;nbsp;<br/>"
    return body


def _republished(
    number: int, earlier: list[RawArticle], houses: list[House], random: np.random.Generator
) -> RawArticle:
    """An earlier article with another title, in another house, a sentence shorter."""
    model = earlier[int(random.integers(len(earlier)))]
    others = [house for house in houses if house.name != model.source]
    body = model.body.replace(model.source, "the first paper")
    cut = body.rstrip().rfind(". ", 0, len(body) - 60)
    return RawArticle(
        id=f"a{number:06d}",
        title=f"Again: {model.title}",
        body=body[: cut + 1],
        label=model.label,
        source=others[int(random.integers(len(others)))].name,
        event=model.event,
        date=model.date,
    )
