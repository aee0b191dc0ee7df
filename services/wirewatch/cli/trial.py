"""`wirewatch alerts test`: whether a query finds an article, by which words."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.text import Text

from wirewatch.api.query_views import ExplanationView
from wirewatch.cli.client import client, run
from wirewatch.cli.lines import MARK
from wirewatch.cli.queries import InDialect, explanation, require_readable, say_remarks
from wirewatch.cli.show import console, harmless, print_json, say
from wirewatch.cli.subscriptions import ID_PREFIX, find_subscription
from wirewatch.entities.catalogue import Catalogue
from wirewatch.query.sample import Sample, mistakes
from wirewatch.runtime.errors import Problem
from wirewatch.topics.alerts import Proof

MAX_FILE_BYTES = 4_000_000
STANDARD_INPUT = Path("-")

Line = Annotated[str | None, typer.Option()]
Several = Annotated[list[str] | None, typer.Option(help="May come several times.")]


def trial(
    query: Annotated[
        str, typer.Argument(metavar="QUERY", help="A query, or the id of an alert (sub_…).")
    ],
    *,
    title: Line = None,
    lead: Line = None,
    body: Line = None,
    language: Annotated[str | None, typer.Option(help="BCP 47; guessed if not told.")] = None,
    source: Annotated[str | None, typer.Option(help="The host; that of --url if not told.")] = None,
    url: Line = None,
    author: Several = None,
    category: Several = None,
    country: Annotated[str | None, typer.Option(help="Where the source is at home.")] = None,
    feed: Annotated[str | None, typer.Option(help="The id or the title of a feed.")] = None,
    article: Annotated[
        Path | None, typer.Option(help="A file with these fields as JSON; - is standard input.")
    ] = None,
    dialect: InDialect = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say whether QUERY finds an article: by which words where, or what is missing."""
    given = {
        "title": title, "lead": lead, "body": body, "language": language, "source": source,
        "url": url, "authors": author and tuple(author), "country": country, "feed": feed,
        "categories": category and tuple(category),
    }  # fmt: skip
    fields = {name: value for name, value in given.items() if value is not None}
    if article is None and not fields:
        raise Problem("Say what the article holds: --title, --lead, --body or --article FILE.")
    sample = msgspec.structs.replace(_read(article), **fields)
    for field, message in mistakes(sample):
        raise Problem(f"The article's {field} {message}.")
    written = _query_of(query)
    checked = require_readable(written, dialect)
    view = explanation(written, dialect, sample)
    if as_json:
        print_json(view)
        return
    say_remarks(written, checked)
    _show(view, guessed=not sample.language)


def _query_of(text: str) -> str:
    if not text.startswith(ID_PREFIX):
        return text

    async def work() -> str:
        async with client() as api:
            return (await find_subscription(api, text)).query

    return run(work())


def _read(path: Path | None) -> Sample:
    if path is None:
        return Sample()
    try:
        raw = _start(path)
        return msgspec.json.decode(raw, type=Sample)
    except OSError as error:
        raise Problem(f"{path} cannot be opened: {error.strerror}.") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Problem(f"{path} is no article as JSON: {error}.") from error


def _start(path: Path) -> bytes:
    if path == STANDARD_INPUT:
        raw = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
    else:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    if len(raw) > MAX_FILE_BYTES:
        raise Problem(f"{path} is larger than {MAX_FILE_BYTES:,} bytes: no article is.")
    return raw


def _show(view: ExplanationView, *, guessed: bool) -> None:
    language = f" (read as {view.language}, which is a guess)" if guessed else ""
    say(f"{'It matches' if view.matches else 'It does not match'}{language}.")
    out = console()
    for line in _proof_lines(view.proofs):
        out.print(line, no_wrap=True, overflow="ellipsis")
    for lack in _missing_lines(view):
        say(lack)


def _proof_lines(proofs: Sequence[Proof]) -> Iterator[Text]:
    rows = [(harmless(proof.leaf), _place(proof)) for proof in proofs]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for proof, (leaf, place) in zip(proofs, rows, strict=True):
        line = Text(f"  {leaf:{widths[0]}}  {place:{widths[1]}}  ")
        snippet = Text(harmless(proof.snippet))
        snippet.stylize(MARK, proof.mark_start, proof.mark_end)
        line.append_text(snippet)
        if proof.beside:
            line.append(f"  (counts beside {Catalogue.load().label(proof.beside)})", "dim")
        yield line


def _missing_lines(view: ExplanationView) -> Iterator[str]:
    for lack in view.missing:
        if not lack.unwanted:
            yield f"missing: {lack.leaf}"
            continue
        places = ", ".join(_place(proof) for proof in view.proofs if proof.leaf == lack.leaf)
        yield f"unwanted: {lack.leaf}, there at {places}"


def _place(proof: Proof) -> str:
    return f"{proof.field} {proof.start}-{proof.end}"
