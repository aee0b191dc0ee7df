"""Sending again: one delivery, and many."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.json import encode as encode_json

from fakes.past import Lived, live
from wirewatch.api.answers import API
from wirewatch.api.app import make_app
from wirewatch.api.replaying import choose, resend_id
from wirewatch.runtime.kafka import Position, Received
from wirewatch.runtime.observe import Health, listen
from wirewatch.topics.alerts import ALERTS
from wirewatch.topics.attempts import ATTEMPTS, AttemptReason, Outcome
from wirewatch.topics.codec import encode
from wirewatch.topics.dead_letters import DEAD_LETTERS, DeadReason, bury
from wirewatch.topics.deliveries import DELIVERIES, Delivery, DeliveryState
from wirewatch.topics.digests import Notice, NoticeType
from wirewatch.topics.endpoint_states import Breaker, DisabledReason, EndpointState
from wirewatch.topics.endpoints import Endpoint
from wirewatch.topics.ids import delivery_id

NOW = datetime(2026, 3, 1, tzinfo=UTC)
S = timedelta(seconds=1)
H = timedelta(hours=1)
SINCE = "2026-03-01T06:00:00Z"


def key_of(number: int) -> str:
    return delivery_id(f"alert_{number}", "end_1")


@pytest.fixture
async def lived(world, make) -> AsyncIterator[Lived]:
    endpoint = Endpoint(
        id="end_1", url="https://receiver.example/hook", created_at=make.at, updated_at=make.at
    )
    world.read(world.tables.endpoints, endpoint)
    async with live(world) as lived:
        yield lived


def failed(make, number, /, **changes):
    fields = {
        "delivery_id": key_of(number), "alert_id": f"alert_{number}", "outcome": Outcome.RETRY,
        "reason": AttemptReason.TIMEOUT, "status": None,
    }  # fmt: skip
    return make.attempt(**(fields | changes))


def delivered(make, number, /, **changes):
    fields = {"delivery_id": key_of(number), "alert_id": f"alert_{number}"}
    return make.attempt(**(fields | changes))


def alert(make, number, /, **changes):
    return make.alert(id=f"alert_{number}", **changes)


def dead(make, delivery, reason=DeadReason.EXHAUSTED, at=None):
    return bury(
        encode(delivery), service="notify", reason=reason, detail="", topic="t.deliveries",
        partition=-1, offset=-1, key=delivery.id, now=at or make.at,
    )  # fmt: skip


def pending(make, number, /, **changes) -> Delivery:
    fields = {
        "id": key_of(number), "endpoint_id": "end_1", "alert_id": f"alert_{number}",
        "attempts": 9, "due_at": make.at, "created_at": make.at, "alert": alert(make, number),
    }  # fmt: skip
    return Delivery(**(fields | changes))


def notice(make, key="msg_notice", type=NoticeType.DELIVERY_EXHAUSTED) -> Delivery:
    told = Notice(type=type, endpoint_id="end_9", at=make.at)
    return pending(make, 0, id=key, alert_id="", alert=None, notice=told)


def sent(world) -> list[tuple[str, str, str]]:
    """Return topic, id and resend id of everything that was sent."""
    return [(topic, record.id, record.resend_id) for topic, record in world.log.sent]


# One


async def test_a_resend_is_the_alert_once_more_under_an_id_of_its_own(lived, world, make):
    world.read(world.tables.alerts, alert(make, 1))
    answer = await lived.post(f"/v1/deliveries/{key_of(1)}/resend", {"id": "mine"})
    assert answer == {
        "id": "mine", "delivery_id": key_of(1), "endpoint_id": "end_1", "note": "",
    }  # fmt: skip
    assert sent(world) == [("alerts", "alert_1", resend_id(key_of(1), "mine"))]


async def test_the_same_request_has_the_same_resend_id_and_another_has_another(lived, world, make):
    world.read(world.tables.alerts, alert(make, 1))
    path = f"/v1/deliveries/{key_of(1)}/resend"
    await lived.post(path, {}, **{"Idempotency-Key": "k"})
    await lived.post(path, {"id": "k"}, **{"Idempotency-Key": "k"})
    await lived.post(path, {})
    first, second, third = (resend for _, _, resend in sent(world))
    assert first == second != third
    said = await lived.post(path, {"id": "other"}, 422, **{"Idempotency-Key": "k"})
    assert said["errors"][0]["field"] == "id"


async def test_the_alert_of_a_resend_is_read_back_a_month_later(lived, world, make):
    world.read(world.tables.attempts, failed(make, 1))
    lived.past.write(ALERTS, make.at - 500 * H, alert(make, 2), alert(make, 1))
    await lived.post(f"/v1/deliveries/{key_of(1)}/resend", {})
    assert [name for _, name, _ in sent(world)] == ["alert_1"]


async def test_an_alert_that_is_kept_no_more_is_taken_from_its_dead_letter(lived, world, make):
    lived.past.write(DEAD_LETTERS, make.at - 1_000 * H, dead(make, pending(make, 1)))
    await lived.post(f"/v1/deliveries/{key_of(1)}/resend", {"endpoint": "end_1"})
    assert [each[:2] for each in sent(world)] == [("alerts", "alert_1")]


async def test_a_notice_that_was_given_up_goes_into_the_outbox_itself(lived, world, make):
    world.read(
        world.tables.attempts,
        make.attempt(delivery_id="msg_notice", alert_id="", number=11, outcome=Outcome.DEAD),
    )
    lived.past.write(DEAD_LETTERS, make.at, dead(make, notice(make)))
    await lived.post("/v1/deliveries/msg_notice/resend", {"id": "r"})
    ((topic, record),) = world.log.sent
    assert topic == "deliveries"
    assert (record.state, record.due_at) == (DeliveryState.PENDING, world.clock.now)
    assert (record.attempts, record.attempts_before, record.ended_at) == (11, 11, None)
    assert record.notice.type is NoticeType.DELIVERY_EXHAUSTED
    assert record.resend_id == resend_id("msg_notice", "r")


async def test_a_notice_that_still_waits_cannot_be_hurried(lived, world, make):
    world.read(
        world.tables.attempts,
        make.attempt(delivery_id="msg_notice", alert_id="", outcome=Outcome.RETRY),
    )
    said = await lived.post("/v1/deliveries/msg_notice/resend", {}, 409)
    assert said["detail"] == (
        "The delivery msg_notice tells a digest or a notice that was not given up: "
        "only alerts, and what was given up, can be sent again."
    )


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 404, "name its endpoint"),
        ({"endpoint": "end_1"}, 404, "There is no delivery msg_x to end_1 any more"),
        ({"endpoint": "end_2"}, 404, "There is no endpoint end_2, or not any more"),
        ({"to": "end_1"}, 422, "there is no such field here"),
    ],
)
async def test_a_resend_that_cannot_be_is_refused(lived, world, body, status, words):
    said = await lived.post("/v1/deliveries/msg_x/resend", body, status)
    assert words in said["detail"]
    assert world.log.sent == []


async def test_nothing_is_sent_to_a_disabled_endpoint(lived, world, make):
    world.read(world.tables.alerts, alert(make, 1))
    state = EndpointState(
        endpoint_id="end_1", disabled_at=make.at + S, disabled_reason=DisabledReason.GONE,
        changed_at=make.at,
    )  # fmt: skip
    world.tables.endpoint_states.apply([_received(state)])
    said = await lived.post(f"/v1/deliveries/{key_of(1)}/resend", {}, 409)
    assert said["detail"] == (
        "The endpoint end_1 is disabled (because it answered 410), what is sent to it is given "
        "up: enable it first, PATCH /v1/endpoints/end_1."
    )
    body = {"endpoint": "end_1", "since": SINCE, "what": "all"}
    assert "is disabled" in (await lived.post("/v1/replays", body, 409))["detail"]
    assert world.log.sent == []


def _received(state):
    return Received(Position(0, 0), state.endpoint_id, state)


async def test_a_resend_to_a_paused_endpoint_waits_and_says_so(lived, world, make):
    paused = Endpoint(
        id="end_2", url="https://receiver.example/2", paused=True,
        created_at=make.at, updated_at=make.at,
    )  # fmt: skip
    world.read(world.tables.endpoints, paused)
    world.read(world.tables.alerts, alert(make, 1, endpoint_id="end_2"))
    key = delivery_id("alert_1", "end_2")
    answer = await lived.post(f"/v1/deliveries/{key}/resend", {})
    assert answer["note"] == "The endpoint is paused: it is told once it is resumed."


async def test_a_resend_to_an_endpoint_whose_circuit_is_open_says_when_it_is_probed(
    lived, world, make
):
    state = EndpointState(
        endpoint_id="end_1", breaker=Breaker.OPEN, probe_at=make.at + H, changed_at=make.at
    )
    world.tables.endpoint_states.apply([_received(state)])
    world.read(world.tables.alerts, alert(make, 1))
    answer = await lived.post(f"/v1/deliveries/{key_of(1)}/resend", {})
    assert answer["note"] == (
        "The endpoint did not answer lately: it is asked again at 2026-03-01 12:58:00 UTC, "
        "and told once it answers."
    )


# Many


def _replay(what: str, /, **fields) -> dict:
    return {"endpoint": "end_1", "since": SINCE, "what": what, "id": "r"} | fields


def _counts(answer: dict) -> dict:
    names = ("found", "sent", "delivered", "held_back", "missing", "left")
    return {name: answer[name] for name in names if answer[name]}


async def test_failed_sends_what_was_not_delivered_after_all(lived, world, make):
    lived.past.write(ALERTS, make.at - 40 * H, alert(make, 1))
    lived.past.write(ALERTS, make.at, *(alert(make, n) for n in (2, 3, 4)))
    lived.past.write(
        ATTEMPTS, make.at,
        failed(make, 1, number=7, outcome=Outcome.DEAD),
        failed(make, 2),
        failed(make, 3),
        delivered(make, 3, number=2),
        delivered(make, 4),
        failed(make, 5),
        failed(make, 1, endpoint_id="end_2"),
    )  # fmt: skip
    answer = await lived.post("/v1/replays", _replay("failed"))
    assert _counts(answer) == {"found": 4, "sent": 2, "delivered": 1, "missing": 1}
    assert (answer["complete"], answer["note"], answer["dry_run"]) == (True, "", False)
    assert sorted(sent(world)) == [
        ("alerts", "alert_1", resend_id(key_of(1), "r")),
        ("alerts", "alert_2", resend_id(key_of(2), "r")),
    ]


async def test_failed_looks_at_the_window_but_at_deliveries_after_it_too(lived, world, make):
    lived.past.write(ALERTS, make.at, *(alert(make, n) for n in (1, 2, 3)))
    lived.past.write(
        ATTEMPTS, make.at,
        failed(make, 1, started_at=make.at - H),
        failed(make, 2, started_at=make.at - H),
        delivered(make, 2, number=2),
        failed(make, 3),
    )  # fmt: skip
    answer = await lived.post("/v1/replays", _replay("failed", until="2026-03-01T11:30:00Z"))
    assert _counts(answer) == {"found": 2, "sent": 1, "delivered": 1}
    assert [name for _, name, _ in sent(world)] == ["alert_1"]


async def test_failed_can_be_narrowed_to_reasons(lived, world, make):
    lived.past.write(ALERTS, make.at, alert(make, 1), alert(make, 2))
    lived.past.write(ATTEMPTS, make.at, failed(make, 1), failed(make, 2, reason=AttemptReason.DNS))
    answer = await lived.post("/v1/replays", _replay("failed", reasons=["dns"]))
    assert _counts(answer) == {"found": 1, "sent": 1}
    assert [name for _, name, _ in sent(world)] == ["alert_2"]


async def test_failed_revives_notices_that_were_given_up_and_leaves_those_that_wait(
    lived, world, make
):
    lived.past.write(
        ATTEMPTS, make.at,
        failed(make, 0, delivery_id="msg_dead", alert_id="", number=11, outcome=Outcome.DEAD),
        failed(make, 0, delivery_id="msg_waits", alert_id=""),
    )  # fmt: skip
    lived.past.write(DEAD_LETTERS, make.at, dead(make, notice(make, "msg_dead")))
    answer = await lived.post("/v1/replays", _replay("failed"))
    assert _counts(answer) == {"found": 2, "sent": 1, "held_back": 1}
    assert [each[:2] for each in sent(world)] == [("deliveries", "msg_dead")]


async def test_dead_sends_each_once_by_reason_unless_it_was_delivered_since(lived, world, make):
    letters = (
        dead(make, pending(make, 1)),
        dead(make, pending(make, 1), at=make.at + S),
        dead(make, pending(make, 2), DeadReason.DISABLED),
        dead(make, pending(make, 3)),
        dead(make, pending(make, 4, endpoint_id="end_2")),
        dead(make, notice(make, "ping", NoticeType.ENDPOINT_VERIFY)),
        bury(
            b"{", service="match", reason=DeadReason.UNREADABLE, detail="", topic="t.articles",
            partition=0, offset=0, key="", now=make.at,
        ),
    )  # fmt: skip
    lived.past.write(DEAD_LETTERS, make.at, *letters)
    lived.past.write(
        ATTEMPTS, make.at,
        failed(make, 1, number=9, outcome=Outcome.DEAD),
        delivered(make, 3, number=10, started_at=make.at + 2 * S),
    )  # fmt: skip
    answer = await lived.post("/v1/replays", _replay("dead", reasons=["exhausted"]))
    assert _counts(answer) == {"found": 2, "sent": 1, "delivered": 1}
    assert sent(world) == [("alerts", "alert_1", resend_id(key_of(1), "r"))]
    answer = await lived.post("/v1/replays", _replay("dead"))
    assert _counts(answer) == {"found": 3, "sent": 2, "delivered": 1}


async def test_all_sends_what_was_delivered_too_but_not_what_is_muted_or_held(lived, world, make):
    lived.past.write(
        ALERTS, make.at,
        *(alert(make, n) for n in (1, 2, 3)),
        alert(make, 1, resend_id="again_x"),
        alert(make, 4, found_at=make.at - 100 * H, resend_id="again_y"),
    )  # fmt: skip
    lived.past.write(
        DELIVERIES, make.at,
        pending(make, 1, state=DeliveryState.DELIVERED, alert=None),
        pending(make, 2, state=DeliveryState.MUTED, alert=None),
        pending(make, 3, state=DeliveryState.HELD),
    )  # fmt: skip
    answer = await lived.post("/v1/replays", _replay("all"))
    assert _counts(answer) == {"found": 3, "sent": 1, "held_back": 2}
    assert sent(world) == [("alerts", "alert_1", resend_id(key_of(1), "r"))]


async def test_a_limit_sends_the_oldest_and_says_where_to_go_on(lived, world, make):
    for number in (3, 1, 2):
        found_at = make.at + number * S
        lived.past.write(ALERTS, make.at + 3 * S, alert(make, number, found_at=found_at))
    answer = await lived.post("/v1/replays", _replay("all", limit=2))
    assert _counts(answer) == {"found": 3, "sent": 2, "left": 1}
    assert answer["next_since"] == "2026-03-01T11:58:03Z"
    assert sorted(name for _, name, _ in sent(world)) == ["alert_1", "alert_2"]
    answer = await lived.post("/v1/replays", _replay("all", since=answer["next_since"]))
    assert (answer["sent"], answer["next_since"]) == (1, None)


async def test_a_dry_run_counts_and_sends_nothing(lived, world, make):
    lived.past.write(ALERTS, make.at, alert(make, 1))
    lived.past.write(ATTEMPTS, make.at, failed(make, 1), failed(make, 2))
    answer = await lived.post("/v1/replays", _replay("failed", dry_run=True))
    assert _counts(answer) == {"found": 2, "sent": 1, "missing": 1}
    assert answer["dry_run"] is True
    assert world.log.sent == []


async def test_the_same_replay_has_the_same_resend_ids(lived, world, make):
    lived.past.write(ALERTS, make.at, alert(make, 1))
    body = _replay("all")
    del body["id"]
    await lived.post("/v1/replays", body, **{"Idempotency-Key": "k"})
    await lived.post("/v1/replays", body, **{"Idempotency-Key": "k"})
    assert len(world.log.sent) == 2
    assert len(set(sent(world))) == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"since": "2026-03-02T00:00:00Z"}, "since: lies in the future."),
        ({"since": "2026-01-01T00:00:00Z"},
         "since: lies further back than the 30 days for which this is kept."),
        ({"what": "dead", "since": "2025-11-01T00:00:00Z"},
         "since: lies further back than the 90 days for which this is kept."),
        ({"until": SINCE}, "until: is not after `since`."),
        ({"limit": 0}, "limit: must be 1 to 10,000."),
        ({"what": "all", "reasons": ["dns"]},
         "reasons: choose nothing where all is sent again: leave them out."),
        ({"what": "dead", "reasons": ["dns"]},
         "reasons: dns is none of exhausted, rejected, disabled, no_endpoint."),
        ({"since": "yesterday"}, "since: invalid RFC3339 encoded datetime."),
        ({"what": "some"}, "what: invalid enum value 'some'."),
    ],
)  # fmt: skip
async def test_a_replay_that_makes_no_sense_is_refused(lived, fields, said):
    answer = await lived.post("/v1/replays", _replay("failed", **fields), 422)
    assert answer["detail"] == said


NOTHING = "There is nothing to send to end_1 again: "


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "no attempt failed since 2026-03-01 06:00:00 UTC."),
        ({"what": "dead", "reasons": ["rejected", "disabled"]},
         "no delivery was given up for rejected or disabled since 2026-03-01 06:00:00 UTC."),
        ({"what": "all", "until": "2026-03-01T08:00:00+01:00"},
         "no alert was found since 2026-03-01 06:00:00 UTC and before 2026-03-01 07:00:00 UTC."),
    ],
)  # fmt: skip
async def test_nothing_found_is_said(lived, fields, said):
    answer = await lived.post("/v1/replays", _replay("failed", **fields), 404)
    assert answer["detail"] == NOTHING + said


async def test_an_endpoint_that_is_not_there_is_said(lived):
    answer = await lived.post("/v1/replays", _replay("failed", endpoint="end_2"), 404)
    assert answer["detail"] == (
        "There is no endpoint end_2, or not any more, so nothing can be sent to it: one that "
        "is added with the same URL gets the same id."
    )


async def test_what_cannot_be_read_whole_is_not_sent_by_halves(lived, world, make):
    lived.past.write(ALERTS, make.at, alert(make, 1))
    lived.past.write(ATTEMPTS, make.at, failed(make, 1), delivered(make, 1, number=2))
    lived.past.cut_after["attempts"] = 1
    answer = await lived.post("/v1/replays", _replay("failed"), 422)
    assert answer["errors"][0]["field"] == "since"
    assert "choose a later time" in answer["detail"]
    assert world.log.sent == []


async def test_what_was_not_reached_in_time_is_reached_by_the_same_request(lived, world, make):
    lived.past.write(ALERTS, make.at, alert(make, 1), alert(make, 2))
    lived.past.write(ATTEMPTS, make.at, failed(make, 1), failed(make, 2))
    lived.past.cut_after["alerts"] = 1
    answer = await lived.post("/v1/replays", _replay("failed"))
    assert (answer["sent"], answer["complete"]) == (1, False)
    assert answer["note"] == (
        "1 delivery was not reached in the time of one request: send it again with the id r, "
        "nothing is sent twice."
    )
    lived.past.cut_after.clear()
    answer = await lived.post("/v1/replays", _replay("failed"))
    assert (answer["sent"], answer["complete"]) == (2, True)
    assert len(set(sent(world))) == 2


async def test_a_log_that_takes_nothing_is_said_with_the_id_to_repeat(
    lived, world, make, monkeypatch
):
    async def never(topic, records):
        await asyncio.Event().wait()

    lived.past.write(ALERTS, make.at, alert(make, 1))
    monkeypatch.setattr("wirewatch.api.store.WRITE_TIMEOUT_S", 0.001)
    monkeypatch.setattr(world.log, "send_all", never)
    answer = await lived.post("/v1/replays", _replay("all"), 503)
    assert answer["detail"] == (
        "Kafka takes nothing now, 0 deliveries were sent again before: repeat the request with "
        "the id r, nothing is sent twice."
    )
    assert await lived.get("/v1/deliveries?endpoint=end_1")  # the reading has ended


async def test_nothing_more_is_sent_once_the_client_has_gone(lived, world, make, free_ports):
    # The server of the tests ends a handler whose client goes; the real one lets it go on.
    lived.past.write(ALERTS, make.at, alert(make, 1))
    lived.past.may_go_on.clear()
    app, port = make_app(lived.client.app[API], Health()), free_ports(1)
    server = await listen(app, what="api", host="127.0.0.1", port=port, setting="")
    body = encode_json(_replay("all"))
    _reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"POST /v1/replays HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    )
    while not lived.past.asked:  # noqa: ASYNC110 - it looks at what others do
        await asyncio.sleep(0)
    writer.transport.abort()
    await asyncio.sleep(0.05)  # the server hears of it
    lived.past.may_go_on.set()
    await server.cleanup()
    assert [name for name, _ in lived.past.asked] == ["alerts", "deliveries", "alerts"]
    assert world.log.sent == []


async def test_more_than_can_be_considered_is_refused(lived, world, make, monkeypatch):
    monkeypatch.setattr("wirewatch.api.replays.MAX_CONSIDERED", 2)
    lived.past.write(ALERTS, make.at, *(alert(make, n) for n in range(3)))
    answer = await lived.post("/v1/replays", _replay("all"), 422)
    assert "chooses from 2 deliveries at most" in answer["detail"]
    assert world.log.sent == []


@given(
    times=st.dictionaries(st.integers(0, 20), st.integers(0, 50)),
    delivered=st.sets(st.integers(0, 25)),
    held_back=st.sets(st.integers(0, 25)),
    limit=st.integers(1, 10),
)
def test_each_candidate_is_counted_once_and_what_is_left_is_later(
    times, delivered, held_back, limit
):
    candidates = {str(key): NOW + at * S for key, at in times.items()}
    choice = choose(
        candidates, delivered=set(map(str, delivered)), held_back=set(map(str, held_back)),
        limit=limit,
    )  # fmt: skip
    counted = len(choice.chosen) + choice.delivered + choice.held_back + choice.left
    assert counted == choice.found == len(candidates)
    assert not {int(key) for key in choice.chosen} & (delivered | held_back)
    assert (choice.next_since is None) is (choice.left == 0)
    if choice.next_since is not None:
        assert max(candidates[key] for key in choice.chosen) <= choice.next_since
