"""How fast, how large and how right the story index is: `python -m tests.bench.stories`.

A million articles of 72 hours: wire stories that several outlets publish with another
title and a cut lead, single reports, and templates (a tenth of all) that differ in a
name and numbers.
"""

import argparse
import gc
import json
import random
import resource
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate, combinations
from pathlib import Path

from wirewatch.ingest.signature import signature
from wirewatch.ingest.stories import StoryIndex

AT = datetime(2026, 11, 20, tzinfo=UTC)
HOURS = 72
LABELLED = Path(__file__).parents[1] / "documents" / "stories"
SYLLABLES = [a + b for a, b in zip("bcdfghjklmnprstvwxyz", "aeiouaeiouaeiouaeiou", strict=True)]


class Newsroom:
    """Makes articles: title, lead, and the story they tell."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._words = [self._word() for _ in range(30_000)]
        ranks = range(2, len(self._words) + 2)
        self._weights = list(accumulate(1 / rank for rank in ranks))
        self._names = [self._word().title() for _ in range(20_000)]

    def _word(self) -> str:
        return "".join(self._random.choices(SYLLABLES, k=self._random.randint(1, 4)))

    def articles(self, count: int) -> Iterator[tuple[str, str]]:
        """Yield `count` titles and leads."""
        made = 0
        while made < count:
            for article in self._template() if self._random.random() < 0.3 else self._wire():
                yield article
                made += 1
                if made == count:
                    return

    def _text(self, words: int) -> list[str]:
        text = self._random.choices(self._words, cum_weights=self._weights, k=words)
        for place in range(0, words, 5):
            text[place] = self._random.choice(self._names)
        return text

    def _wire(self) -> Iterator[tuple[str, str]]:
        lead = self._text(40)
        for _ in range(self._random.choice((1, 1, 1, 2, 4, 12))):
            title = self._random.sample(lead[:20], 6) + self._text(3)
            yield " ".join(title), " ".join(lead[: self._random.randint(25, 40)])

    def _template(self) -> Iterator[tuple[str, str]]:
        town, number = self._random.choice(self._names), self._random.randint(1, 99)
        yield (
            f"Weather for {town}: {number} degrees",
            (
                f"In {town} it will be {number} degrees tomorrow, with some clouds in the morning "
                f"and wind of {number + 3} km/h from the west, the weather service said."
            ),
        )


def speed(titles: int) -> dict[str, float]:
    """Fold `titles` claims as ingest does (sign, find, claim); return what it took."""
    articles = list(Newsroom(1).articles(titles))
    gc.collect()
    before = _memory()
    index = StoryIndex()
    longest = 0.0
    start = time.process_time()
    step = timedelta(hours=HOURS) / titles
    for number, (title, lead) in enumerate(articles):
        began = time.process_time()
        at = AT + number * step
        signed = signature(title, lead)
        found = index.find(signed, at)
        name = f"art_{number:024x}"
        index.claim(name, found or name, signed, at, seen=index.offset)
        if number % 1000 == 0:
            index.expire()
        longest = max(longest, time.process_time() - began)
    spent = time.process_time() - start
    return {
        "articles held": len(index),
        "claims/s": titles / spent,
        "longest ms": longest * 1000,
        "MB": (_memory() - before) / 1e6,
    }


def _memory() -> int:
    with Path("/proc/self/statm").open(encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def rightness(name: str, seed: int) -> tuple[float, float]:
    """Return precision and recall over all pairs of a labelled set, in a random order."""
    lines = (LABELLED / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    articles = [json.loads(line) for line in lines]
    random.Random(seed).shuffle(articles)
    index = StoryIndex()
    found = [
        index.claim(str(number), str(number), signature(one["title"], one["lead"]), AT)
        for number, one in enumerate(articles)
    ]
    said = right = true = 0
    for (one, story), (other, another) in combinations(zip(articles, found, strict=True), 2):
        is_same = one["story"] == other["story"]
        true += is_same
        said += story == another
        right += is_same and story == another
    return right / said, right / true


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--titles", type=int, default=1_000_000)
    titles = parser.parse_args().titles
    for name in ("dev", "held-out"):
        found = [rightness(name, seed) for seed in range(5)]
        print(
            f"{name}: precision at least {min(p for p, _ in found):.3f}, "
            f"recall at least {min(r for _, r in found):.3f} in five orders"
        )
    for what, value in speed(titles).items():
        print(f"{what}: {value:,.1f}")


if __name__ == "__main__":
    main()
