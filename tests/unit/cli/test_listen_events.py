"""What `wirewatch listen` makes of digests, notices, challenges, and ed25519 signatures."""

import io
import json
from base64 import b64encode
from datetime import UTC, datetime

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.cells import cell_len
from rich.console import Console

from wirewatch.cli.lines import digest_lines
from wirewatch.cli.listen import show_digest
from wirewatch.cli.receive import start_receiver
from wirewatch.cli.verify import Unverified, check_secret, verify

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PRIVATE = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = "whpk_" + b64encode(PRIVATE.public_key().public_bytes_raw()).decode()
OTHER = "whpk_" + b64encode(
    Ed25519PrivateKey.from_private_bytes(b"o" * 32).public_key().public_bytes_raw()
).decode()  # fmt: skip
STORIES = [
    {"title": "Storm \x1b[1mhits", "url": "https://n.example/1", "source": "n.example",
     "language": "en", "articles": 4, "proofs": [
         {"leaf": "storm", "field": "title", "start": 0, "end": 5, "text": "Storm",
          "snippet": "Storm hits", "mark_start": 0, "mark_end": 5}]},
    {"title": "Thin", "url": "https://n.example/2"},
]  # fmt: skip
DIGEST = {
    "type": "alert.digest", "timestamp": "2026-03-01T12:00:00Z",
    "data": {"subscription": {"id": "sub_1", "name": "Storms"}, "why": "schedule", "alerts": 9,
             "stories": STORIES, "more_stories": 3},
}  # fmt: skip
VERIFY = {"type": "endpoint.verify", "data": {"endpoint": {"id": "end_1"}, "challenge": "c" * 40}}


def signed(body: bytes, *, at=NOW, webhook_id="msg_1"):
    stamp = str(int(at.timestamp()))
    signature = PRIVATE.sign(f"{webhook_id}.{stamp}.".encode() + body)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + "A" * 43 + "= v1a," + b64encode(signature).decode(),
    }


class Inbox:
    def __init__(self, secret=None):
        self.secret, self.alerts, self.digests, self.notes = secret, [], [], []

    async def __aenter__(self):
        self.receiver = await start_receiver(
            "127.0.0.1", 0, lambda: self.secret, self.alerts.append,
            on_digest=self.digests.append, on_note=self.notes.append, clock=lambda: NOW,
        )  # fmt: skip
        self.session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_):
        await self.session.close()
        await self.receiver.close()

    async def ask(self, method, body=b"", headers=None):
        async with self.session.request(
            method, self.receiver.url, data=body, headers=headers
        ) as answer:
            return answer.status, await answer.text(), answer.headers


def test_an_ed25519_signature_verifies_with_the_public_key():
    body = b"{}"
    verify(signed(body), body, secret=PUBLIC, now=NOW)
    with pytest.raises(Unverified, match="does not match"):
        verify(signed(body), b"{ }", secret=PUBLIC, now=NOW)
    with pytest.raises(Unverified, match="does not match"):
        verify(signed(body), body, secret=OTHER, now=NOW)


def test_a_signature_of_one_kind_is_none_of_the_other():
    headers = signed(b"{}")
    headers["webhook-signature"] = headers["webhook-signature"].replace("v1a,", "v1,")
    with pytest.raises(Unverified, match="does not match"):
        verify(headers, b"{}", secret=PUBLIC, now=NOW)


def test_the_senders_private_key_is_no_secret_to_verify_with():
    with pytest.raises(Unverified, match="take its public one"):
        check_secret("whsk_" + b64encode(b"k" * 32).decode())


@pytest.mark.parametrize("secret", ["whpk_", "whpk_!!", "whpk_" + b64encode(b"k" * 31).decode()])
def test_a_broken_public_key_verifies_nothing(secret):
    with pytest.raises(Unverified, match="is not `whsec_` or `whpk_` and base64"):
        check_secret(secret)


def test_a_key_is_not_in_its_representation():
    assert "kkkk" not in repr(check_secret("whsec_" + b64encode(b"k" * 32).decode()))


