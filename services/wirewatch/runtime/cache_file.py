"""A SQLite file that is a cache: opened by one worker alone, and replaced when it is not sound.

Nothing in it is the truth, so a file that is damaged, of another version or of
another program is deleted and begun anew, with one warning.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wirewatch.runtime.errors import Problem
from wirewatch.runtime.logs import get_logger

LOCK_WAIT_S = 5.0
PAGE_BYTES = 16_384
"""Records of some KiB leave less of a page empty, and filling takes a third less (measured)."""
FROM_ANY_THREAD = sqlite3.threadsafety == 3
"""Whether SQLite lets several threads use one connection, one after the other (PEP 249)."""
_APPLICATION_ID = 0x77697265
_NOT_FILLED = -1
_SUFFIXES = ("", "-wal", "-shm", "-journal")

log = get_logger("cache")


@dataclass(frozen=True, slots=True)
class CacheFile:
    """What a cache is called in messages, its tables, and their version.

    `version` must change with the tables and with the records in them: a file
    of another one is rebuilt, also after a step back to older code.
    """

    name: str
    schema: str
    version: int

    def open(self, path: Path) -> sqlite3.Connection:
        """Return the file at `path`, begun anew if it is not sound.

        Raises Problem if the folder cannot be written, or another worker of
        the same name has the file open.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return self._open_or_replace(path)
        except (OSError, sqlite3.Error) as error:
            raise self._problem(path, error) from error

    def _open_or_replace(self, path: Path) -> sqlite3.Connection:
        try:
            return self._open(path)
        except sqlite3.DatabaseError as error:
            if _is_locked(error):
                raise
            log.warning(
                "a cache cannot be read, rebuilding it",
                cache=self.name,
                path=str(path),
                error=str(error),
            )
        for suffix in _SUFFIXES:
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        return self._open(path)

    def _open(self, path: Path) -> sqlite3.Connection:
        db = sqlite3.connect(
            path, timeout=LOCK_WAIT_S, isolation_level=None, check_same_thread=not FROM_ANY_THREAD
        )
        try:
            db.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            # One worker owns the file: a second one of the same name is told so at its start.
            db.execute("PRAGMA locking_mode = EXCLUSIVE")
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = OFF")
            if db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone() == (0,):
                db.executescript(self._script())
            self._require_sound(db)
        except BaseException:
            db.close()
            raise
        return db

    def _script(self) -> str:
        stamps = f"PRAGMA application_id = {_APPLICATION_ID}; PRAGMA user_version = {self.version};"
        return f"{self.schema}\n{stamps}"

    def _require_sound(self, db: sqlite3.Connection) -> None:
        application = db.execute("PRAGMA application_id").fetchone()[0]
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version == _NOT_FILLED:
            raise sqlite3.DatabaseError("its filling was broken off")
        if (application, version) != (_APPLICATION_ID, self.version):
            raise sqlite3.DatabaseError("it is of another program or another version")
        if (found := db.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(f"it is damaged: {found}")

    def begin_filling(self, db: sqlite3.Connection) -> None:
        """Write without a journal until `end_filling`; else all that is put in is written twice.

        A file whose filling was broken off is begun anew when it is opened next.
        """
        db.execute(f"PRAGMA user_version = {_NOT_FILLED}")
        db.execute("PRAGMA journal_mode = OFF")

    def end_filling(self, db: sqlite3.Connection) -> None:
        """Write with a journal again, and note that the file is sound."""
        if (mode := db.execute("PRAGMA journal_mode = WAL").fetchone()[0]) != "wal":
            raise sqlite3.OperationalError(f"its journal stays {mode}")
        db.execute(f"PRAGMA user_version = {self.version}")

    def _problem(self, path: Path, error: OSError | sqlite3.Error) -> Problem:
        if isinstance(error, sqlite3.Error) and _is_locked(error):
            return Problem(
                f"The {self.name} {path} is in use by another worker: give each worker its own "
                "WIREWATCH_INSTANCE."
            )
        return Problem(
            f"The {self.name} {path} cannot be used ({error}): set WIREWATCH_DATA_DIR to a folder "
            "that can be written."
        )


@contextmanager
def change(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Change several rows, all or none."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _is_locked(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
