"""Content-Encoding undone, with a limit on what comes out. Pure."""

import io
import re
import sys
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import brotli

from wirewatch.documents.errors import DocumentProblem
from wirewatch.topics.feed_states import FetchReason

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAX_CODINGS = 2
MAX_MEMBERS = 1_000
"""Gzip members or zstd frames of one body; bodies that are joined have a few."""
_PIECE = 65_536
"""Bytes given to a decompressor at a time: it copies what it leaves over."""
_MAX_PART = 262_144
"""Bytes that a decompressor gives at a time; brotli up to 32 KB more."""
_ZSTD_WINDOW_LOG = 23
"""8 MB, all that RFC 9659 lets a server use."""
_PLAIN = re.compile(rb'\xef\xbb\xbf|\xff\xfe|\xfe\xff|\s{0,100}(?:<[?!A-Za-z]|\{\s{0,100}["}])')
"""How feeds and pages begin."""


class _Stream(Protocol):
    """What undoes a coding; gives at most `most` bytes, or hardly more."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, most: int, /) -> bytes: ...


class _Brotli:
    """Brotli with the face of the other decompressors."""

    unused_data = b""

    def __init__(self) -> None:
        self._stream = brotli.Decompressor()

    @property
    def eof(self) -> bool:
        return bool(self._stream.is_finished())

    def decompress(self, data: bytes, most: int, /) -> bytes:
        return bytes(self._stream.process(data, output_buffer_limit=most))


@dataclass(frozen=True, slots=True)
class _Coding:
    """`next_member` is how a further member begins; empty where there can be none."""

    open: Callable[[bytes], _Stream]
    next_member: tuple[bytes, ...] = ()


def _gzip(_: bytes) -> _Stream:
    return zlib.decompressobj(16 + zlib.MAX_WBITS)


def _deflate(body: bytes) -> _Stream:
    """Tell zlib, which the standard means, from raw deflate, which some servers send."""
    has_header = body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    return zlib.decompressobj(zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS)


def _brotli(_: bytes) -> _Stream:
    return _Brotli()


def _zstd(_: bytes) -> _Stream:
    options = {int(zstd.DecompressionParameter.window_log_max): _ZSTD_WINDOW_LOG}
    return zstd.ZstdDecompressor(options=options)


_GZIP = _Coding(_gzip, (b"\x1f\x8b",))
_SKIPPABLE = tuple(bytes([0x50 + number]) + b"\x2a\x4d\x18" for number in range(16))
_CODINGS = {
    "gzip": _GZIP,
    "x-gzip": _GZIP,
    "deflate": _Coding(_deflate),
    "br": _Coding(_brotli),
    "zstd": _Coding(_zstd, (b"\x28\xb5\x2f\xfd", *_SKIPPABLE)),
}


def unpack(body: bytes, codings: Sequence[str], limit: int) -> bytes:
    """Return `body` with `codings` undone, which are in the order in which they were applied.

    A body that was not packed at all, whatever its header says, comes back as it
    is. Raises DocumentProblem: too_large for more than `limit` bytes, before they
    are all held; broken for what is cut off, bad, or of an unknown coding.
    """
    names = [name.strip().lower() for name in codings]
    names = [name for name in names if name not in {"", "identity"}]
    if len(names) > MAX_CODINGS:
        raise _broken(f"the body is packed {len(names)} times")
    for name in reversed(names):
        if name not in _CODINGS:
            raise _broken(f"the body has an unknown Content-Encoding, {name[:40]!r}")
        body = _undo(body, name, limit) if body else b""
    if len(body) > limit:
        raise _too_large(limit)
    return body


def _broken(words: str) -> DocumentProblem:
    return DocumentProblem(FetchReason.BROKEN, words)


def _too_large(limit: int) -> DocumentProblem:
    return DocumentProblem(FetchReason.TOO_LARGE, f"the document has more than {limit} bytes")


def _undo(body: bytes, name: str, limit: int) -> bytes:
    try:
        return _decompress(body, name, limit)
    except DocumentProblem as problem:
        if problem.reason is FetchReason.BROKEN and _PLAIN.match(body):
            return body
        raise


def _decompress(body: bytes, name: str, limit: int) -> bytes:
    try:
        return _read_members(body, name, limit)
    except (zlib.error, brotli.error, zstd.ZstdError) as error:
        raise _broken(f"the body is no valid {name}: {error}") from error


def _read_members(body: bytes, name: str, limit: int) -> bytes:
    coding = _CODINGS[name]
    stream = coding.open(body)
    members = 1
    position = 0
    out = io.BytesIO()  # its value is had without a copy
    while position < len(body):
        piece = body[position : position + _PIECE]
        _write(stream, piece, out, limit)
        position += len(piece) - len(stream.unused_data)
        if stream.eof:
            if not coding.next_member or not body.startswith(coding.next_member, position):
                return out.getvalue()
            if members == MAX_MEMBERS:
                raise _broken(f"the body has more than {MAX_MEMBERS} {name} members")
            stream, members = coding.open(body), members + 1
    raise _broken(f"the body is cut off: its {name} has no end")


def _write(stream: _Stream, piece: bytes, out: io.BytesIO, limit: int) -> None:
    """Write to `out` all that `piece` holds, a part at a time."""
    while True:
        part = stream.decompress(piece, _MAX_PART)
        if out.tell() + len(part) > limit:
            raise _too_large(limit)
        out.write(part)
        if len(part) < _MAX_PART or stream.eof:
            return
        piece = getattr(stream, "unconsumed_tail", b"")  # zlib gives back what it has not read
