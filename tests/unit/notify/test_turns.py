"""Flows share by turns, whatever each of them wants."""

from collections import Counter, deque

from hypothesis import given
from hypothesis import strategies as st

from wirewatch.notify.turns import Turns


def taken(turns: Turns[str], count: int) -> list[str | None]:
    return [turns.take() for _ in range(count)]


def test_nobody_waits() -> None:
    turns: Turns[str] = Turns()

    assert not turns
    assert turns.take() is None
    assert list(turns) == []


def test_a_flow_of_ten_thousand_leaves_every_other_turn_to_a_flow_of_two() -> None:
    turns: Turns[str] = Turns()
    for number in range(10_000):
        turns.add("crowd", f"c{number}")
    for number in range(2):
        turns.add("few", f"f{number}")

    assert taken(turns, 6) == ["c0", "f0", "c1", "f1", "c2", "c3"]
    assert turns


def test_who_comes_late_waits_for_one_turn_of_each_flow() -> None:
    turns: Turns[str] = Turns()
    for flow in "abc":
        for number in range(3):
            turns.add(flow, f"{flow}{number}")
    turns.take()

    turns.add("late", "l")

    assert taken(turns, 4) == ["b0", "c0", "a1", "l"]


def test_all_that_wait_can_be_seen_without_taking_them() -> None:
    turns: Turns[str] = Turns()
    for item in ("a0", "b0", "a1"):
        turns.add(item[0], item)

    assert list(turns) == ["a0", "a1", "b0"]
    assert taken(turns, 4) == ["a0", "b0", "a1", None]


@given(st.lists(st.one_of(st.sampled_from("abcd"), st.none()), max_size=300))
def test_each_flow_keeps_its_order_and_none_is_passed_over_twice(
    steps: list[str | None],
) -> None:
    """A letter adds to that flow, None takes. Between two turns of a flow all others have one."""
    turns: Turns[tuple[str, int]] = Turns()
    waiting: dict[str, deque[int]] = {flow: deque() for flow in "abcd"}
    passed: Counter[str] = Counter()
    number = 0
    for step in [*steps, *[None] * len(steps)]:
        number += 1
        if step is not None:
            turns.add(step, (step, number))
            waiting[step].append(number)
            continue
        item = turns.take()
        if item is None:
            assert not any(waiting.values())
            continue
        flow, taken_number = item
        assert waiting[flow].popleft() == taken_number
        del passed[flow]
        for other, queue in waiting.items():
            if queue and other != flow:
                passed[other] += 1
                assert passed[other] <= 3, "every other flow had more than one turn"
    assert not any(waiting.values())
    assert not turns


def test_a_flow_may_be_left_out_and_keeps_its_place() -> None:
    turns: Turns[str] = Turns()
    turns.add("backlog", "b0")
    turns.add("backlog", "b1")
    assert turns.take("backlog") is None
    turns.add("one", "o0")
    assert turns.take("backlog") == "o0"
    assert turns.take("backlog") is None
    assert taken(turns, 3) == ["b0", "b1", None]
    assert turns.take("backlog") is None
