"""Which alerts are put off, and that each is given out once."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.notify.put_off import PutOff
from wirewatch.runtime.kafka import Position


def put(put_off: PutOff, *places: tuple[int, int], article: str = "art") -> None:
    for partition, offset in places:
        put_off.put(article, Position(partition, offset))


@given(st.sets(st.tuples(st.integers(0, 2), st.integers(0, 40))))
def test_each_is_given_out_once_and_nothing_else(places: set[tuple[int, int]]) -> None:
    put_off = PutOff()
    put(put_off, *sorted(places))
    assert len(put_off) == len(places)
    firsts = {p: min(o for q, o in places if q == p) for p, _ in places}
    assert put_off.begins() == firsts

    everything = [(p, o) for p in range(3) for o in range(41)]
    taken = {at for at in everything if put_off.take(Position(*at))}
    assert taken == places
    assert put_off.passed() == []
    assert (len(put_off), put_off.begins(), put_off.has("art")) == (0, {}, False)
    assert not any(put_off.take(Position(*at)) for at in everything)


def test_what_is_no_longer_in_its_topic_is_passed_by() -> None:
    put_off = PutOff()
    put(put_off, (0, 1), (0, 2), (0, 5), (0, 6), (0, 9))

    assert put_off.take(Position(0, 6))
    assert (len(put_off), put_off.begins()) == (1, {0: 9})
    assert put_off.passed() == [Position(0, offset) for offset in (1, 2, 5)]
    assert put_off.passed() == []
    assert not put_off.take(Position(0, 8))
    assert put_off.take(Position(0, 9))
    assert len(put_off) == 0


def test_when_all_that_was_put_off_is_gone_nothing_waits() -> None:
    put_off = PutOff()
    put(put_off, (0, 1), (0, 2), (1, 7))
    assert not put_off.take(Position(0, 5))
    assert (len(put_off), put_off.begins()) == (1, {1: 7})
    assert not put_off.take(Position(1, 8))
    assert (len(put_off), put_off.begins(), put_off.has("art")) == (0, {}, False)


async def test_who_waits_hears_of_the_first_and_not_of_what_is_cleared() -> None:
    put_off = PutOff(most=2)
    waiting = asyncio.create_task(put_off.some())
    await asyncio.sleep(0)
    assert not waiting.done()
    put(put_off, (0, 1))
    await asyncio.wait_for(waiting, 10)

    assert (put_off.has("art"), put_off.has("other"), put_off.is_full()) == (True, False, False)
    put(put_off, (1, 1))
    assert put_off.is_full()
    put_off.clear()
    assert (len(put_off), put_off.has("art"), put_off.is_full()) == (0, False, False)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(put_off.some(), 0)
