"""The articles of the sample newsroom: our own text about invented events."""

from datetime import timedelta
from functools import cache
from importlib.resources import files

import msgspec

AGENCY = "Wirewatch Sample Newsroom"


class SampleArticle(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An article of the sample newsroom. `event` is shared by articles about the same event.

    `minutes_ago` is its age when the newsroom opens.
    """

    guid: str
    event: str
    language: str
    title: str
    summary: str
    body: tuple[str, ...]
    author: str
    category: str
    minutes_ago: int

    @property
    def age(self) -> timedelta:
        """Its age when the newsroom opens."""
        return timedelta(minutes=self.minutes_ago)


@cache
def sample_articles() -> tuple[SampleArticle, ...]:
    """Return all articles that ship with the program, by language and then newest first."""
    found: list[SampleArticle] = []
    for file in sorted(files("wirewatch.starter").joinpath("data", "articles").iterdir(), key=str):
        if file.name.endswith(".json"):
            found += msgspec.json.decode(file.read_bytes(), type=tuple[SampleArticle, ...])
    return tuple(sorted(found, key=lambda one: (one.language, one.minutes_ago)))
