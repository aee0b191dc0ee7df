"""A hub and our callback, end to end on 127.0.0.1."""

import asyncio
import gzip
import hmac
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest

from fakes.hub import FakeHub, Subscriber
from wirewatch.ingest import callback, websub
from wirewatch.ingest.callback import CallbackServer, start_callback
from wirewatch.ingest.hub import HubProblem, ask, open_hub_session
from wirewatch.runtime.errors import PortTaken
from wirewatch.runtime.settings import Settings
from wirewatch.topics.ids import feed_id
from wirewatch.topics.pushes import MAX_PUSH_BYTES, Push, PushKind

SECRET = "sixteen letters, and a few more"
FEED, OTHER_FEED = feed_id("https://news.example/feed"), feed_id("https://news.example/other")
TOPIC, OTHER_TOPIC = "https://news.example/feed?a=1&b=ü+%20", "https://news.example/other"
ATOM = b'<feed xmlns="http://www.w3.org/2005/Atom"/>'
MAX_BYTES = 2_000_000
LIMIT = timedelta(seconds=5)


class Log:
    """Keeps what is published, where Kafka would."""

    def __init__(self) -> None:
        self.pushes: list[Push] = []
        self.counts: Counter[str] = Counter()
        self.up = asyncio.Event()
        self.up.set()
        self.broken: Exception | None = None

    async def publish(self, push: Push) -> None:
        await self.up.wait()
        if self.broken is not None:
            raise self.broken
        self.pushes.append(push)

    def count(self, outcome: str) -> None:
        self.counts[outcome] += 1


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
async def server(log: Log) -> AsyncIterator[CallbackServer]:
    server = await start_callback(
        "127.0.0.1", 0, log.publish, secret=SECRET, count=log.count, max_bytes=MAX_BYTES
    )
    yield server
    await server.cleanup()


@pytest.fixture
async def hub(server: CallbackServer) -> AsyncIterator[FakeHub]:
    hub = FakeHub()
    await hub.start()
    yield hub
    await hub.stop()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_hub_session(Settings(allow_networks=("127.0.0.0/8",))) as session:
        yield session


@pytest.fixture
async def base(server: CallbackServer) -> str:
    return f"http://127.0.0.1:{server.port}"


async def subscribe(
    session: aiohttp.ClientSession,
    hub: FakeHub,
    base: str,
    feed: str = FEED,
    topic: str = TOPIC,
) -> Subscriber:
    """Ask the hub and wait until it has verified."""
    form = websub.subscription_request(base, SECRET, feed, hub.url, topic)
    await ask(session, hub.url, form, LIMIT)
    await hub.settled()
    return hub.subscribers[topic, form["hub.callback"]]


def mark(hub: FakeHub, feed: str = FEED, topic: str = TOPIC) -> str:
    return websub.mark_of(websub.token_of(SECRET, feed, hub.url, topic))


# A subscription, from the request to the content


async def test_a_subscription_is_verified_and_content_arrives(
    hub: FakeHub, session: aiohttp.ClientSession, base: str, log: Log
) -> None:
    subscriber = await subscribe(session, hub, base)
    (reply,) = await hub.distribute(TOPIC, ATOM, "application/atom+xml; charset=utf-8")

    assert subscriber.lease_s == 604_800
    assert reply.status == 202
    assert hub.verifications[0].headers["Content-Type"].startswith("text/plain")
    assert hub.verifications[0].headers["X-Content-Type-Options"] == "nosniff"
    assert log.pushes == [
        Push(feed_id=FEED, kind=PushKind.VERIFIED, lease_s=604_800, detail=mark(hub)),
        Push(
            feed_id=FEED,
            kind=PushKind.CONTENT,
            content_type="application/atom+xml; charset=utf-8",
            body=ATOM,
            detail=mark(hub),
        ),
    ]
    assert log.counts == {"verified": 1, "content": 1}


async def test_a_subscription_is_renewed_under_the_same_callback(
    hub: FakeHub, session: aiohttp.ClientSession, base: str, log: Log
) -> None:
    await subscribe(session, hub, base)
    hub.grants_s = 7200
    await subscribe(session, hub, base)

    assert [push.lease_s for push in log.pushes] == [604_800, 7200]
    assert len(hub.subscribers) == 1


