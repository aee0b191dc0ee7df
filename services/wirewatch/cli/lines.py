"""Alerts as lines for a terminal. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from typing import Protocol

from rich.cells import cell_len
from rich.text import Text

from wirewatch.cli.payload import ReceivedAlert, ReceivedDigest, StoryPart
from wirewatch.cli.show import harmless
from wirewatch.topics.alerts import Field, Proof

MAX_NAME_CELLS = 24
MAX_SOURCE_CELLS = 24
MIN_TITLE_CELLS = 20
MAX_SNIPPETS = 3
MAX_STORIES = 10
"""Stories of a digest that are shown; the rest is counted."""
MARK = "bold black on yellow"
REPEAT = " (repeat)"


class Told(Protocol):
    """As much of an article or a story as a line shows."""

    @property
    def title(self) -> str:
        """The title."""

    @property
    def language(self) -> str:
        """The language (BCP 47), `und` if it is not said."""

    @property
    def source(self) -> str:
        """The host, empty if it is not said."""


def alert_line(alert: ReceivedAlert, width: int, zone: tzinfo | None = None) -> Text:
    """Return one line for `alert`, `width` cells at most.

    Time in `zone` (local if None), subscription, language, title with the
    words that prove the match highlighted, source.
    """
    data = alert.payload.data
    line = article_line(
        alert.payload.timestamp,
        data.subscription.name,
        data.article,
        data.proofs,
        width=width - (len(REPEAT) if alert.is_repeat else 0),
        zone=zone,
    )
    if alert.is_repeat:
        line.append(REPEAT, "dim")
    return line


def article_line(
    at: datetime,
    subscription: str,
    article: Told,
    proofs: Iterable[Proof],
    *,
    width: int,
    zone: tzinfo | None = None,
) -> Text:
    """Return one line: time, subscription, language, marked title, source."""
    line = Text(at.astimezone(zone).strftime("%H:%M:%S"), "dim")
    line.append("  ")
    line.append_text(_cut(Text(harmless(subscription), "bold cyan"), MAX_NAME_CELLS))
    line.append(f"  {article.language}  ", "dim")
    source = _cut(Text("  " + harmless(article.source), "dim"), MAX_SOURCE_CELLS)
    room = width - line.cell_len - source.cell_len
    if room < MIN_TITLE_CELLS:
        source, room = Text(), width - line.cell_len
    line.append_text(_cut(marked_title(article, proofs), max(room, 1)))
    line.append_text(source)
    return _cut(line, width)


def marked_title(article: Told, proofs: Iterable[Proof]) -> Text:
    """Return the title with the proofs in it highlighted."""
    title = _plain(article.title)
    for proof in proofs:
        if proof.field is Field.TITLE:
            title.stylize(MARK, proof.start, proof.end)
    return title


def digest_lines(digest: ReceivedDigest, width: int, zone: tzinfo | None = None) -> list[Text]:
    """Return a line for the digest and one for each of its first stories, `width` cells at most."""
    payload, data = digest.payload, digest.payload.data
    head = Text(payload.timestamp.astimezone(zone).strftime("%H:%M:%S"), "dim")
    head.append("  ").append_text(Text(harmless(data.subscription.name), "bold cyan"))
    head.append(f"  {data.alerts} alerts in {len(data.stories) + data.more_stories} stories")
    if data.why:
        head.append(f"  {harmless(data.why)}", "dim")
    if digest.is_repeat:
        head.append(REPEAT, "dim")
    stories = [_cut(_story_line(story), width) for story in data.stories[:MAX_STORIES]]
    left = len(data.stories) - len(stories) + data.more_stories
    more = [_cut(Text(f"          and {left} more", "dim"), width)] if left else []
    return [_cut(head, width), *stories, *more]


def _story_line(story: StoryPart) -> Text:
    line = Text("          ").append_text(marked_title(story, story.proofs))
    if story.articles > 1:
        line.append(f"  {story.articles} articles", "dim")
    return line.append("  " + harmless(story.source), "dim") if story.source else line


def snippet_lines(proofs: Sequence[Proof]) -> list[Text]:
    """Return the first few different snippets that are not of the title, highlighted."""
    lines: dict[str, Text] = {}
    for proof in proofs:
        if proof.field is not Field.TITLE:
            line = lines.setdefault(proof.snippet, _plain(proof.snippet))
            line.stylize(MARK, proof.mark_start, proof.mark_end)
    return list(lines.values())[:MAX_SNIPPETS]


def _plain(text: str) -> Text:
    return Text(harmless(text))


def _cut(text: Text, cells: int) -> Text:
    if cell_len(text.plain) > cells:
        text.truncate(cells, overflow="ellipsis")
    return text
