"""`make eval-entities`: how well names and themes are found in texts of our own.

Writes the tables into docs/entities.md, between its markers, and every error to standard output.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from catalogue.sources import listed

from wirewatch.entities.catalogue import Catalogue
from wirewatch.entities.find import Finder
from wirewatch.entities.ids import THEME_PREFIX

TEXTS = Path(__file__).parent / "texts"
PAGE = Path(__file__).parents[2] / "docs" / "entities.md"
BEGIN, END = "<!-- evaluation -->", "<!-- end of evaluation -->"
COUNTRIES, CITIES, ORGANISATIONS, PEOPLE, THEMES = KINDS = (
    "countries and regions",
    "cities and places",
    "organisations",
    "people",
    "themes",
)
_LISTS = {
    "countries": COUNTRIES,
    "regions": COUNTRIES,
    "places": CITIES,
    "organisations": ORGANISATIONS,
    "people": PEOPLE,
}


class Labelled(msgspec.Struct, frozen=True, kw_only=True):
    """A text and what it names."""

    id: str
    language: str
    text: str
    entities: list[str]
    topics: list[str] = []
    trap: bool = False


@dataclass
class Score:
    """Labels found, found beside, and missed."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def add(self, found: set[str], labels: set[str]) -> None:
        self.right += len(found & labels)
        self.wrong += len(found - labels)
        self.missed += len(labels - found)

    @property
    def precision(self) -> float:
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        return self.right / max(1, self.right + self.missed)

    @property
    def f1(self) -> float:
        return 2 * self.right / max(1, 2 * self.right + self.wrong + self.missed)


@dataclass
class Evaluation:
    """The scores by kind, and by language and kind."""

    by_kind: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    by_language: dict[tuple[str, str], Score] = field(default_factory=lambda: defaultdict(Score))
    texts: int = 0
    traps: int = 0
    traps_right: int = 0


def texts() -> Iterator[Labelled]:
    decoder = msgspec.json.Decoder(Labelled)
    for path in sorted(TEXTS.glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            if line.strip():
                yield decoder.decode(line)


def evaluate() -> tuple[Evaluation, list[str]]:
    catalogue = Catalogue.load()
    finder = Finder(catalogue)
    kind_of = {line.entity_id: kind for name, kind in _LISTS.items() for line in listed(name)}
    evaluation, errors = Evaluation(), []
    for each in texts():
        mentions = finder.find(each.text, each.language)
        found = {mention.entity_id for mention in mentions}
        labels = {*each.entities, *(THEME_PREFIX + topic for topic in each.topics)}
        evaluation.texts += 1
        things = {each for each in found | labels if not each.startswith(THEME_PREFIX)}
        if each.trap:
            evaluation.traps += 1
            evaluation.traps_right += found & things == labels & things
        for kind in KINDS:
            own = {
                entity_id
                for entity_id in found | labels
                if (THEMES if entity_id.startswith(THEME_PREFIX) else kind_of.get(entity_id))
                == kind
            }
            evaluation.by_kind[kind].add(found & own, labels & own)
            evaluation.by_language[each.language, kind].add(found & own, labels & own)
        for entity_id in sorted(found ^ labels):
            words = {each.text[m.start : m.end] for m in mentions if m.entity_id == entity_id}
            what = f"found in {' | '.join(sorted(words))!r}" if words else "missed"
            name = catalogue.label(entity_id)
            errors.append(f"{each.id}\t{entity_id} {name}\t{what}\t{each.text}")
    return evaluation, errors


def tables(evaluation: Evaluation) -> str:
    lines = ["| what | precision | recall | F1 |", "|---|---|---|---|"]
    for kind in KINDS:
        score = evaluation.by_kind[kind]
        lines.append(f"| {kind} | {score.precision:.3f} | {score.recall:.3f} | {score.f1:.3f} |")
    ruler = "|---" * (len(KINDS) + 1) + "|"
    lines += ["", "F1 by language:", "", f"| language | {' | '.join(KINDS)} |", ruler]
    for language in sorted({language for language, _ in evaluation.by_language}):
        scores = (f"{evaluation.by_language[language, kind].f1:.2f}" for kind in KINDS)
        lines.append(f"| {language} | {' | '.join(scores)} |")
    traps = f"{evaluation.traps_right} of {evaluation.traps} traps without a mistake"
    return "\n".join([f"{evaluation.texts} texts; {traps}.", "", *lines])


def main() -> None:
    evaluation, errors = evaluate()
    page = PAGE.read_text("utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    made = tables(evaluation)
    PAGE.write_text(f"{before}{BEGIN}\n{made}\n{END}{after}", "utf-8")
    sys.stdout.write("\n".join([*errors, "", made, ""]))


if __name__ == "__main__":
    main()