async def test_two_subscriptions_at_once_keep_apart(
    hub: FakeHub, session: aiohttp.ClientSession, base: str, log: Log
) -> None:
    one, two = await asyncio.gather(
        subscribe(session, hub, base),
        subscribe(session, hub, base, OTHER_FEED, OTHER_TOPIC),
    )
    await hub.distribute(TOPIC, b"one")
    await hub.distribute(OTHER_TOPIC, b"two")
    crossed = Subscriber(OTHER_TOPIC, two.callback, one.secret, 3600)
    assert (await hub.send(crossed, b"signed by the wrong one")).status == 202

    contents = [(p.feed_id, p.body) for p in log.pushes if p.kind is PushKind.CONTENT]
    assert contents == [(FEED, b"one"), (OTHER_FEED, b"two")]
    assert log.counts["refused"] == 1


@pytest.mark.parametrize(
    ("said", "granted_s"),
    [(10 * 365 * 86_400, 14 * 86_400), (1, 1), ("forever", 86_400), (None, 86_400)],
)
async def test_the_lease_is_what_the_hub_says_within_bounds(
    hub: FakeHub, base: str, log: Log, said: object, granted_s: int
) -> None:
    url = websub.callback_url(base, SECRET, FEED, hub.url, TOPIC)

    assert await hub.verify(url, TOPIC, lease_s=said)
    assert log.pushes[0].lease_s == granted_s


async def test_a_denial_is_noted_with_its_reason(
    hub: FakeHub, session: aiohttp.ClientSession, base: str, log: Log
) -> None:
    hub.denies = {TOPIC}
    form = websub.subscription_request(base, SECRET, FEED, hub.url, TOPIC)
    await ask(session, hub.url, form, LIMIT)
    await hub.settled()

    assert hub.verifications[0].status == 200
    assert log.pushes == [
        Push(feed_id=FEED, kind=PushKind.ENDED, detail=f"{mark(hub)} not for you")
    ]
    assert log.counts == {"ended": 1}


# Who has no right


async def test_no_subscription_is_confirmed_that_was_not_asked_for(
    hub: FakeHub, base: str, log: Log
) -> None:
    right = websub.callback_url(base, SECRET, FEED, hub.url, TOPIC)
    wrong = [
        (right[:-1] + ("a" if right[-1] != "a" else "b"), TOPIC),  # wrong token
        (right.replace(FEED, OTHER_FEED), TOPIC),  # another feed's
        (websub.callback_url(base, "guessed", FEED, hub.url, TOPIC), TOPIC),
        (right, OTHER_TOPIC),  # wrong topic
        (right, ""),
        (right + "/more", TOPIC),
        (f"{base}/websub/{FEED}/", TOPIC),
        (f"{base}/", TOPIC),
    ]
    for url, topic in wrong:
        assert not await hub.verify(url, topic)
    assert not await hub.verify(right, TOPIC, mode="unsubscribe")  # we ask for none
    assert not await hub.verify(right, TOPIC, mode="publish")

    assert {reply.status for reply in hub.verifications} == {404}
    assert all(reply.text.count("\n") == 1 for reply in hub.verifications)
    assert log.pushes == []


@pytest.mark.parametrize("challenge", ["", "x" * 1025])
async def test_a_challenge_has_a_sound_length(
    hub: FakeHub, base: str, log: Log, challenge: str
) -> None:
    url = websub.callback_url(base, SECRET, FEED, hub.url, TOPIC)
    fields = {"hub.mode": "subscribe", "hub.topic": TOPIC, "hub.challenge": challenge}

    assert (await hub.get(url, fields)).status == 404
    assert log.pushes == []


async def test_a_challenge_comes_back_exactly(hub: FakeHub, base: str) -> None:
    url = websub.callback_url(base, SECRET, FEED, hub.url, TOPIC)
    challenge = "<script>+ ü%20&\r\n"
    fields = {"hub.mode": "subscribe", "hub.topic": TOPIC, "hub.challenge": challenge}
    reply = await hub.get(url, fields)

    assert (reply.status, reply.text) == (200, challenge)


async def test_content_with_a_wrong_token_is_not_found(
    hub: FakeHub, session: aiohttp.ClientSession, base: str, log: Log
) -> None:
    real = await subscribe(session, hub, base)
    forged = Subscriber(TOPIC, real.callback[:-4] + "aaaa", real.secret, 3600)

    assert (await hub.send(forged, ATOM)).status == 404
    assert log.counts == {"verified": 1, "refused": 1}


