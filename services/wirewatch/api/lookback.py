"""One thing looked for in topics that lie in the order of time: the newest part first.

What is asked about happened lately, as a rule; the month before is read only
where it was not there.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from wirewatch.api.logs import Reading, Span
from wirewatch.api.replaying import delivery_in, is_worth_it
from wirewatch.topics.alerts import ALERTS, Alert
from wirewatch.topics.attempts import ATTEMPTS, Attempt
from wirewatch.topics.dead_letters import DEAD_LETTERS, DeadLetter
from wirewatch.topics.deliveries import Delivery
from wirewatch.topics.ids import delivery_id
from wirewatch.topics.spec import Record, Topic

R = TypeVar("R", bound=Record)

STEPS = (timedelta(hours=2), timedelta(days=1), timedelta(days=5), timedelta(days=90))
"""How far back each part reaches; a schedule of attempts lasts 76 hours."""


def spans_back(
    start: datetime, *, oldest: datetime, place: str | None, until: datetime | None = None
) -> Iterator[Span]:
    """Yield parts of a topic, the newest first: from `start` on, and then back to `oldest`.

    `until` ends the newest; None: now.
    """
    yield Span(start, until, place)
    end = start
    for step in STEPS:
        begin = max(start - step, oldest)
        if begin >= end:
            return
        yield Span(begin, end, place)
        end = begin


async def attempts_of(
    reading: Reading, key: str, endpoint_id: str, *, now: datetime, since: datetime | None
) -> list[Attempt]:
    """Return the attempts of a delivery, oldest first, all from `since` on or from the first on."""
    found: dict[int, Attempt] = {}

    async def take(attempts: Sequence[Attempt]) -> bool:
        found.update({each.number: each for each in attempts if each.delivery_id == key})
        return True

    oldest = now - (ATTEMPTS.retention or timedelta.max)
    newest = Span(since or oldest, None, endpoint_id)
    parts = [newest] if since else spans_back(now, oldest=oldest, place=endpoint_id)
    for part in parts:
        await reading.read(ATTEMPTS, part, take)
        if 1 in found or not reading.is_whole:
            break
    return [found[number] for number in sorted(found)]


Told = Alert | Delivery
Give = Callable[[Sequence[Told]], Awaitable[bool]]
"""Takes what was looked for; says whether to go on."""


async def give_alerts(
    reading: Reading, wanted: set[str], give: Give, parts: Iterable[Span]
) -> None:
    """Give the alerts of these deliveries; those given are taken out of `wanted`."""

    def pick(alerts: Sequence[Alert]) -> dict[str, Told]:
        keyed = ((delivery_id(each.id, each.endpoint_id), each) for each in alerts)
        return {key: each for key, each in keyed if key in wanted}

    await _give(reading, ALERTS, wanted, pick=pick, give=give, parts=parts)


async def give_dead(reading: Reading, wanted: set[str], give: Give, parts: Iterable[Span]) -> None:
    """Give what these deliveries told when they were given up; else as `give_alerts`."""

    def pick(letters: Sequence[DeadLetter]) -> dict[str, Told]:
        known = (delivery_in(each) for each in letters if each.key in wanted)
        return {each.id: each for each in known if each is not None and is_worth_it(each)}

    await _give(reading, DEAD_LETTERS, wanted, pick=pick, give=give, parts=parts)


async def _give(
    reading: Reading,
    topic: Topic[R],
    wanted: set[str],
    *,
    pick: Callable[[Sequence[R]], dict[str, Told]],
    give: Give,
    parts: Iterable[Span],
) -> None:
    goes_on = True

    async def take(records: Sequence[R]) -> bool:
        nonlocal goes_on
        found = pick(records)
        if found:
            goes_on = await give(list(found.values()))
            wanted.difference_update(found)
        return goes_on and bool(wanted)

    for part in parts:
        if not (wanted and goes_on and reading.is_whole):
            return
        await reading.read(topic, part, take)
