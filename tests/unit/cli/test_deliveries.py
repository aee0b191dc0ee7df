"""`wirewatch deliveries` against an API on this machine."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from rich.cells import cell_len

from fakes.past import FakePast
from wirewatch.api.fates import DeliveryDetail, DeliveryView, Fate, TriedView
from wirewatch.cli.delivery_lines import timeline
from wirewatch.cli.times import read_time
from wirewatch.runtime.errors import Problem
from wirewatch.runtime.kafka import Position, Received
from wirewatch.topics.alerts import ALERTS, Alert, ArticleDigest
from wirewatch.topics.attempts import ATTEMPTS, Attempt, AttemptReason, Outcome
from wirewatch.topics.endpoints import Endpoint
from wirewatch.topics.ids import delivery_id
from wirewatch.topics.subscriptions import Subscription

# The command line reads the real clock, the API stands still: times are given in full.
AT = datetime(2026, 3, 1, 11, 58, tzinfo=UTC)
SINCE = "2026-03-01T06:00"
URL = "https://receiver.example/hook"
S = timedelta(seconds=1)


def key_of(number: int) -> str:
    return delivery_id(f"alert_{number}", "end_1")


def alert(number: int) -> Alert:
    article = ArticleDigest(
        id="art_1", story_id="art_1", revision=1, url="https://news.example/storm",
        title="Storm hits coast", summary="", language="en", source="news.example",
        feed_id="feed_1", feed_title="", authors=(), published_at=AT, fetched_at=AT,
    )  # fmt: skip
    return Alert(
        id=f"alert_{number}", endpoint_id="end_1", subscription_id="sub_1",
        subscription_name="Storms", query="storm", article=article, proofs=(), found_at=AT,
    )  # fmt: skip


def attempt(of: int, /, **changes) -> Attempt:
    fields = {
        "delivery_id": key_of(of), "alert_id": f"alert_{of}", "subscription_id": "sub_1",
        "endpoint_id": "end_1", "number": 1, "outcome": Outcome.DELIVERED, "status": 200,
        "to": "receiver.example:443", "request_bytes": 1_812, "response_bytes": 2,
        "started_at": AT, "duration_ms": 12,
    }  # fmt: skip
    return Attempt(**(fields | changes))


def failed(of: int, /, **changes) -> Attempt:
    fields = {
        "outcome": Outcome.RETRY, "reason": AttemptReason.SERVER_ERROR, "status": 500,
        "detail": "the receiver answered 500", "response_head": "oh \x1b[31mno\nsorry",
        "next_attempt_at": AT + 5 * S,
    }  # fmt: skip
    return attempt(of, **(fields | changes))


def dead(of: int, /, **changes) -> Attempt:
    return failed(of, **({"outcome": Outcome.DEAD, "next_attempt_at": None} | changes))


@pytest.fixture
def past(monkeypatch: pytest.MonkeyPatch) -> FakePast:
    """What the API can read back. It has to be there before the API starts."""
    past = FakePast()
    monkeypatch.setattr("wirewatch.api.service.Nothing", lambda: past)
    return past


@pytest.fixture
def lived(past, tables, api):
    """An API with one endpoint, one subscription and what was sent; the log behind it."""
    times = {"created_at": AT, "updated_at": AT}
    endpoint = Endpoint(id="end_1", url=URL, name="Desk", **times)
    subscription = Subscription(
        id="sub_1", name="Storms", query="storm", endpoint_ids=("end_1",), **times
    )
    tables.endpoints.apply([Received(Position(0, 0), endpoint.id, endpoint)])
    tables.subscriptions.apply([Received(Position(0, 0), subscription.id, subscription)])
    return api


def read(table, *records) -> None:
    table.apply([Received(Position(0, n), "", record) for n, record in enumerate(records)])


def fits(text: str) -> bool:
    return all(cell_len(line) <= 80 for line in text.splitlines())


def test_a_list_says_what_went_where_how_it_stands_and_what_was_answered(wirewatch, lived, tables):
    read(tables.alerts, alert(1), alert(2), alert(3))
    read(
        tables.attempts,
        attempt(1),
        failed(2, number=3, started_at=AT + S),
        dead(9, endpoint_id="end_2", alert_id="", subscription_id=""),
    )
    listed = wirewatch("deliveries", "list").stdout
    assert fits(listed)
    lines = [line.rstrip() for line in listed.splitlines()]
    assert lines[0].split() == ["DELIVERY", "WHEN", "(UTC)", "STATE", "TRIES"]
    assert lines[1].split() == ["Storms:", "Storm", "hits", "coast", "2026-03-01", "11:58:01",
                                "pending", "3"]  # fmt: skip
    assert lines[2] == URL
    assert lines[3].startswith("the receiver answered 500, next try")
    assert lines[4] == key_of(2)
    assert "untried" in listed
    assert "a notice" in listed
    found = json.loads(wirewatch("deliveries", "list", "--json").stdout)
    assert {(d["id"], d["state"]) for d in found} == {
        (key_of(1), "delivered"), (key_of(2), "pending"), (key_of(3), "untried"),
        (key_of(9), "dead"),
    }  # fmt: skip


def test_a_list_is_narrowed(wirewatch, lived, past, tables):
    read(tables.attempts, attempt(1), failed(2))
    past.write(ATTEMPTS, AT, attempt(3), failed(4), failed(5, subscription_id="sub_2"))

    def ids(*words: str) -> set[str]:
        result = wirewatch("deliveries", "list", "--json", *words)
        assert result.exit_code == 0, result.stderr
        return {each["id"] for each in json.loads(result.stdout)}

    assert ids("--failed") == {key_of(2)}
    assert ids("--alert", "Storms", "--endpoint", URL, "--since", SINCE) == {key_of(3), key_of(4)}
    assert ids("--endpoint", "Desk", "--since", SINCE, "--failed") == {key_of(4), key_of(5)}
    assert ids("--endpoint", "end_gone", "--since", SINCE) == set()
    assert len(ids("--endpoint", "end_1", "--since", SINCE, "--limit", "2")) == 2
    assert (
        wirewatch("deliveries", "list", "--since", "2026-03-01T11:59").stdout
        == "No such delivery.\n"
    )


def test_a_delivery_is_shown_as_a_timeline_that_cannot_steer_the_terminal(wirewatch, lived, tables):
    read(tables.alerts, alert(1))
    read(
        tables.attempts,
        failed(1, duration_ms=15_012, response_bytes=12),
        attempt(1, number=2, started_at=AT + 5 * S, response_head="ok"),
    )
    assert wirewatch("deliveries", "show", key_of(1)).stdout == (
        "Storms: Storm hits coast\n"
        f"  id         {key_of(1)}\n"
        f"  endpoint   {URL}  end_1\n"
        "  alert      alert_1\n"
        "  state      delivered\n"
        "\n"
        "   1. 2026-03-01 11:58:00 UTC  server_error  500\n"
        "      receiver.example:443, 15.0 s, 1,812 bytes sent, 12 received\n"
        "      the receiver answered 500\n"
        "      | oh  [31mno\n"
        "      | sorry\n"
        "      next try 2026-03-01 11:58:05 UTC\n"
        "\n"
        "   2. 2026-03-01 11:58:05 UTC  delivered  200\n"
        "      receiver.example:443, 12 ms, 1,812 bytes sent, 2 received\n"
        "      | ok\n"
    )


def test_an_older_delivery_is_shown_by_its_endpoint(wirewatch, lived, past):
    past.write(ATTEMPTS, AT, dead(1, to="", status=None, detail="the endpoint is disabled"))
    shown = wirewatch("deliveries", "show", key_of(1), "--endpoint", URL).stdout
    assert "dead" in shown
    assert "given up" in shown


def test_a_long_answer_is_cut_and_what_no_attempt_says_is_said():
    view = DeliveryView(
        id="msg_1", endpoint_id="end_1", endpoint_url="", subscription_id="sub_1",
        subscription_name="", alert_id="", title="", state=Fate.HELD, at=AT, attempts=0,
        status=None, reason=None, detail="", to="", next_attempt_at=AT,
    )  # fmt: skip
    tried = TriedView(
        number=1, started_at=AT, duration_ms=1, to="", outcome=Outcome.RETRY, reason=None,
        detail="", status=None, request_bytes=0, response_bytes=0,
        response_head="x\n" * 20, next_attempt_at=None,
    )  # fmt: skip
    detail = DeliveryDetail(delivery=view, attempts=(tried,), complete=False, note="More there is.")
    lines = [line.plain for line in timeline(detail)]
    assert lines[:4] == [
        "sub_1", "  id         msg_1", "  endpoint   end_1 (removed)",
        ("  state      held, it waits for the digest that will tell of it, "
        "next try 2026-03-01 11:58:00 UTC"),
    ]  # fmt: skip
    assert lines[-3:] == ["      … 8 more lines", "", "More there is."]


def test_a_delivery_is_sent_again(wirewatch, lived, tables):
    read(tables.alerts, alert(1))
    result = wirewatch("deliveries", "resend", key_of(1))
    assert (result.exit_code, result.stdout) == (0, f"Sent again: {key_of(1)}\n")
    assert lived.sent[-1].resend_id


def test_a_replay_counts_and_sends(wirewatch, lived, past):
    past.write(ALERTS, AT, alert(1), alert(2))
    past.write(ATTEMPTS, AT, dead(1), failed(2), attempt(2, number=2), dead(3))
    words = ("deliveries", "replay", "--endpoint", URL, "--since", SINCE, "--failed")
    counted = wirewatch(*words, "--dry-run")
    assert counted.stdout == (
        "3 found: 1 would be sent again, 1 delivered already, 1 not kept any more.\n"
    )
    assert lived.sent == []
    done = wirewatch(*words, "--yes", "--reason", "server_error", "--reason", "dns")
    assert done.stdout == "2 found: 1 sent again, 1 not kept any more.\n"
    assert [each.id for each in lived.sent] == ["alert_1"]


def test_a_replay_that_leaves_some_says_how_to_go_on(wirewatch, lived, past):
    past.write(ALERTS, AT, alert(1), alert(2))
    words = ("deliveries", "replay", "--endpoint", "end_1", "--since", SINCE, "--all", "--yes")
    said = wirewatch(*words, "--limit", "1", "--id", "mine").stdout
    assert said == (
        "2 found: 1 sent again, 1 left for another time.\n"
        "Go on with --since 2026-03-01T11:58:00.000000Z, from 2026-03-01 11:58:00 UTC.\n"
    )


@pytest.mark.parametrize("answer", ["y", "n"])
def test_a_person_is_asked_first(wirewatch, lived, past, monkeypatch, answer):
    past.write(ALERTS, AT, alert(1))
    monkeypatch.setattr("wirewatch.cli.deliveries.is_terminal", lambda: True)
    words = ("deliveries", "replay", "--endpoint", URL, "--since", SINCE, "--all")
    result = wirewatch(*words, stdin=f"{answer}\n")
    assert f"Send 1 delivery to {URL} again? [y/N]: " in result.stdout
    assert [each.id for each in lived.sent] == (["alert_1"] if answer == "y" else [])
    assert result.exit_code == 0


REPLAY = ("replay", "--endpoint", "end_1", "--since", SINCE)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("show", "msg_x"),
         ("No recent delivery msg_x is known: name its endpoint, whose deliveries are read back "
         "for a month (`endpoint`).")),
        (("resend", "msg_x", "--endpoint", "end_x"),
         ("There is no endpoint end_x, or not any more, so nothing can be sent to it: one that is "
         "added with the same URL gets the same id.")),
        ((*REPLAY, "--all"),
         "There is nobody to ask whether to send: use --yes, or --dry-run to count."),
        ((*REPLAY, "--yes"),
         "Say what is to be sent again: one of --failed, --dead and --all."),
        ((*REPLAY, "--all", "--dead", "--yes"),
         "Say what is to be sent again: one of --failed, --dead and --all."),
        ((*REPLAY, "--failed", "--yes"),
         ("There is nothing to send to end_1 again: no attempt failed since "
         "2026-03-01 06:00:00 UTC.")),
        (("list", "--since", "lately"),
         ("--since lately is no time: write how long ago (90s, 15m, 6h, 2d) or a time in UTC "
         "(2026-11-25T08:00).")),
        (("list", "--endpoint", "https://x.example/"),
         "There is no endpoint with the URL https://x.example/: see `wirewatch endpoints list`."),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence(wirewatch, lived, words, sentence):
    result = wirewatch("deliveries", *words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"wirewatch: {sentence}\n"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("90s", AT - 90 * S),
        ("15m", AT - timedelta(minutes=15)),
        ("6h", AT - timedelta(hours=6)),
        ("2 d", AT - timedelta(days=2)),
        ("2026-02-28", datetime(2026, 2, 28, tzinfo=UTC)),
        ("2026-02-28T08:00", datetime(2026, 2, 28, 8, tzinfo=UTC)),
        ("2026-02-28T08:00:30+02:00", datetime(2026, 2, 28, 6, 0, 30, tzinfo=UTC)),
        ("2026-02-28T08:00Z", datetime(2026, 2, 28, 8, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_people_write_them(text, at):
    assert read_time(text, "--since", AT) == at


@pytest.mark.parametrize(
    "text",
    ["", "6", "h", "6w", "2026-13-01", "9999999d", "-6h", "9999-12-31T23:59:59-01:00"],
)
def test_what_is_no_time_is_said(text):
    with pytest.raises(Problem, match="is no time"):
        read_time(text, "--since", AT)