async def test_content_that_is_wrongly_signed_is_accepted_and_ignored(
    hub: FakeHub, session: aiohttp.ClientSession, base: str, log: Log
) -> None:
    subscriber = await subscribe(session, hub, base)
    hub.signs_wrongly = True
    (wrong,) = await hub.distribute(TOPIC, ATOM)
    unsigned = await hub.send(Subscriber(TOPIC, subscriber.callback, "", 1), ATOM)
    odd = await hub.send(subscriber, ATOM, headers={"X-Hub-Signature": "md5=00"})

    assert {wrong.status, unsigned.status, odd.status} == {202}
    assert [push.kind for push in log.pushes] == [PushKind.VERIFIED]
    assert log.counts["refused"] == 3


# Content of every sort


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
async def test_the_hub_chooses_how_to_sign(
    hub: FakeHub, session: aiohttp.ClientSession, base: str, log: Log, algorithm: str
) -> None:
    await subscribe(session, hub, base)
    hub.algorithm = algorithm
    await hub.distribute(TOPIC, ATOM)

    assert log.pushes[1].body == ATOM


async def test_of_two_signatures_one_is_enough(
    hub: FakeHub, session: aiohttp.ClientSession, base: str, log: Log
) -> None:
    subscriber = await subscribe(session, hub, base)
    right = hmac.new(subscriber.secret.encode(), ATOM, "sha256").hexdigest()
    headers = {"X-Hub-Signature": "md5=00", "X-Hub-Signature-256": f"sha256={right}"}
    await hub.send(subscriber, ATOM, headers=headers)

    assert log.pushes[1].body == ATOM


async def test_what_is_sent_twice_arrives_twice(
    hub: FakeHub, session: aiohttp.ClientSession, base: str, log: Log
) -> None:
    # Nothing is kept here; whoever has the feed knows its entries, so a repeat publishes nothing.
    await subscribe(session, hub, base)
    replies = await hub.distribute(TOPIC, ATOM, times=2)

    assert [reply.status for reply in replies] == [202, 202]
    assert log.pushes[1] == log.pushes[2]


@pytest.mark.parametrize(
    ("size", "outcome"),
    [
        (MAX_PUSH_BYTES, "content"),
        (MAX_PUSH_BYTES + 1, "notice"),
        (MAX_BYTES, "notice"),
        (0, "notice"),
    ],
)
async def test_a_large_body_becomes_a_notice(
    hub: FakeHub, session: aiohttp.ClientSession, base: str, log: Log, *, size: int, outcome: str
) -> None:
    await subscribe(session, hub, base)
    (reply,) = await hub.distribute(TOPIC, b"x" * size)

    assert reply.status == 202
    assert log.counts == {"verified": 1, outcome: 1}
    assert len(log.pushes[1].body) == (size if outcome == "content" else 0)


async def test_a_large_body_is_a_notice_only_if_it_is_signed(
    hub: FakeHub, session: aiohttp.ClientSession, base: str, log: Log
) -> None:
    await subscribe(session, hub, base)
    hub.signs_wrongly = True
    await hub.distribute(TOPIC, b"x" * MAX_BYTES)

    assert log.counts == {"verified": 1, "refused": 1}


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_giant_body_is_not_read_to_its_end(
    hub: FakeHub, session: aiohttp.ClientSession, base: str, log: Log, chunked: bool
) -> None:
    subscriber = await subscribe(session, hub, base)
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65_536
            yield b"x" * 65_536

    headers = {} if chunked else {"Content-Length": str(10**12)}
    try:
        async with session.post(subscriber.callback, data=endless(), headers=headers) as answer:
            assert answer.status == 413
    except aiohttp.ClientError:
        pass  # we close while it still sends; the answer may be lost on its side
    await session.close()

    assert sent < 20 * MAX_BYTES
    assert log.counts == {"verified": 1, "refused": 1}


async def test_a_packed_body_is_not_unpacked_but_taken_as_a_notice(
    hub: FakeHub, session: aiohttp.ClientSession, base: str, log: Log
) -> None:
    subscriber = await subscribe(session, hub, base)
    packed = gzip.compress(ATOM)
    reply = await hub.send(subscriber, packed, headers={"Content-Encoding": "gzip"})

    assert reply.status == 202
    assert (log.pushes[1].kind, log.pushes[1].body) == (PushKind.CONTENT, b"")


