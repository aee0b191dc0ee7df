"""What is saved when, and what is made anew."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from fakes.news import AT, CATALOGUE, article, subscription
from fakes.standing import found, received
from wirewatch.entities.catalogue import Catalogue
from wirewatch.match import keeper
from wirewatch.match.keeper import Keeper
from wirewatch.match.metrics import MatchMetrics
from wirewatch.match.snapshot import MANIFEST
from wirewatch.runtime.settings import Settings
from wirewatch.topics.subscriptions import Subscription


class Clock:
    """Says what it is told to say."""

    def __init__(self) -> None:
        self.now = AT

    def __call__(self) -> object:
        return self.now


class Bench:
    """A keeper that may be opened again and again."""

    def __init__(self, path: Path) -> None:
        self.settings = Settings(data_dir=path, instance="m", match_snapshot_s=1)
        self.folder = path / "match" / "m" / "match"
        self.clock = Clock()
        self.offset = 0

    def open(self) -> Keeper:
        self.registry = CollectorRegistry()
        self.keeper = Keeper.open(self.settings, MatchMetrics(self.registry), self.clock)  # type: ignore[arg-type]
        return self.keeper

    def change(self, key: str, query: str | None) -> None:
        value: Subscription | None = None if query is None else subscription(query, id=key)
        self.keeper.standing.apply([received(self.offset, key, value)])
        self.offset += 1

    async def look(self) -> None:
        """Let the keeper look as if its time had come."""
        self.keeper._looked_at = float("-inf")
        await self.keeper.look(self.caught_up)

    async def caught_up(self) -> None:
        pass

    def saved(self) -> bytes:
        return (self.folder / MANIFEST).read_bytes()

    def value(self, name: str) -> float | None:
        return self.registry.get_sample_value(f"wirewatch_match_{name}")


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(Catalogue, "load", lambda: CATALOGUE)
    bench = Bench(tmp_path)
    await bench.open().settle(AT)
    return bench


async def test_it_saves_what_has_changed_and_nothing_else(bench: Bench) -> None:
    first = bench.saved()
    await bench.look()
    assert bench.saved() == first

    bench.change("sub_1", "otter")
    await bench.look()
    assert bench.saved() != first
    assert bench.value("snapshot_timestamp_seconds") == AT.timestamp()

    await bench.keeper.close()
    again = bench.open()
    assert found(again.standing, "otter") == ["sub_1"]
    assert again.standing.offsets == {0: 1}
    await again.close()


async def test_closing_saves_what_has_changed(bench: Bench) -> None:
    bench.change("sub_1", "otter")
    await bench.keeper.close()

    assert found(bench.open().standing, "otter") == ["sub_1"]


async def test_a_snapshot_does_not_grow_old_while_the_log_is_read(bench: Bench) -> None:
    bench.clock.now = AT + timedelta(hours=2)
    await bench.look()
    assert bench.value("snapshot_timestamp_seconds") == AT.timestamp()
    bench.clock.now = AT + timedelta(hours=4)
    await bench.look()
    assert bench.value("snapshot_timestamp_seconds") == bench.clock.now.timestamp()


async def test_with_the_log_out_of_sight_a_snapshot_says_until_when_it_is_true(
    bench: Bench,
) -> None:
    bench.change("sub_1", "otter")
    bench.clock.now = AT + timedelta(hours=14)
    bench.keeper._looked_at = float("-inf")

    async def away() -> None:
        raise ConnectionError

    await bench.keeper.look(away)
    await bench.keeper.close()

    assert b"2026-11-23T08:30:00Z" in bench.saved()
    assert len(bench.open().standing.matcher) == 0, "tombstones may be gone by now"


async def test_what_was_not_read_to_its_end_is_not_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Catalogue, "load", lambda: CATALOGUE)
    bench = Bench(tmp_path)
    bench.open()
    bench.change("sub_1", "otter")
    await bench.keeper.close()

    assert not (bench.folder / MANIFEST).exists()


async def test_a_disk_that_is_full_leaves_the_snapshot_before(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = bench.saved()
    bench.change("sub_1", "otter")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bench.keeper._folder, "_write_arrays", full)
    await bench.look()

    assert bench.saved() == first
    assert bench.value("snapshot_failures_total") == 1
    monkeypatch.undo()
    await bench.look()
    assert bench.saved() != first


@pytest.mark.parametrize(("living", "dead", "made_anew"), [(2, 3, True), (4, 3, False)])
async def test_more_dead_than_living_are_dropped(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, living: int, dead: int, made_anew: bool
) -> None:
    monkeypatch.setattr(keeper, "DEAD_AT_LEAST", 2)
    for number in range(living):
        bench.change(f"sub_{number}", "otter")
    for _ in range(dead):
        bench.change("sub_0", "otter AND seen")
    before = bench.keeper.standing.matcher

    await bench.look()

    assert (bench.keeper.standing.matcher is not before) is made_anew
    assert bench.value("dead_slots") == (0 if made_anew else dead)
    names = [f"sub_{number}" for number in range(living)]
    assert found(bench.keeper.standing, "otter seen") == names
    assert len(list(bench.folder.glob("*.records"))) == 1
    await bench.keeper.close()
    assert found(bench.open().standing, "otter seen") == names


async def test_changes_go_on_while_the_matcher_is_made_anew(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "DEAD_AT_LEAST", 0)
    for _ in range(3):
        bench.change("sub_0", "otter")
    looking = asyncio.create_task(bench.look())
    while bench.keeper.standing._since is None:  # noqa: ASYNC110 - until it has begun
        await asyncio.sleep(0)
    bench.change("sub_0", None)
    bench.change("sub_1", "otter")
    await looking

    assert found(bench.keeper.standing, "otter") == ["sub_1"]
    await bench.keeper.close()
    assert found(bench.open().standing, "otter") == ["sub_1"]


async def test_a_copy_that_cannot_be_written_leaves_all_as_it_was(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "DEAD_AT_LEAST", 0)
    for _ in range(3):
        bench.change("sub_0", "otter")
    before = bench.keeper.standing.matcher

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(before.records, "copy", full)
    await bench.look()

    assert bench.keeper.standing.matcher is before
    bench.change("sub_1", "otter")
    assert found(bench.keeper.standing, "otter") == ["sub_0", "sub_1"]


async def test_many_articles_make_it_sort_anew(bench: Bench) -> None:
    bench.change("sub_0", "otter")
    for _ in range(20):
        bench.keeper.standing.matcher.search([article(f"weather {number}") for number in range(64)])
    assert bench.keeper.standing.matcher.index.is_untidy()

    await bench.look()

    assert not bench.keeper.standing.matcher.index.is_untidy()
    assert found(bench.keeper.standing, "otter") == ["sub_0"]
