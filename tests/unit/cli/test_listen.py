import io
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta, timezone

import aiohttp
import pytest
from rich.cells import cell_len
from rich.console import Console
from standardwebhooks import Webhook

from wirewatch.cli.lines import alert_line
from wirewatch.cli.listen import show_alert, welcome
from wirewatch.cli.receive import start_receiver
from wirewatch.cli.verify import Unverified, check_secret, verify
from wirewatch.runtime.errors import PortTaken

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECRET = "whsec_" + b64encode(b"k" * 32).decode()
OTHER = "whsec_" + b64encode(b"o" * 32).decode()


def _payload(**changes):
    article = {
        "id": "art_1", "story_id": "art_1", "revision": 1, "url": "https://news.example/storm",
        "title": "Storm hits coast", "summary": "", "language": "en", "source": "news.example",
        "feed_id": "feed_1", "feed_title": "News", "authors": [],
        "published_at": "2026-03-01T11:58:00Z", "fetched_at": "2026-03-01T11:59:00Z",
    } | changes  # fmt: skip
    title_proof = {
        "leaf": "storm", "entity_id": None, "field": "title", "start": 0, "end": 5, "text": "Storm",
        "snippet": "Storm hits coast", "mark_start": 0, "mark_end": 5,
    }  # fmt: skip
    body_proof = title_proof | {
        "field": "body", "snippet": "as the storm came", "mark_start": 7, "mark_end": 12,
    }  # fmt: skip
    return {
        "type": "alert.created",
        "timestamp": "2026-03-01T12:00:00Z",
        "data": {
            "alert_id": "alert_1",
            "subscription": {"id": "sub_1", "name": "Storms", "query": "storm", "tags": []},
            "article": article,
            "proofs": [title_proof, body_proof],
        },
    }


def _signed(body: bytes, *, secret=SECRET, at=NOW, webhook_id="msg_1"):
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, at, body.decode()),
    }


class Inbox:
    """A receiver that runs, and what came in."""

    def __init__(self, secret):
        self.secret, self.alerts, self.notes = secret, [], []

    async def __aenter__(self):
        self.receiver = await start_receiver(
            "127.0.0.1", 0, lambda: self.secret, self.alerts.append,
            on_note=self.notes.append, clock=lambda: NOW,
        )  # fmt: skip
        self.session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_):
        await self.session.close()
        await self.receiver.close()

    async def post(self, body, headers):
        async with self.session.post(self.receiver.url, data=body, headers=headers) as answer:
            return answer.status


async def test_a_webhook_of_the_official_library_verifies():
    body = json.dumps(_payload()).encode()
    async with Inbox(SECRET) as inbox:
        assert await inbox.post(body, _signed(body)) == 204
        (alert,) = inbox.alerts
    assert (alert.webhook_id, alert.verified, alert.is_repeat) == ("msg_1", True, False)
    assert alert.payload.data.subscription.name == "Storms"


async def test_a_repeat_is_told_as_one():
    body = json.dumps(_payload()).encode()
    async with Inbox(SECRET) as inbox:
        for webhook_id in ("a", "b", "a"):
            assert await inbox.post(body, _signed(body, webhook_id=webhook_id)) == 204
        assert [alert.is_repeat for alert in inbox.alerts] == [False, False, True]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda headers: headers.pop("webhook-id"), "webhook-id is missing"),
        (lambda headers: headers.pop("webhook-timestamp"), "webhook-timestamp is missing"),
        (lambda headers: headers.update({"webhook-timestamp": "١٢٣"}), "webhook-timestamp"),
        (lambda headers: headers.pop("webhook-signature"), "does not match"),
        (lambda headers: headers.update({"webhook-signature": "v1,!!!"}), "does not match"),
        (lambda headers: headers.update({"webhook-id": "msg_2"}), "does not match"),
        (
            lambda headers: headers.update(
                {"webhook-signature": headers["webhook-signature"].replace("v1,", "v2,")}
            ),
            "does not match",
        ),
    ],
)
def test_a_header_that_is_wrong_is_named(spoil, reason):
    body = b'{"type": "x"}'
    headers = _signed(body)
    spoil(headers)
    with pytest.raises(Unverified, match=reason):
        verify(headers, body, secret=SECRET, now=NOW)


@pytest.mark.parametrize(
    ("off_s", "good"), [(300, True), (-300, True), (301, False), (-301, False)]
)
def test_clocks_may_differ_by_five_minutes(off_s, good):
    body = b"{}"
    headers = _signed(body, at=NOW + timedelta(seconds=off_s))
    if good:
        verify(headers, body, secret=SECRET, now=NOW)
    else:
        with pytest.raises(Unverified, match="compare the clocks"):
            verify(headers, body, secret=SECRET, now=NOW)


