"""A snapshot is used whole or not at all."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fakes.news import AT, CATALOGUE, subscription
from fakes.standing import folder, found, kept, new_standing, received
from wirewatch.entities.catalogue import Catalogue
from wirewatch.match import snapshot
from wirewatch.match.matcher import Matcher
from wirewatch.match.snapshot import MAX_AGE, Kept, SnapshotFolder, program_of
from wirewatch.match.standing import Standing
from wirewatch.runtime.errors import Problem
from wirewatch.topics.entities import Alias


@contextmanager
def opened(path: Path, **other: str) -> Iterator[SnapshotFolder]:
    opened = folder(path, **other)
    yield opened
    opened.close()


def loaded(path: Path, **other: str) -> Kept | None:
    """Return what the folder holds, as a worker that starts would see it."""
    with opened(path, **other) as files:
        return files.load(AT + timedelta(minutes=1))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A folder with a snapshot of four subscriptions, one of which was replaced."""
    with opened(tmp_path) as files:
        matcher = Matcher(files._catalogue, files.new_records())
        standing = new_standing(tmp_path)
        standing.matcher = matcher
        queries = ["otter", "heron NEAR/3 otter", "(", "lynx", "badger"]
        standing.apply(
            [received(n, f"sub_{n}", subscription(q, id=f"sub_{n}")) for n, q in enumerate(queries)]
        )
        standing.apply([received(7, "sub_3", subscription("otter", id="sub_3"), partition=0)])
        files.saving(kept(standing))()
    return tmp_path / "saved"


def test_what_was_saved_is_there_again(saved: Path) -> None:
    there = loaded(saved.parent)

    assert there is not None
    assert (there.offsets, there.invalid, there.read_at) == ({0: 8}, ("sub_2",), AT)
    assert len(there.matcher) == 4
    assert found(there.matcher, "otter and heron") == ["sub_0", "sub_1", "sub_3"]
    assert found(there.matcher, "lynx") == []
    there.matcher.put(subscription("lynx", id="sub_0"))
    assert found(there.matcher, "lynx otter") == ["sub_0", "sub_3"]


def flip(pattern: str, place: float) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        [file] = path.glob(pattern)
        raw = bytearray(file.read_bytes())
        raw[int(len(raw) * place)] ^= 0x10
        file.write_bytes(raw)

    return damage


def cut(pattern: str, size: int) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        [file] = path.glob(pattern)
        file.write_bytes(file.read_bytes()[:size])

    return damage


def remove(pattern: str) -> Callable[[Path], None]:
    return lambda path: next(path.glob(pattern)).unlink()


def change(**fields: Any) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        file = path / "snapshot.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | fields))

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        *(flip("*.npz", place / 20) for place in range(20)),
        *(flip("*.records", place / 5) for place in range(5)),
        *(cut("*.npz", size) for size in (0, 10, 1000)),
        *(cut("*.records", size) for size in (0, 10)),
        *(cut("snapshot.json", size) for size in (0, 10, 200)),
        *(remove(pattern) for pattern in ("*.npz", "*.records", "snapshot.json")),
        change(program="wirewatch 0.0.0"),
        change(offsets="none"),
        change(arrays="../../etc/passwd"),
        change(records="nothing.records"),
        change(records_bytes=0),
    ],
)
def test_a_damaged_snapshot_is_not_used_and_cleared_away(
    saved: Path, damage: Callable[[Path], None]
) -> None:
    damage(saved)

    with opened(saved.parent) as files:
        assert files.load(AT) is None
        records = files.new_records()

    assert {file.name for file in saved.iterdir()} == {"lock", records.path.name}
    assert records.size_bytes == 0


@pytest.mark.parametrize(
    ("age", "used"), [(MAX_AGE, True), (MAX_AGE * 1.01, False), (timedelta(seconds=-1), False)]
)
def test_a_snapshot_older_than_what_the_log_remembers_is_not_used(
    saved: Path, age: timedelta, used: bool
) -> None:
    with opened(saved.parent) as files:
        assert (files.load(AT + age) is not None) is used


