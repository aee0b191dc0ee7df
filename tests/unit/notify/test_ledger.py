"""What may be committed is what no open offset stands before."""

from hypothesis import given
from hypothesis import strategies as st

from wirewatch.notify.ledger import Ledger


def test_nothing_taken_is_nothing_to_commit() -> None:
    ledger = Ledger()

    assert ledger.due() == {}
    assert len(ledger) == 0


def test_commits_stop_before_the_first_that_is_open() -> None:
    ledger = Ledger()
    for offset in (10, 11, 13):  # a compacted or transactional log has gaps
        ledger.take(0, offset)

    ledger.done(0, 11)
    ledger.done(0, 13)
    assert ledger.due() == {0: 10}
    assert len(ledger) == 1

    ledger.done(0, 10)
    assert ledger.due() == {0: 14}
    assert ledger.due() == {}, "it was told already"


def test_partitions_do_not_wait_for_one_another() -> None:
    ledger = Ledger()
    ledger.take(0, 5)
    ledger.take(1, 7)
    ledger.done(1, 7)

    assert ledger.due() == {0: 5, 1: 8}
    ledger.done(0, 5)
    assert ledger.due() == {0: 6}


def test_done_twice_or_unknown_changes_nothing() -> None:
    ledger = Ledger()
    ledger.done(3, 1)
    ledger.take(0, 1)
    ledger.take(0, 2)
    ledger.done(0, 1)
    ledger.done(0, 1)

    assert ledger.due() == {0: 2}


def test_what_is_done_after_all_was_given_up_is_not_committed() -> None:
    ledger = Ledger()
    ledger.take(0, 1)
    ledger.clear()

    ledger.done(0, 1)

    assert ledger.due() == {}
    assert len(ledger) == 0
    ledger.take(0, 1)
    ledger.done(0, 1)
    assert ledger.due() == {0: 2}, "it is told anew to the next owner, who may be us"


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(["take", "done", "due"]), st.integers(0, 30)),
        max_size=200,
    )
)
def test_no_commit_ever_passes_an_open_offset_or_goes_back(
    steps: list[tuple[int, str, int]],
) -> None:
    ledger = Ledger()
    open_: dict[int, set[int]] = {0: set(), 1: set(), 2: set()}
    ends = {0: 0, 1: 0, 2: 0}
    told: dict[int, int] = {}
    for partition, what, number in steps:
        if what == "take":
            offset = ends[partition] + number % 3
            ledger.take(partition, offset)
            open_[partition].add(offset)
            ends[partition] = offset + 1
        elif what == "done":
            ledger.done(partition, number)
            open_[partition].discard(number)
        else:
            for where, offset in ledger.due().items():
                assert offset <= min(open_[where], default=ends[where])
                assert offset > told.get(where, -1)
                told[where] = offset
        assert len(ledger) == sum(map(len, open_.values()))

    for partition, offsets in open_.items():
        for offset in sorted(offsets, reverse=True):
            ledger.done(partition, offset)
    told |= ledger.due()
    assert told == {partition: end for partition, end in ends.items() if end}
