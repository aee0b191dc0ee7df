"""What names cost: reading articles without any, with the catalogue, and with a million more.

    python -m tests.bench.match_names

Articles of 3.2 KB are made of the sentences of this project's own pages, a third of which get a
name. All entities and themes are asked for by a query each, so nothing can be left out.
"""

import random
import statistics
import time
from pathlib import Path

import msgspec

from wirewatch.entities.catalogue import Catalogue
from wirewatch.entities.find import Finder
from wirewatch.index.index import QueryIndex
from wirewatch.index.reader import batches
from wirewatch.query.parse import parse
from wirewatch.query.sample import Sample, article_of
from wirewatch.topics.articles import Article
from wirewatch.topics.entities import Alias, Entity, Kind

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "ARCHITECTURE.md", "docs/ingest.md", "docs/webhooks.md")
ARTICLES, CHARS, ROUNDS, MORE = 1_280, 3_200, 7, 1_000_000
NAMES = (
    "North Korea", "President Vladimir Putin", "the United States", "the South Korean army",
    "Angela Merkel", "London", "the European Union", "Germany", "the French government",
    "Donald Trump", "Beijing", "a Chinese company", "Tokyo",
)  # fmt: skip


def articles(chance: random.Random, sentences: list[str]) -> list[Article]:
    made = []
    for number in range(ARTICLES):
        body = ""
        while len(body) < CHARS:
            sentence = chance.choice(sentences)
            body += f"{sentence}, says {chance.choice(NAMES)}. " if chance.random() < 0.35 else (
                f"{sentence}. "
            )  # fmt: skip
        sample = Sample(title=chance.choice(sentences)[:80], body=body, language="en")
        made.append(msgspec.structs.replace(article_of(sample), id=f"a{number}"))
    return made


def index(catalogue: Catalogue, words: list[str], *, asks_for_names: bool) -> QueryIndex:
    made = QueryIndex(Finder(catalogue))
    queries = [(f"w{number}", parse(word, catalogue)) for number, word in enumerate(words)]
    if asks_for_names:
        for entity in Catalogue.load():
            field = "topic" if entity.kind is Kind.THEME else "entity"
            query = f"{field}:{entity.id.removeprefix('topic:')}"
            queries.append((entity.id, parse(query, catalogue)))
    made.put_all(queries)
    made.settle()
    return made


def seconds(read: QueryIndex, of: list[Article]) -> float:
    began = time.perf_counter()
    for batch in batches(of):
        read.satisfied_by(read.read(batch))
    return (time.perf_counter() - began) / len(of)


def main() -> None:
    chance = random.Random(2)
    text = " ".join((ROOT / page).read_text("utf-8") for page in PAGES).replace("\n", " ")
    sentences = [each.strip() for each in text.split(". ") if 30 < len(each) < 300]
    words = sorted({w for s in sentences for w in s.split() if w.isalpha() and len(w) > 5})[:3_000]
    parts = sorted({word.title() for s in sentences for word in s.split() if word.isalpha()})
    many = Catalogue.load().copy()
    began = time.perf_counter()
    for number in range(MORE // 4):
        aliases = tuple(
            Alias(text=f"{chance.choice(parts)}{number % 977} {chance.choice(parts)}", language="*")
            for _ in range(4)
        )
        kind = Kind.ORGANISATION
        many.put(Entity(id=f"ent_{number}", kind=kind, labels={"en": "x"}, aliases=aliases))
    cases = {
        "without names": index(Catalogue.load(), words, asks_for_names=False),
        "the catalogue": index(Catalogue.load(), words, asks_for_names=True),
        f"and {MORE:,} more": index(many, words, asks_for_names=True),
    }
    print(f"made in {time.perf_counter() - began:.0f} s")
    of = articles(chance, sentences)
    times: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(ROUNDS + 1):
        for name, each in cases.items():
            taken = seconds(each, of)
            if number:  # the first round meets the words
                times[name].append(taken)
    least = statistics.median(times["without names"])
    for name, own in times.items():
        median = statistics.median(own)
        print(f"{name:20} {median * 1e6:7.0f} µs an article, {median / least:.2f} x")


if __name__ == "__main__":
    main()
