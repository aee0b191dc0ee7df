"""`wirewatch feeds parse`: what a feed document says, read as ingest reads it, without Kafka."""

import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from wirewatch.cli.show import harmless, print_json, print_table, say
from wirewatch.documents.errors import DocumentProblem
from wirewatch.documents.feed import MAX_ENTRY_CHARS, Entry, ParsedFeed
from wirewatch.documents.plain import plain_text
from wirewatch.documents.read import read_feed
from wirewatch.documents.unpack import unpack
from wirewatch.runtime.errors import Problem

MAX_BYTES = 100_000_000
MAX_ENTRIES = 100_000
GZIP = b"\x1f\x8b"


class DocumentRequest(msgspec.Struct, frozen=True):
    """A line of `--batch`: a file, where it came from, and its Content-Type header."""

    path: str
    url: str | None = None
    content_type: str | None = None


class FileView(msgspec.Struct, frozen=True):
    """An enclosure. `length` is in bytes, None where the feed does not say."""

    url: str
    type: str
    length: int | None


class EntryView(msgspec.Struct, frozen=True):
    """An entry as plain text; times are aware UTC."""

    id: str
    title: str
    link: str
    published: datetime | None
    updated: datetime | None
    authors: tuple[str, ...]
    summary_text: str
    content_text: str
    categories: tuple[str, ...]
    enclosures: tuple[FileView, ...]


class FeedHead(msgspec.Struct, frozen=True):
    """What a document says of its feed."""

    title: str
    link: str
    language: str


class DocumentView(msgspec.Struct, frozen=True):
    """A document that could be read."""

    feed: FeedHead
    entries: tuple[EntryView, ...]


class ProblemView(msgspec.Struct, frozen=True):
    """A document that could not: why, in one sentence."""

    error: str


def parse(
    file: Annotated[Path | None, typer.Argument(help="The document.")] = None,
    url: Annotated[str, typer.Option(help="Where it came from; relative links need it.")] = "",
    content_type: Annotated[str, typer.Option(help="Its Content-Type header.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    batch: Annotated[
        bool,
        typer.Option(
            "--batch",
            help='Read lines {"path", "url", "content_type"} and answer each with a line of JSON.',
        ),
    ] = False,
) -> None:
    """Show what a feed document says, without Kafka or a network."""
    if batch:
        _answer_all(sys.stdin.buffer)
    elif file is None:
        raise Problem("Name a document, or use --batch for a list of them on standard input.")
    else:
        view = _read(DocumentRequest(str(file), url, content_type))
        if isinstance(view, ProblemView):
            raise Problem(view.error)
        if as_json:
            print_json(view)
        else:
            _show(view)


def _answer_all(lines: Iterable[bytes]) -> None:
    for number, line in enumerate(lines, 1):
        if line.strip():
            sys.stdout.write(msgspec.json.encode(_answer(number, line)).decode() + "\n")
            sys.stdout.flush()


def _answer(number: int, line: bytes) -> DocumentView | ProblemView:
    try:
        request = msgspec.json.decode(line, type=DocumentRequest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return ProblemView(f'Line {number} is not {{"path", "url", "content_type"}}: {error}.')
    return _read(request)


def _read(request: DocumentRequest) -> DocumentView | ProblemView:
    try:
        body = _body(Path(request.path))
        parsed = read_feed(
            body,
            content_type=request.content_type or "",
            url=request.url or "",
            max_entries=MAX_ENTRIES,
            parts=True,
        )
        return _view(parsed)
    except DocumentProblem as problem:
        return ProblemView(f"{request.path} cannot be read ({problem.reason}): {problem.detail}.")
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else str(error)
        return ProblemView(f"{request.path} cannot be opened: {words}.")
    except (MemoryError, RecursionError):
        return ProblemView(f"{request.path} cannot be read (too_costly): it takes too much memory.")


def _body(path: Path) -> bytes:
    with path.open("rb") as file:
        body = file.read(MAX_BYTES + 1)
    codings = ("gzip",) if body.startswith(GZIP) else ()
    return unpack(body, codings, MAX_BYTES)


def _view(parsed: ParsedFeed) -> DocumentView:
    head = FeedHead(_plain(parsed.title), parsed.link, parsed.language)
    return DocumentView(head, tuple(map(_entry, parsed.entries)))


def _entry(entry: Entry) -> EntryView:
    return EntryView(
        id=entry.id,
        title=_plain(entry.title),
        link=entry.link,
        published=entry.published_at,
        updated=entry.updated_at,
        authors=entry.authors,
        summary_text=_plain(entry.summary),
        content_text=_plain(entry.content),
        categories=entry.categories,
        enclosures=tuple(FileView(one.url, one.type, one.length) for one in entry.enclosures),
    )


def _plain(html: str) -> str:
    return plain_text(html, MAX_ENTRY_CHARS)


def _show(view: DocumentView) -> None:
    say(f"{view.feed.title or '(no title)'}  {view.feed.link}".rstrip())
    if not view.entries:
        say("No entries.")
        return
    print_table(("TITLE", "PUBLISHED", "LINK"), _rows(view.entries))


def _rows(entries: Iterable[EntryView]) -> Iterator[tuple[str, str, str]]:
    for entry in entries:
        at = entry.published or entry.updated
        title = entry.title or entry.summary_text[:80] or entry.id
        yield harmless(title), f"{at:%Y-%m-%d %H:%M}" if at else "", entry.link