async def test_a_hub_without_a_secret_can_only_give_notice(
    hub: FakeHub, session: aiohttp.ClientSession, base: str, log: Log
) -> None:
    hub.url = hub.url.replace("127.0.0.1", "localhost")  # a name: might be far away
    subscriber = await subscribe(session, hub, base)
    (reply,) = await hub.distribute(TOPIC, ATOM)

    assert subscriber.secret == ""
    assert reply.status == 202
    assert (log.pushes[1].kind, log.pushes[1].body) == (PushKind.CONTENT, b"")
    assert log.counts == {"verified": 1, "notice": 1}


# When things go wrong on our side


async def test_nothing_is_confirmed_before_it_is_safe(
    hub: FakeHub,
    session: aiohttp.ClientSession,
    base: str,
    log: Log,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    subscriber = await subscribe(session, hub, base)
    monkeypatch.setattr(callback, "PUBLISH_LIMIT_S", 0.05)
    log.up.clear()
    pushed = await hub.send(subscriber, ATOM)
    assert not await hub.verify(subscriber.callback, TOPIC)
    denied = await hub.deny(subscriber.callback, TOPIC, "")
    verified = hub.verifications[-1]

    assert {pushed.status, verified.status, denied.status} == {503}
    assert pushed.headers["Retry-After"] == verified.headers["Retry-After"] == "60"
    assert log.counts == {"verified": 1}
    log.up.set()
    assert (await hub.send(subscriber, ATOM)).status == 202


async def test_no_error_shows_its_inside(
    hub: FakeHub, session: aiohttp.ClientSession, base: str, log: Log
) -> None:
    subscriber = await subscribe(session, hub, base)
    log.broken = RuntimeError("the producer is not started")
    reply = await hub.send(subscriber, ATOM)

    assert (reply.status, reply.text) == (503, "This cannot be kept now, come again later.\n")


async def test_a_mistake_of_ours_is_one_sentence(
    hub: FakeHub,
    session: aiohttp.ClientSession,
    base: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    subscriber = await subscribe(session, hub, base)
    monkeypatch.delattr(websub, "content_secret")
    reply = await hub.send(subscriber, ATOM)

    assert (reply.status, reply.text) == (500, "Something went wrong here.\n")


async def test_too_many_requests_at_once_are_sent_away(
    hub: FakeHub,
    session: aiohttp.ClientSession,
    base: str,
    log: Log,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    subscriber = await subscribe(session, hub, base)
    monkeypatch.setattr(callback, "MAX_AT_ONCE", 2)
    log.up.clear()
    waiting = [asyncio.create_task(hub.send(subscriber, ATOM)) for _ in range(3)]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    log.up.set()
    replies = await asyncio.gather(*waiting)

    assert sorted(reply.status for reply in replies) == [202, 202, 503]


async def test_a_body_that_never_ends_is_given_up(
    hub: FakeHub,
    session: aiohttp.ClientSession,
    base: str,
    log: Log,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    subscriber = await subscribe(session, hub, base)
    monkeypatch.setattr(callback, "BODY_LIMIT_S", 0.05)
    path = subscriber.callback.removeprefix(base)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(base.rpartition(":")[2]))
    writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc".encode())
    head = await reader.readline()
    writer.close()
    await writer.wait_closed()

    assert b" 408 " in head
    assert len(log.pushes) == 1


async def test_a_body_that_breaks_off_is_never_passed_on(
    hub: FakeHub, session: aiohttp.ClientSession, base: str, log: Log
) -> None:
    subscriber = await subscribe(session, hub, base)
    path = subscriber.callback.removeprefix(base)
    _, writer = await asyncio.open_connection("127.0.0.1", int(base.rpartition(":")[2]))
    writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc".encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.05)

    assert len(log.pushes) == 1


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("HEAD", {}, 405),
        ("PUT", {}, 405),
        ("GET", {"X-Long": "x" * 10_000}, 400),
        ("GET", {f"X-{n}": "x" for n in range(70)}, 400),
    ],
)
async def test_odd_requests_are_turned_away(
    hub: FakeHub, base: str, log: Log, *, method: str, headers: dict[str, str], status: int
) -> None:
    url = websub.callback_url(base, SECRET, FEED, hub.url, TOPIC)
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, headers=headers) as answer,
    ):
        text = await answer.text()

    assert answer.status == status
    assert "Traceback" not in text
    assert log.pushes == []


