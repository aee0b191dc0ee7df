"""Messages are acknowledged in the order of their partition, and none before it is done."""

from dataclasses import dataclass

from wirewatch.match.ledger import Ledger


@dataclass
class Message:
    offset: int
    tp: str = "articles-0"
    value: bytes | None = b"x"
    acked: bool = False


def test_a_message_waits_for_those_before_it_in_its_partition() -> None:
    released: list[Message] = []
    ledger = Ledger(released.append)
    first, second, third = (Message(offset) for offset in (5, 6, 7))
    other = Message(1, tp="articles-1")
    ledger.take([first, other, second])
    ledger.take([third])
    assert all(message.acked for message in (first, second, third, other))

    ledger.done([second, other, third])
    assert released == [other]
    ledger.done([first])
    assert released == [other, first, second, third]


def test_what_waits_does_not_hold_its_article_in_memory() -> None:
    ledger = Ledger(lambda message: None)
    slow, quick = Message(1), Message(2)
    ledger.take([slow, quick])

    ledger.done([quick])

    assert (slow.value, quick.value) == (b"x", None)


def test_a_partition_that_is_read_again_goes_on_behind_what_was_open() -> None:
    released: list[Message] = []
    ledger = Ledger(released.append)
    before, again = Message(5), Message(5)
    ledger.take([before])
    ledger.take([again])

    ledger.done([again])
    assert released == []
    ledger.done([before])
    assert released == [before, again]
