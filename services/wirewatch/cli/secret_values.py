"""Secrets on a command line: given, read from a file, or asked for.

A word on a command line stands in the shell's history and in the list of
processes. `@FILE` and `-` keep it out of both.
"""

import getpass
import sys
from pathlib import Path

from wirewatch.runtime.errors import Problem

MAX_FILE_BYTES = 65_536
ASK = "-"
HELP = "@FILE reads it from a file, - asks for it"


def secret_value(given: str | None, option: str) -> str | None:
    """Return the secret that `given` means for `option`. Raises Problem.

    `-` asks for it, unseen, or takes a line of standard input where that is no
    terminal; `@FILE` is what the file holds, without the line's end.
    """
    if given == ASK:
        return _asked(option)
    if given is not None and given.startswith("@"):
        return text_of(Path(given[1:]), option).rstrip("\r\n")
    return given


def _asked(option: str) -> str:
    if sys.stdin.isatty():
        value = getpass.getpass(f"{option.lstrip('-')}: ")
    else:
        value = sys.stdin.readline()
    value = value.rstrip("\r\n")
    if not value:
        raise Problem(f"{option} - got nothing on standard input: give it there, or use @FILE.")
    return value


def text_of(file: Path, option: str) -> str:
    """Return the text of the file that `option` names. Raises Problem."""
    try:
        with file.open("rb") as opened:
            raw = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise Problem(f"{option}: {file} cannot be read: {error.strerror}.") from error
    if len(raw) > MAX_FILE_BYTES:
        raise Problem(f"{option}: {file} is larger than {MAX_FILE_BYTES} bytes.")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Problem(f"{option}: {file} is not a text in UTF-8.") from None


def header(given: str) -> tuple[str, str]:
    """Return name and value of `--header 'Name: value'`, the value maybe as in `secret_value`."""
    name, colon, value = given.partition(":")
    if not colon or not name.strip():
        raise Problem("--header is wrong: it is 'Name: value', 'Name: @FILE' or 'Name: -'.")
    return name.strip(), secret_value(value.strip(), f"--header {name.strip()}") or ""
