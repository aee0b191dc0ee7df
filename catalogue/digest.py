"""Tells of what files the catalogue was made; needs none of the packages that making it needs."""

import hashlib
from pathlib import Path

from wirewatch.entities.pack import PACKED

HERE = Path(__file__).parent
SOURCES = PACKED.with_name("catalogue.sources")
"""Holds the digest of the files that the catalogue was made of."""


def digest_of_sources() -> str:
    """Return a digest of the files here: a test tells by it when they were changed and not made."""
    digest = hashlib.blake2b(digest_size=15)
    for path in sorted([*HERE.glob("*.py"), *HERE.glob("*/*.toml"), *HERE.glob("*/*.tsv")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
