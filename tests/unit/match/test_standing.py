"""The matcher follows the subscriptions topic, whatever stands in it."""

import os
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from fakes.news import CATALOGUE, subscription
from fakes.standing import folder, found, new_standing, received
from wirewatch.match.matcher import Matcher
from wirewatch.match.metrics import MatchMetrics
from wirewatch.match.records import RecordFile
from wirewatch.match.standing import Standing
from wirewatch.query.tree import Query
from wirewatch.runtime.kafka import partition_of
from wirewatch.runtime.shard import Shard


def test_of_several_changes_of_one_key_the_last_counts(tmp_path: Path) -> None:
    standing = new_standing(tmp_path)

    standing.apply(
        [
            received(0, "sub_1", subscription("otter")),
            received(1, "sub_2", subscription("otter", id="sub_2")),
            received(2, "sub_1", subscription("heron")),
            received(3, "sub_2", None),
            received(4, "sub_3", None),
            received(5, "sub_3", subscription("otter", id="sub_3")),
        ]
    )

    assert (found(standing, "otter"), found(standing, "heron")) == (["sub_3"], ["sub_1"])
    assert standing.offsets == {0: 6}


def test_what_was_read_before_changes_nothing(tmp_path: Path) -> None:
    standing = new_standing(tmp_path)
    standing.apply([received(4, "sub_1", subscription("heron"))])
    changes = standing.changes

    standing.apply([received(3, "sub_1", None), received(4, "sub_1", subscription("otter"))])

    assert found(standing, "heron") == ["sub_1"]
    assert standing.changes == changes
    assert standing.offsets == {0: 5}


def test_a_paused_subscription_is_found_again_when_it_goes_on(tmp_path: Path) -> None:
    standing = new_standing(tmp_path)
    standing.apply([received(0, "sub_1", subscription("otter"))])
    standing.apply([received(1, "sub_1", subscription("otter", paused=True))])
    assert found(standing, "otter") == []

    standing.apply([received(2, "sub_1", subscription("otter"))])

    assert found(standing, "otter") == ["sub_1"]
    assert (len(standing.matcher), standing.dead) == (1, 1)


def test_a_query_that_cannot_be_read_is_counted_until_it_is_mended(tmp_path: Path) -> None:
    standing = new_standing(tmp_path)
    standing.apply(
        [
            received(0, "sub_1", subscription("otter")),
            received(1, "sub_2", subscription("otter", id="sub_2")),
        ]
    )

    standing.apply([received(2, "sub_1", subscription("otter AND ("))])
    assert (standing.invalid, found(standing, "otter")) == ({"sub_1"}, ["sub_2"])

    standing.apply([received(3, "sub_1", subscription("heron"))])
    assert (standing.invalid, found(standing, "heron")) == (set(), ["sub_1"])


def test_a_subscription_that_breaks_the_index_is_left_out_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing = new_standing(tmp_path)
    standing.apply([received(0, "sub_1", subscription("otter"))])
    compile_query = standing.matcher.index._compiler.clauses

    def clauses(query: Query) -> object:
        if "lynx" in str(query):
            raise RecursionError("too deep")
        return compile_query(query)

    monkeypatch.setattr(standing.matcher.index._compiler, "clauses", clauses)
    standing.apply(
        [
            received(1, "sub_1", subscription("lynx")),
            received(2, "sub_2", subscription("otter", id="sub_2")),
        ]
    )

    assert standing.invalid == {"sub_1"}
    assert found(standing, "otter") == ["sub_2"]
    assert standing.offsets == {0: 3}


@pytest.mark.parametrize(("of", "count"), [(2, 4), (3, 4)])
def test_shards_hold_together_what_one_worker_holds(tmp_path: Path, of: int, count: int) -> None:
    everything = [
        received(n, key, subscription("otter", id=key), partition_of(key, count))
        for n, key in enumerate(f"sub_{n}" for n in range(40))
    ]
    there: list[str] = []
    for number in range(1, of + 1):
        (path := tmp_path / str(number)).mkdir()
        standing = new_standing(path, Shard(number, of))
        followed = standing.partitions(count)
        standing.apply([each for each in everything if each.position.partition in followed])
        there += found(standing, "otter")

    assert sorted(there) == sorted(each.key for each in everything)


def test_another_log_makes_it_forget_that_partition_only(tmp_path: Path) -> None:
    standing = new_standing(tmp_path)
    standing.partitions(2)
    keys = [f"sub_{n}" for n in range(10)]
    for number, key in enumerate(keys):
        value = subscription("otter" if number else "(", id=key)
        standing.apply([received(number, key, value, partition_of(key, 2))])
    gone = partition_of("sub_0", 2)

    standing.forget(gone)

    assert found(standing, "otter") == [key for key in keys if partition_of(key, 2) != gone]
    assert standing.invalid == set()
    assert standing.resume_at(gone) is None
    assert standing.resume_at(1 - gone) is not None


def test_changes_that_cannot_be_written_count_as_not_read(tmp_path: Path) -> None:
    standing = new_standing(tmp_path)
    standing.apply([received(0, "sub_1", subscription("otter"))])
    records = standing.matcher.records
    writable, records._file = records._file, os.open(records.path, os.O_RDONLY)
    change = [received(1, "sub_1", subscription("heron"))]

    with pytest.raises(OSError, match="Bad file descriptor"):
        standing.apply(change)

    assert standing.offsets == {0: 1}, "it is read again after a restart"
    assert found(standing, "otter heron") == []
    os.close(records._file)
    records._file = writable
    standing.apply(change)
    assert found(standing, "heron") == ["sub_1"]


def test_what_changes_while_the_matcher_is_made_anew_is_not_lost(tmp_path: Path) -> None:
    standing = new_standing(tmp_path)
    names = ["same", "gone", "other", "paused"]
    standing.apply([received(n, key, subscription("otter", id=key)) for n, key in enumerate(names)])
    compact = folder(tmp_path).compacting(standing.matcher)
    standing.note_changes()
    before = standing.matcher
    standing.apply(
        [
            received(4, "gone", None),
            received(5, "other", subscription("heron", id="other")),
            received(6, "paused", subscription("otter", id="paused", paused=True)),
            received(7, "new", subscription("otter", id="new")),
        ]
    )

    standing.replace(compact())

    assert standing.matcher is not before
    assert found(standing, "otter") == ["new", "same"]
    assert found(standing, "heron") == ["other"]
    standing.apply([received(8, "same", None)])
    assert found(standing, "otter") == ["new"]


def test_what_was_left_out_is_known_after_a_restart(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    matcher = Matcher(CATALOGUE, RecordFile(tmp_path / "records"))
    Standing(matcher, MatchMetrics(registry), Shard(1, 1), {0: 5}, ["sub_1"])

    assert registry.get_sample_value("wirewatch_match_invalid_subscriptions") == 1