@pytest.mark.parametrize(
    "raw", [b"GET / HTTP/9.9", b"POST / HTTP/1.1\r\nContent-Length: -1", b"GET /" + b"x" * 9000]
)
async def test_what_is_no_http_fills_no_log(
    server: CallbackServer, caplog: pytest.LogCaptureFixture, raw: bytes
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(raw + b"\r\n\r\n")
    head = await reader.readline()
    writer.close()
    await writer.wait_closed()

    assert b" 400 " in head
    assert caplog.records == []


async def test_a_port_that_is_taken_is_said_in_words(server: CallbackServer, log: Log) -> None:
    with pytest.raises(PortTaken, match="WIREWATCH_INGEST_CALLBACK_PORT"):
        await start_callback(
            "127.0.0.1", server.port, log.publish, secret=SECRET, count=log.count, max_bytes=1
        )


# Asking a hub


async def problem(session: aiohttp.ClientSession, url: str, **form: str) -> HubProblem:
    with pytest.raises(HubProblem) as caught:
        await ask(session, url, form, LIMIT)
    return caught.value


async def test_what_a_hub_says_against_it_is_told(
    hub: FakeHub, session: aiohttp.ClientSession
) -> None:
    hub.answer, hub.words = 422, "Please provide\n a valid hub.topic\x1b[31m" + "!" * 5000
    found = await problem(session, hub.url)

    assert found.status == 422
    assert str(found).startswith("422 Please provide a valid hub.topic [31m!!!")
    assert len(str(found)) < 310


async def test_a_hub_that_is_broken_is_a_problem(
    hub: FakeHub, session: aiohttp.ClientSession
) -> None:
    hub.answer = 500
    assert str(await problem(session, hub.url)) == "500 Internal Server Error"


@pytest.mark.parametrize("status", [200, 204])
async def test_every_2xx_is_a_yes(
    hub: FakeHub, session: aiohttp.ClientSession, status: int
) -> None:
    hub.answer = status
    await ask(session, hub.url, {"hub.mode": "subscribe"}, LIMIT)

    assert hub.requests == [{"hub.mode": "subscribe"}]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_asked_again_with_everything(
    hub: FakeHub, session: aiohttp.ClientSession, base: str, status: int
) -> None:
    front = FakeHub()
    await front.start()
    front.answer, front.location = status, hub.url
    form = websub.subscription_request(base, SECRET, FEED, front.url, TOPIC)
    await ask(session, front.url, form, LIMIT)
    await front.stop()
    await hub.settled()

    assert front.requests == hub.requests == [form]
    assert len(hub.subscribers) == 1


async def test_redirects_end(hub: FakeHub, session: aiohttp.ClientSession) -> None:
    hub.answer, hub.location = 307, "/again"

    assert str(await problem(session, hub.url)) == "more than 3 redirects"
    assert len(hub.requests) == 4


async def test_a_secret_is_not_led_astray(hub: FakeHub, session: aiohttp.ClientSession) -> None:
    hub.answer, hub.location = 307, hub.url.replace("127.0.0.1", "localhost")
    found = await problem(session, hub.url, **{"hub.secret": "s"})

    assert "no secret is sent" in str(found)
    assert len(hub.requests) == 1


@pytest.mark.parametrize(
    "url", ["http://[", "nothing", "ftp://hub.example/", "http://127.0.0.1:1/"]
)
async def test_an_address_that_leads_nowhere_is_a_problem(
    session: aiohttp.ClientSession, url: str
) -> None:
    assert str(await problem(session, url))


async def test_a_hub_in_our_own_network_is_not_asked() -> None:
    async with open_hub_session(Settings()) as session:
        assert "not a public address" in str(await problem(session, "http://127.0.0.1:9/"))


async def test_a_hub_that_does_not_answer_is_given_up(session: aiohttp.ClientSession) -> None:
    held: list[asyncio.StreamWriter] = []

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    with pytest.raises(HubProblem, match=r"no answer within 0\.05 s"):
        await ask(session, url, {}, timedelta(seconds=0.05))
    for writer in held:
        writer.close()
    server.close()
    await server.wait_closed()
