"""Records to bytes and back: JSON, because an operator can read it with any Kafka tool."""

from functools import cache
from typing import Any, TypeVar

import msgspec

from wirewatch.topics.spec import Record

R = TypeVar("R", bound=Record)

_encoder = msgspec.json.Encoder()


class DecodeError(Exception):
    """Bytes that are not the record they should be; the message says what is wrong."""


@cache
def _decoder(record: type[Record]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(record)


@cache
def known_version(record: type[Record]) -> int:
    """Return the newest version of `record` that this code reads and writes."""
    default = {field.name: field.default for field in msgspec.structs.fields(record)}["version"]
    return int(default)


def encode(record: Record) -> bytes:
    """Return the bytes of `record` as they stand in a topic."""
    return _encoder.encode(record)


def decode(raw: bytes, record: type[R]) -> R:
    """Return the record that `raw` holds.

    Raises DecodeError if `raw` is not JSON, misses a field, has a wrong type,
    or was written by a newer version than this code knows.
    """
    try:
        value: R = _decoder(record).decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"not a readable {record.__name__}: {error}") from error
    newest = known_version(record)
    if not 1 <= value.version <= newest:
        raise DecodeError(
            f"{record.__name__} has version {value.version}, this program reads 1 to {newest}"
        )
    return value
