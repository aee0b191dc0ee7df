"""The whole of a match worker on its own disk, so that it is back in seconds.

A cache: the log is the truth. What is missing, damaged, of another program, or so old that the
log may have dropped deletions since, is not used, and everything is read from the log again.

The order of the writes makes a kill harmless at any point: the manifest comes last and names
the other two files, which are never changed after (records are appended behind what it names).
Checksums tell what only a power failure can do.
"""

import fcntl
import os
import secrets
import threading
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from wirewatch.entities.catalogue import Catalogue
from wirewatch.entities.find import Finder
from wirewatch.index.snapshot import LAYOUT, Arrays, freeze, thaw
from wirewatch.match.matcher import Matcher
from wirewatch.match.records import KeptRecords, RecordFile, checksum
from wirewatch.runtime.errors import Problem
from wirewatch.runtime.logs import get_logger
from wirewatch.topics.subscriptions import Subscription

MAX_AGE = timedelta(hours=12)
"""The broker drops tombstones after 24 h (delete.retention.ms): who did not read one in time
would keep what it deleted."""
MANIFEST = "snapshot.json"
LOCK = "lock"
_LIBRARIES = ("wirewatch", "PyStemmer", "simplemma", "regex")

log = get_logger("match")


class Manifest(msgspec.Struct, frozen=True):
    """What a snapshot is of. `offsets` are where to read on, by partition of the topic.

    `read_at` is a time up to which all that the topic then held had been read.
    """

    program: str
    log: str
    shard: str
    read_at: datetime
    offsets: dict[int, int]
    invalid: tuple[str, ...]
    arrays: str
    arrays_bytes: int
    arrays_checksum: int
    records: str
    records_bytes: int
    records_checksum: int
    left_out: tuple[Subscription, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """A worker at one moment: its matcher, where to read on, what was left out.

    `left_out` are those of the `invalid` that may be taken in once more names are known.
    """

    matcher: Matcher
    offsets: Mapping[int, int]
    invalid: tuple[str, ...]
    read_at: datetime
    left_out: tuple[Subscription, ...] = ()


class SnapshotFolder:
    """The folder of one worker's snapshots. Nobody else may work in it."""

    def __init__(
        self,
        path: Path,
        catalogue: Catalogue,
        *,
        shard: str,
        topic: str,
        finder: Finder | None = None,
    ) -> None:
        """`topic` tells the log from others; `finder` is that of `catalogue`, where there is one.

        Raises Problem if the folder cannot be used.
        """
        self._path = path
        self._catalogue = catalogue
        self._finder = finder
        self._shard = shard
        self._log = topic
        self._program = program_of(catalogue)
        self._writing = threading.Lock()
        self._begun = self._written = 0
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(path / LOCK)
        except OSError as error:
            raise Problem(
                f"{path} cannot be written ({error.strerror}): set WIREWATCH_DATA_DIR."
            ) from error

    def close(self) -> None:
        """Let others work in the folder."""
        os.close(self._lock)

    def load(self, now: datetime) -> Kept | None:
        """Return the worker that was saved last; None, and why is logged, if it cannot be used."""
        try:
            raw = (self._path / MANIFEST).read_bytes()
        except OSError:
            log.info("no snapshot, reading the log")
            return None
        try:
            manifest = msgspec.json.decode(raw, type=Manifest)
            if why := self._why_not(manifest, now):
                log.info("snapshot not used, reading the log", why=why)
                return None
            kept = self._load(manifest)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a cache, the log is there
            log.warning("snapshot damaged, reading the log", error=str(error) or repr(error))
            return None
        self._keep_only(manifest)
        return kept

    def _why_not(self, manifest: Manifest, now: datetime) -> str | None:
        if manifest.program != self._program:
            return "it is of another version of the program or its catalogue"
        if manifest.log != self._log:
            return f"it is of {manifest.log}"
        if manifest.shard != self._shard:
            return f"it is of shard {manifest.shard}"
        if not timedelta(0) <= now - manifest.read_at <= MAX_AGE:
            return f"it is of {manifest.read_at:%Y-%m-%d %H:%M} UTC"
        return None

    def _load(self, manifest: Manifest) -> Kept | None:
        arrays = self._load_arrays(manifest)
        starts, sizes = arrays.pop("record_starts"), arrays.pop("record_sizes")
        strings = arrays.pop("strings").tobytes()
        kept = KeptRecords(manifest.records_bytes, starts, sizes)
        records = RecordFile(self._path / manifest.records, kept)
        if records.checksum != manifest.records_checksum:
            records.close()
            raise ValueError("the checksum of its records is another")
        make_index = partial(thaw, arrays, strings)
        matcher = Matcher(self._catalogue, records, finder=self._finder, make_index=make_index)
        return Kept(
            matcher, manifest.offsets, manifest.invalid, manifest.read_at, manifest.left_out
        )

    def _load_arrays(self, manifest: Manifest) -> Arrays:
        path = self._path / manifest.arrays
        if checksum(path, manifest.arrays_bytes) != manifest.arrays_checksum:
            raise ValueError("the checksum of its arrays is another")
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}

    def new_records(self) -> RecordFile:
        """Return an empty record file; snapshots, none of which can be used, are removed.

        Raises Problem.
        """
        try:
            self._keep_only(None)
            return RecordFile(self._new_path(".records"))
        except OSError as error:
            raise Problem(
                f"{self._path} cannot be written ({error.strerror}): set WIREWATCH_DATA_DIR."
            ) from error

    def _new_path(self, suffix: str) -> Path:
        return self._path / f"{secrets.token_hex(8)}{suffix}"

    def _keep_only(self, manifest: Manifest | None) -> None:
        kept = {LOCK}
        if manifest is not None:
            kept |= {MANIFEST, manifest.arrays, manifest.records}
        for old in self._path.iterdir():
            if old.name not in kept and old.is_file():
                old.unlink(missing_ok=True)

    def saving(self, state: Kept) -> Callable[[], None]:
        """Note the worker's state; return what writes it, in another thread if need be.

        Raises, when it is called, OSError; the snapshot before stays valid then. Of two that
        are written at once the later state stays.
        """
        make = freeze(state.matcher.index)
        records = state.matcher.records
        size_bytes, crc = records.size_bytes, records.checksum
        offsets = dict(state.offsets)
        self._begun += 1
        number = self._begun

        def save() -> None:
            frozen = make()
            starts, sizes = records.places(frozen.slots)
            strings = np.frombuffer(frozen.strings, np.uint8)
            places = {"record_starts": starts, "record_sizes": sizes}
            with self._writing:
                if number < self._written:
                    return
                arrays = self._write_arrays({**frozen.arrays, **places, "strings": strings})
                manifest = Manifest(
                    program=self._program,
                    log=self._log,
                    shard=self._shard,
                    read_at=state.read_at,
                    offsets=offsets,
                    invalid=state.invalid,
                    left_out=state.left_out,
                    arrays=arrays.name,
                    arrays_bytes=(arrays_bytes := arrays.stat().st_size),
                    arrays_checksum=checksum(arrays, arrays_bytes),
                    records=records.path.name,
                    records_bytes=size_bytes,
                    records_checksum=crc,
                )
                self._write_manifest(manifest)
                self._written = number

        return save

    def _write_arrays(self, arrays: dict[str, Any]) -> Path:
        path = self._new_path(".npz")
        try:
            with path.open("wb") as file:
                np.savez(file, allow_pickle=False, **arrays)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return path

    def _write_manifest(self, manifest: Manifest) -> None:
        temporary = self._new_path(".tmp")
        try:
            temporary.write_bytes(msgspec.json.encode(manifest))
            temporary.replace(self._path / MANIFEST)
        except OSError:
            temporary.unlink(missing_ok=True)
            (self._path / manifest.arrays).unlink(missing_ok=True)
            raise
        self._keep_only(manifest)

    def compacting(self, matcher: Matcher) -> Callable[[], Matcher]:
        """Note what `matcher` holds; return what makes a fresh one of it, in another thread.

        The fresh one has no dead slots, and a record file of its own. It finds the same.
        Raises, when it is called, OSError.
        """
        make = freeze(matcher.index)
        path = self._new_path(".records")

        def compact() -> Matcher:
            frozen = make()
            records = matcher.records.copy(path, frozen.slots)
            make_index = partial(thaw, frozen.arrays, frozen.strings)
            return Matcher(self._catalogue, records, finder=matcher.finder, make_index=make_index)

        return compact


def _locked(path: Path) -> int:
    """Return the open lock file. Raises Problem if another process holds it, or OSError."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(file)
        raise Problem(
            f"another worker works in {path.parent}: give each its own WIREWATCH_INSTANCE."
        ) from error
    return file


def program_of(catalogue: Catalogue) -> str:
    """Return what tells this program and catalogue from others: numbers mean the same in both."""
    libraries = [f"{name} {metadata.version(name)}" for name in _LIBRARIES]
    versions = [f"layout {LAYOUT}", f"unicode {unicodedata.unidata_version}", *libraries]
    return ", ".join([*versions, f"catalogue {catalogue.digest}"])
