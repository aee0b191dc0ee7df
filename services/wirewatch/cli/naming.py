"""`wirewatch entities find`: what texts name, without Kafka or a network."""

import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import regex

from wirewatch.cli.jsonlines import LeftOut, lines
from wirewatch.cli.show import harmless
from wirewatch.entities.catalogue import Catalogue
from wirewatch.entities.decide import Mention, by_entity
from wirewatch.entities.find import Finder, piece

MAX_TEXT_CHARS = 1_000_000
"""Characters of a text that are looked at; an article has fewer."""


class TextLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of input. `language` is BCP 47; `title` is the headline, where it is known."""

    id: str
    text: str
    language: str = "und"
    title: str = ""


@dataclass(frozen=True, slots=True)
class _Composed:
    """A text in NFC, as the finder wants it.

    `starts` are empty where it came so. Else they tell where each of its characters, and its
    end, were in the text as it came.
    """

    text: str
    starts: Sequence[int] = ()

    def spans(self, mentions: Iterable[Mention]) -> list[tuple[int, int]]:
        """Return where `mentions` are in the text as it came."""
        spans = ((each.start, each.end) for each in mentions)
        at = self.starts
        return [(at[start], at[end]) for start, end in spans] if at else list(spans)


class FoundEntity(msgspec.Struct, frozen=True):
    """An entity that a text names. `spans` count code points of `text`, the end not included.

    `qid` is None for a theme and for an entity of one's own that Wikidata does not know.
    `title_spans` count code points of `title`.
    """

    id: str
    qid: str | None
    kind: str
    name: str
    spans: list[tuple[int, int]]
    title_spans: list[tuple[int, int]]


class FoundLine(msgspec.Struct, frozen=True):
    """A line of the answer: a text's id and what it names, in the order of the text."""

    id: str
    entities: list[FoundEntity]


def find_all(path: Path, *, as_json: bool) -> int:
    """Answer with a line for each text of a file; return how many lines were left out.

    Raises Problem for a file that cannot be read.
    """
    catalogue = Catalogue.load()
    finder = Finder(catalogue)
    left_out = LeftOut()
    for line in lines(path, TextLine, left_out):
        found = FoundLine(line.id, list(_entities(line, finder, catalogue)))
        sys.stdout.write(_json(found) if as_json else _plain(found, line))
    return left_out.count


def _entities(line: TextLine, finder: Finder, catalogue: Catalogue) -> Iterator[FoundEntity]:
    title, text = map(_composed, (line.title[:MAX_TEXT_CHARS], line.text[:MAX_TEXT_CHARS]))
    pieces = [piece(title.text, is_title=True), piece(text.text)]
    in_title, in_text = finder.read(pieces, line.language)
    for entity_id, (of_text, of_title) in by_entity((in_text, in_title)).items():
        entity = catalogue.entity(entity_id)
        yield FoundEntity(
            id=entity_id,
            qid=entity_id if entity_id.startswith("Q") else None,
            kind=str(entity.kind) if entity else "",
            name=catalogue.label(entity_id, line.language),
            spans=text.spans(of_text),
            title_spans=title.spans(of_title),
        )


def _composed(text: str) -> _Composed:
    if unicodedata.is_normalized("NFC", text):
        return _Composed(text)
    pieces, starts, position = [], [], 0
    for cluster in regex.findall(r"\X", text):
        pieces.append(unicodedata.normalize("NFC", cluster))
        starts += [position + min(each, len(cluster) - 1) for each in range(len(pieces[-1]))]
        position += len(cluster)
    return _Composed("".join(pieces), (*starts, position))


def _json(found: FoundLine) -> str:
    return msgspec.json.encode(found).decode() + "\n"


def _plain(found: FoundLine, line: TextLine) -> str:
    names = (
        f"{each.name} ({each.id}): {', '.join(dict.fromkeys(_written(each, line)))}"
        for each in found.entities
    )
    return f"{_one_line(found.id)}\t{'; '.join(names) or '-'}\n"


def _written(found: FoundEntity, line: TextLine) -> Iterator[str]:
    for text, spans in ((line.text, found.spans), (line.title, found.title_spans)):
        yield from (_one_line(text[start:end]) for start, end in spans)


def _one_line(text: str) -> str:
    return " ".join(harmless(text).split())
