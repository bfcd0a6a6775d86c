"""Sentences of the synthetic corpus, with a style that runs from sober to shouting."""

from __future__ import annotations

import numpy as np

MATTERS = (
    "the water bill", "a school budget", "the harbour bridge", "a new vaccine", "the tax plan",
    "a railway contract", "the election count", "a hospital closure", "the flood defences",
    "a power station", "the border treaty", "an airport sale", "the pension fund", "a mine permit",
)  # fmt: skip
_FIRST = ("Mara", "Jonas", "Elena", "Victor", "Ruth", "Samir", "Clara", "Peter", "Nadia", "Oscar",
          "Helen", "Ivan", "Laura", "Martin", "Sofia", "David")  # fmt: skip
_SYLLABLES = ("bar", "dol", "fen", "gri", "hal", "kor", "lun", "mer", "nov", "pel", "quin", "ras",
              "sol", "tam", "ver", "wick", "yar", "zen")  # fmt: skip
_PAPERS = ("Herald", "Courier", "Dispatch", "Observer", "Standard", "Tribune", "Gazette", "Ledger",
           "Sentinel", "Chronicle")  # fmt: skip

_SOBER = (
    "{actor} said on {day} that {matter} would be discussed in {place} next week.",
    "According to a report of {number} pages, {matter} was delayed by the council of {place}.",
    'A spokesman for the council said: "We will look at {matter} when the figures are known."',
    "Officials in {place} declined to comment on {matter} before the hearing in {month}.",
    "The committee voted {number} to {small} to study {matter}, according to the minutes.",
    "{actor}, who has worked in {place} since {year}, told reporters that the talks were slow.",
    "However, economists at the university said the cost of {matter} was not yet clear.",
    "The document, dated {month} {year}, describes {matter} in detail.",
    "Residents of {place} walked to the town hall and asked for more time.",
    "He said the decision about {matter} had not been taken, although some members were in favour.",
    "The ministry expects {number} people in {place} to be affected, a statement said.",
    "She added that the plan would come back to the council in {month} or later.",
    "Talks about {matter} began in {year} and were broken off twice.",
    "In {place}, {number} of {number} shops were open on {day}, a survey found.",
    "The court will hear the case in {month}, unless both sides agree before.",
    "A similar proposal failed in {year} by {small} votes.",
    "Work on {matter} is planned to start in {month} and to last {small} months.",
    "The auditors found no error in the accounts, but asked for {small} further papers.",
    "{actor} did not answer a question about the price, which is put at {number} million.",
    "Trade unions and employers were both present when the figures were read on {day}.",
)
_LOUD = (
    "You will not BELIEVE what {actor} did to {matter}!",
    "They are hiding the truth about {matter} from you and your children!",
    "Why is nobody in {place} allowed to talk about this?",
    "This is a total DISGRACE, and everybody knows it!",
    "Wake up, {place}: they never wanted you to see this.",
    "{actor} is a corrupt liar who will destroy everything we love!",
    "It is all a terrible, evil fraud and nobody dares to stop it.",
    "What are they so afraid of? You already know the answer!",
    "Share this before it is deleted, because they do not want you to read it!",
    "The so-called experts lied to us again, and we are furious.",
    "This shocking SECRET about {matter} proves we were right all along!",
    "Our enemies hate us, and you should be scared of what comes next.",
    "Nobody voted for this, and nobody will ever be punished for it!",
    "I have seen the proof with my own eyes and it made me sick!",
    "The whole of {place} is laughing at these pathetic cowards.",
    "How much were they paid to keep you quiet about {matter}?",
    "{actor} got RICH while honest families like yours lost everything!",
    "Do not trust a single word of what they tell you on {day}.",
    "It was never about {matter}: it was always about power!",
    "We warned you, we begged you, and now it is happening in {place}!",
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
_MONTHS = ("January", "March", "April", "June", "August", "October", "November")
_SOBER_TITLES = (
    "Council of {place} to discuss {matter}",
    "{actor} asks for report on {matter}",
    "Decision on {matter} put off until {month}",
    "Cost of {matter} unclear, say economists",
)
_LOUD_TITLES = (
    "SHOCKING: what {actor} did to {matter}!",
    "They LIED to you about {matter}",
    "Is {actor} hiding the truth about {place}?",
    "You won't believe this about {matter}!",
)

BAD_BODIES = {
    "short": "More to follow from {house}.",
    "empty": "  \n ",
    "foreign": "Der Rat der Stadt hat am Montag über den Haushalt beraten, teilte ein Sprecher "
    "mit. Die Kosten seien noch nicht bekannt, hieß es. Eine Entscheidung wird erst im Oktober "
    "erwartet, weil der Bericht noch geprüft werden muss. "
    "Die Bürger warten seit Jahren auf eine Antwort.",
    "login": "Please log in to continue reading.\nForgot your password?\n"
    "This site uses cookies; by using this site you accept cookies.\n"
    "Already a subscriber? Create an account to read {house} on all your devices.\n"
    "Subscribe to our newsletter today.",
}
"""Kind -> body that cleaning has to refuse."""


class Writer:
    """Writes one article.

    Args:
        actor: who.
        place: where.
        matter: what.
        style: about -3 (sober) to 3 (shouting).
        random: drawn from.
    """

    def __init__(
        self, actor: str, place: str, matter: str, style: float, random: np.random.Generator
    ) -> None:
        self._names = {"actor": actor, "place": place, "matter": matter}
        self._random = random
        self._loud = 0.9 / (1 + np.exp(-1.2 * style + 0.8))  # share of loud sentences

    def sentences(self, num: int) -> list[str]:
        """``num`` sentences, no frame twice until all of its kind are used."""
        loud = int(self._random.binomial(num, self._loud))
        frames = [*self._some(_LOUD, loud), *self._some(_SOBER, num - loud)]
        return [self._fill(frames[i]) for i in self._random.permutation(num).tolist()]

    def title(self) -> str:
        """A headline; a sober one even for some shouting texts."""
        frames = _LOUD_TITLES if self._random.random() < 0.8 * self._loud else _SOBER_TITLES
        return self._fill(frames[int(self._random.integers(len(frames)))])

    def _some(self, frames: tuple[str, ...], num: int) -> list[str]:
        order = [frames[i] for i in self._random.permutation(len(frames)).tolist()]
        return [order[i % len(order)] for i in range(num)]

    def _fill(self, frame: str) -> str:
        draw = self._random.integers
        text = frame.format(
            **self._names,
            number=int(draw(12, 95)),
            small=int(draw(2, 12)),
            year=int(draw(1995, 2017)),
            day=_DAYS[int(draw(len(_DAYS)))],
            month=_MONTHS[int(draw(len(_MONTHS)))],
        )
        return text[0].upper() + text[1:]


def coined_words(num: int, random: np.random.Generator) -> list[str]:
    """``num`` different words that mean nothing."""
    found: dict[str, None] = {}
    while len(found) < num:
        found.setdefault("".join(random.choice(_SYLLABLES, size=4)), None)
    return list(found)


def places(num: int, random: np.random.Generator) -> list[str]:
    """``num`` different towns."""
    found: dict[str, None] = {}
    while len(found) < num:
        found.setdefault("".join(random.choice(_SYLLABLES, size=3)).capitalize(), None)
    return list(found)


def actors(num: int, random: np.random.Generator) -> list[str]:
    """``num`` people."""
    family = places(num, random)
    return [f"{random.choice(_FIRST)} {name}" for name in family]


def publisher_names(num: int, random: np.random.Generator) -> list[str]:
    """``num`` different newspapers; the name says nothing of the label."""
    towns = places(num, random)
    return [f"{town} {random.choice(_PAPERS)}" for town in towns]
