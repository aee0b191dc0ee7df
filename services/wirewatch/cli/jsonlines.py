"""Files of JSON, a record a line: what cannot be read is said and left out."""

import codecs
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec
import typer

from wirewatch.runtime.errors import Problem

MAX_LINE_BYTES = 10_000_000
L = TypeVar("L", bound=msgspec.Struct)


@dataclass(slots=True)
class LeftOut:
    """How many lines were no records."""

    count: int = 0


def numbered_lines(path: Path, kind: type[L], left_out: LeftOut) -> Iterator[tuple[int, L]]:
    """Yield the records of a file (`-` is standard input) with the numbers of their lines.

    What is none is told on standard error and counted. Raises Problem for a file that cannot
    be read.
    """
    decoder = msgspec.json.Decoder(kind)
    fields = ", ".join(f'"{name}"' for name in kind.__struct_fields__)
    for number, raw in enumerate(_raw_lines(path), 1):
        if not raw.strip():
            continue
        where = f"{path}, line {number} is left out"
        if len(raw) >= MAX_LINE_BYTES:
            left_out.count += 1
            complain(f"{where}: it has {MAX_LINE_BYTES} bytes or more")
            continue
        try:
            record = decoder.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            left_out.count += 1
            complain(f"{where}: it is not {{{fields}}}: {error}")
        else:
            yield number, record


def lines(path: Path, kind: type[L], left_out: LeftOut) -> Iterator[L]:
    """Yield the records of a file; see `numbered_lines`."""
    for _, line in numbered_lines(path, kind, left_out):
        yield line


def complain(text: str) -> None:
    """Say what went wrong, on standard error."""
    typer.echo(f"wirewatch: {text}", err=True)


def _cut(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of `file`, of each as much as is read of it; without the mark of UTF-8."""
    raw = file.readline(MAX_LINE_BYTES)
    while raw:
        yield raw.removeprefix(codecs.BOM_UTF8)
        while len(raw) == MAX_LINE_BYTES and not raw.endswith(b"\n"):
            raw = file.readline(MAX_LINE_BYTES)
        raw = file.readline(MAX_LINE_BYTES)


def _raw_lines(path: Path) -> Iterator[bytes]:
    try:
        if str(path) == "-":
            yield from _cut(sys.stdin.buffer)
            return
        with path.open("rb") as file:
            yield from _cut(file)
    except OSError as error:
        raise Problem(f"{path} cannot be read: {error.strerror}.") from error