def test_one_good_signature_of_several_is_enough():
    body = b"{}"
    headers = _signed(body, secret=OTHER)
    headers["webhook-signature"] += " " + _signed(body)["webhook-signature"]
    verify(headers, body, secret=SECRET, now=NOW)


def test_another_body_does_not_verify():
    with pytest.raises(Unverified, match="does not match"):
        verify(_signed(b"{}"), b"{ }", secret=SECRET, now=NOW)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!", "å"])
def test_an_empty_or_broken_secret_verifies_nothing(secret):
    with pytest.raises(Unverified, match="is not `whsec_` or `whpk_` and base64"):
        check_secret(secret)


async def test_a_stranger_is_refused_and_it_is_said():
    body = json.dumps(_payload()).encode()
    async with Inbox(SECRET) as inbox:
        assert await inbox.post(body, _signed(body, secret=OTHER)) == 401
        assert inbox.alerts == []
        (note,) = inbox.notes
    assert note == (
        "refused a webhook that does not verify: "
        "the signature does not match: is it this endpoint's secret?"
    )


async def test_a_refused_webhook_does_not_make_the_good_one_a_repeat():
    body = json.dumps(_payload()).encode()
    async with Inbox(SECRET) as inbox:
        assert await inbox.post(body, _signed(body, secret=OTHER)) == 401
        assert await inbox.post(b"{", _signed(b"{")) == 400
        assert await inbox.post(body, _signed(body)) == 204
        assert [alert.is_repeat for alert in inbox.alerts] == [False]


async def test_without_a_secret_everything_is_shown_as_not_verified():
    body = json.dumps(_payload()).encode()
    async with Inbox(None) as inbox:
        assert await inbox.post(body, {"webhook-id": "x"}) == 204
        assert inbox.alerts[0].verified is False


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"type": "alert.created"}', b"\xff"])
async def test_what_cannot_be_read_is_refused(body):
    async with Inbox(None) as inbox:
        assert await inbox.post(body, {"webhook-id": "x"}) == 400
        assert inbox.alerts == []
        assert len(inbox.notes) == 1


async def test_another_type_of_event_is_no_mistake():
    async with Inbox(None) as inbox:
        assert await inbox.post(b'{"type": "endpoint.disabled"}', {"webhook-id": "x"}) == 204
        assert inbox.notes == ["webhook x is of type endpoint.disabled, nothing to show"]


async def test_a_taken_port_is_said():
    async with Inbox(None) as inbox:
        port = int(inbox.receiver.url.rsplit(":")[-1].strip("/"))
        with pytest.raises(PortTaken, match=f"127.0.0.1:{port}, the port is taken"):
            await start_receiver("127.0.0.1", port, lambda: None, inbox.alerts.append)


async def _received(payload, times=1):
    body = json.dumps(payload).encode()
    async with Inbox(SECRET) as inbox:
        for _ in range(times):
            await inbox.post(body, _signed(body))
        return inbox.alerts[-1]


async def test_an_alert_is_one_line():
    alert = await _received(_payload())
    line = alert_line(alert, 80, zone=timezone(timedelta(hours=2)))
    assert line.plain == "14:00:00  Storms  en  Storm hits coast  news.example"
    marked = [
        line.plain[span.start : span.end] for span in line.spans if "yellow" in str(span.style)
    ]
    assert marked == ["Storm"]


async def test_a_repeat_is_marked():
    alert = await _received(_payload(), times=2)
    assert alert_line(alert, 80, zone=UTC).plain.endswith("news.example (repeat)")


@pytest.mark.parametrize("width", [20, 40, 80, 200])
@pytest.mark.parametrize("title", ["x" * 500, "台風が上陸" * 50, "عاصفة تضرب " * 30, "a\nb\x1b[1m"])
async def test_a_line_never_gets_wider_and_never_breaks(title, width):
    line = alert_line(await _received(_payload(title=title)), width, zone=UTC)
    assert cell_len(line.plain) <= width
    assert not {"\n", "\x1b"} & set(line.plain)


async def test_an_alert_is_shown_with_its_proofs_and_whether_it_verified():
    out = Console(file=io.StringIO(), width=80)
    show_alert(await _received(_payload()), out)
    lines = out.file.getvalue().splitlines()
    assert "Storm hits coast" in lines[0]
    assert lines[1:] == ["          as the storm came", "          verified  msg_1"]


def test_the_welcome_says_when_nothing_is_verified():
    assert "NOTHING IS VERIFIED" in welcome("http://x/", verifies=False).plain
    assert "Every signature is verified." in welcome("http://x/", verifies=True).plain
