"""What is remembered of a feed's entries, packed: 49 bytes each. Pure.

As Python objects the memory of 100,000 feeds would be gigabytes; as bytes in a
projection on disk it is read only when a feed has changed.
"""

import struct
from base64 import b32decode, b32encode
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple

LAYOUT = 1
"""Grows when the layout changes; a memory of another layout is forgotten."""
LEAST_REMEMBERED = 200
REMEMBERED_PER_ENTRY = 3
MOST_REMEMBERED = 6_000
"""Of a feed with n entries, max(LEAST_REMEMBERED, n * REMEMBERED_PER_ENTRY) are remembered, and
those in its newest document always: enough for a server restored from an old back-up."""
_RECORD = struct.Struct(">8s15s8s4s6s6sH")
_PREFIX = "art_"
MOST_REVISIONS = 0xFFFF


class Known(NamedTuple):
    """An entry that was read before.

    `key`, `link`, `title`, `raw` and `text` are digests: of what identifies the
    entry, its canonical link (zeros: none), its title, its fields as they came,
    and its words. `revision` is the last one published, 0 if none was.
    """

    key: bytes
    article: bytes
    link: bytes
    title: bytes
    raw: bytes
    text: bytes
    revision: int

    @property
    def article_id(self) -> str:
        """The id under which it was published."""
        return id_of(self.article)


def id_of(article: bytes) -> str:
    """Return the article id that `Known.article` stands for."""
    return _PREFIX + b32encode(article).decode().lower()


def article_bytes(article_id: str) -> bytes:
    """Return an article id as `Known.article` has it."""
    return b32decode(article_id.removeprefix(_PREFIX).upper())


def digest(size: int, *parts: str) -> bytes:
    """Return `size` bytes that stand for `parts`."""
    return digest_bytes(size, *(part.encode("utf-8", "surrogatepass") for part in parts))


def digest_bytes(size: int, *parts: bytes) -> bytes:
    """Return `size` bytes that stand for `parts`, which hold no zero bytes."""
    return blake2b(b"\0".join(parts), digest_size=size).digest()


NO_LINK = bytes(8)


def unpack(packed: bytes) -> list[Known]:
    """Return the entries of `packed`, oldest first. Raises ValueError if it is no such memory."""
    if len(packed) % _RECORD.size:
        raise ValueError(f"a memory of {len(packed)} bytes, {_RECORD.size} each")
    return [Known._make(fields) for fields in _RECORD.iter_unpack(packed)]


def pack(older: Sequence[Known], present: Sequence[Known]) -> bytes:
    """Return the memory of what was known `older` and is in the newest document (`present`).

    `present` is kept whole, and as many of the newest of `older` as there is room for.
    """
    room = max(LEAST_REMEMBERED, min(MOST_REMEMBERED, len(present) * REMEMBERED_PER_ENTRY))
    kept = older[max(0, len(older) + len(present) - room) :] if room > len(present) else ()
    return b"".join(_packed(kept)) + b"".join(_packed(present))


def _packed(known: Iterable[Known]) -> Iterable[bytes]:
    return (_RECORD.pack(*one) for one in known)