@pytest.mark.parametrize("other", [{"shard": "1/2"}, {"topic": "subscriptions at b"}])
def test_a_snapshot_of_another_shard_or_log_is_not_used(saved: Path, other: dict[str, str]) -> None:
    assert loaded(saved.parent, **other) is None


def test_an_error_of_the_reading_is_no_error_of_the_worker(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def thaw(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(snapshot, "thaw", thaw)

    assert loaded(saved.parent) is None


def next_state(files: SnapshotFolder) -> Standing:
    there = files.load(AT)
    assert there is not None
    standing = new_standing(files._path.parent)
    standing.matcher, standing.offsets = there.matcher, dict(there.offsets)
    standing.apply([received(8, "sub_0", subscription("lynx", id="sub_0"))])
    return standing


@pytest.mark.parametrize("killed_at", ["_write_arrays", "_write_manifest", "_keep_only"])
def test_a_worker_killed_while_it_saves_has_a_whole_snapshot(
    saved: Path, monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    with opened(saved.parent) as files:
        standing = next_state(files)
        monkeypatch.setattr(files, killed_at, killed)
        with pytest.raises(Killed):
            files.saving(kept(standing))()

    there = loaded(saved.parent)
    assert there is not None
    is_new = killed_at == "_keep_only"
    assert there.offsets == ({0: 9} if is_new else {0: 8})
    assert found(there.matcher, "otter lynx") == (["sub_0", "sub_3"])
    assert found(there.matcher, "lynx") == (["sub_0"] if is_new else [])
    assert len(list(saved.iterdir())) == 4, "what nobody names is cleared away"


def test_of_two_savings_at_once_the_later_state_stays(saved: Path) -> None:
    with opened(saved.parent) as files:
        standing = next_state(files)
        first = files.saving(kept(standing))
        standing.apply([received(9, "sub_0", None)])
        second = files.saving(kept(standing))
        second()
        first()

    there = loaded(saved.parent)
    assert there is not None
    assert there.offsets == {0: 10}


def test_a_compact_matcher_finds_the_same_and_is_saved_with_its_own_records(saved: Path) -> None:
    with opened(saved.parent) as files:
        standing = next_state(files)
        old = standing.matcher
        assert standing.dead == 1
        fresh = files.compacting(old)()
        assert found(fresh, "otter lynx heron") == found(old, "otter lynx heron")
        standing.note_changes()
        standing.replace(fresh)
        assert standing.dead == 0
        assert fresh.records.size_bytes < old.records.size_bytes
        files.saving(kept(standing))()
        assert found(old, "otter lynx heron"), "who is still told by it reads on"

    assert [file.name for file in saved.glob("*.records")] == [fresh.records.path.name]
    there = loaded(saved.parent)
    assert there is not None
    assert found(there.matcher, "otter lynx") == ["sub_0", "sub_3"]


def test_a_worker_killed_between_compacting_and_saving_has_the_snapshot_before(
    saved: Path,
) -> None:
    with opened(saved.parent) as files:
        standing = next_state(files)
        standing.note_changes()
        standing.replace(files.compacting(standing.matcher)())
        standing.apply([received(9, "sub_0", None)])

    there = loaded(saved.parent)
    assert there is not None
    assert there.offsets == {0: 8}
    assert found(there.matcher, "otter") == ["sub_0", "sub_3"]


def test_two_workers_cannot_share_a_folder(saved: Path) -> None:
    with opened(saved.parent), pytest.raises(Problem, match="another worker works in"):
        folder(saved.parent)


def test_a_folder_that_cannot_be_made_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "saved").write_text("a file")

    with pytest.raises(Problem, match=r"cannot be written .* set WIREWATCH_DATA_DIR"):
        folder(tmp_path)


def test_a_catalogue_with_another_alias_is_another_program() -> None:
    korea, *others = (CATALOGUE.whole(each.id) for each in CATALOGUE)
    assert korea is not None
    renamed = msgspec.structs.replace(
        korea, aliases=(*korea.aliases, Alias(text="DPRK", language="en"))
    )

    assert program_of(Catalogue([korea, *others])) == program_of(CATALOGUE)
    assert program_of(Catalogue([renamed, *others])) != program_of(CATALOGUE)
