"""Alerts as lines for a terminal. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo

from rich.cells import cell_len
from rich.text import Text

from wirewatch.cli.payload import ReceivedAlert
from wirewatch.cli.show import harmless
from wirewatch.topics.alerts import ArticleDigest, Field, Proof

MAX_NAME_CELLS = 24
MAX_SOURCE_CELLS = 24
MIN_TITLE_CELLS = 20
MAX_SNIPPETS = 3
MARK = "bold black on yellow"
REPEAT = " (repeat)"


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
    article: ArticleDigest,
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


def marked_title(article: ArticleDigest, proofs: Iterable[Proof]) -> Text:
    """Return the title with the proofs in it highlighted."""
    title = _plain(article.title)
    for proof in proofs:
        if proof.field is Field.TITLE:
            title.stylize(MARK, proof.start, proof.end)
    return title


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