async def test_a_challenge_is_answered_with_itself():
    body = json.dumps(VERIFY).encode()
    async with Inbox(PUBLIC) as inbox:
        status, text, _ = await inbox.ask("POST", body, signed(body))
        assert (status, json.loads(text)) == (200, {"challenge": "c" * 40})
        assert inbox.notes == ["webhook msg_1 asks for verification, answered"]


async def test_a_strangers_challenge_is_not_answered():
    body = json.dumps(VERIFY).encode()
    async with Inbox(OTHER) as inbox:
        status, text, _ = await inbox.ask("POST", body, signed(body))
        assert status == 401
        assert "cccc" not in text


async def test_who_asks_beforehand_may_send():
    asked = {"WebHook-Request-Origin": "wirewatch.example", "WebHook-Request-Rate": "120"}
    async with Inbox() as inbox:
        status, _, headers = await inbox.ask("OPTIONS", headers=asked)
        assert status == 200
        assert headers["WebHook-Allowed-Origin"] == "wirewatch.example"
        assert headers["WebHook-Allowed-Rate"] == "*"
        assert "POST" in headers["Allow"]
        status, _, headers = await inbox.ask("OPTIONS")
        assert status == 400
        assert "WebHook-Allowed-Origin" not in headers


async def _received(times=1):
    body = json.dumps(DIGEST).encode()
    async with Inbox(PUBLIC) as inbox:
        for _ in range(times):
            assert (await inbox.ask("POST", body, signed(body)))[0] == 204
        assert inbox.alerts == inbox.notes == []
        return inbox.digests[-1]


async def test_a_digest_is_shown_by_story():
    out = Console(file=io.StringIO(), width=80)
    show_digest(await _received(times=2), out)
    lines = out.file.getvalue().splitlines()
    assert lines[0].endswith("Storms  9 alerts in 5 stories  schedule (repeat)")
    assert lines[1:] == [
        "          Storm  [1mhits  4 articles  n.example",
        "          Thin",
        "          and 3 more",
        "          verified  msg_1",
    ]


@pytest.mark.parametrize("width", [10, 30, 200])
async def test_the_lines_of_a_digest_never_get_wider(width):
    for line in digest_lines(await _received(), width, zone=UTC):
        assert cell_len(line.plain) <= width


async def test_a_notice_is_one_line():
    notice = {
        "type": "endpoint.disabled",
        "data": {
            "endpoint": {"id": "end_1", "name": "desk", "url": "https://x/"},
            "reason": "gone", "detail": "the receiver answered 410",
        },
    }  # fmt: skip
    async with Inbox() as inbox:
        body = json.dumps(notice).encode()
        assert (await inbox.ask("POST", body, {"webhook-id": "x"}))[0] == 204
        assert inbox.notes == [
            "webhook x is of type endpoint.disabled, desk: gone: the receiver answered 410"
        ]


@pytest.mark.parametrize("data", [None, [], "x", {"endpoint": 1, "reason": [], "detail": None}])
async def test_a_notice_of_any_shape_is_taken(data):
    async with Inbox() as inbox:
        body = json.dumps({"type": "later", "data": data}).encode()
        assert (await inbox.ask("POST", body, {"webhook-id": "x"}))[0] == 204
        assert inbox.notes == ["webhook x is of type later, nothing to show"]


async def test_a_thin_alert_is_an_alert():
    thin = {
        "type": "alert.created", "timestamp": "2026-03-01T12:00:00Z",
        "data": {"alert_id": "a", "subscription": {"id": "s", "name": "Storms"},
                 "article": {"id": "art", "title": "Storm", "url": "https://n.example/"}},
    }  # fmt: skip
    async with Inbox() as inbox:
        body = json.dumps(thin).encode()
        assert (await inbox.ask("POST", body, {"webhook-id": "x"}))[0] == 204
        assert inbox.alerts[0].payload.data.article.title == "Storm"
