"""WebSub by value: addresses, signatures, and what follows for a lease."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.ingest.websub import (
    LEAST_GAP,
    Ask,
    Forget,
    after_asked,
    after_ended,
    after_poll,
    after_push,
    after_verified,
    callback_url,
    concerns,
    content_secret,
    granted_lease_s,
    hubs_to_ask,
    is_about,
    is_genuine,
    is_private_way,
    is_signed,
    mark_of,
    next_step,
    poll_interval,
    subscription_request,
    token_of,
    verify_signature,
)
from wirewatch.topics.feed_states import PushLease, PushState
from wirewatch.topics.ids import feed_id
from wirewatch.topics.pushes import Push, PushKind

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MINUTE, HOUR, DAY, WEEK = (timedelta(seconds=s) for s in (60, 3600, 86_400, 604_800))
SECRET = "sixteen letters, and a few more"
FEED = feed_id("https://news.example/feed")
HUB, OTHER_HUB = "https://hub.example/", "https://second.example/hub"
TOPIC = "https://news.example/feed?a=1&b=2"
TOKEN = token_of(SECRET, FEED, HUB, TOPIC)
HTTP_HUB = "http://hub.example/"


def lease_of(
    state: PushState = PushState.ACTIVE,
    *,
    asked_at: datetime = NOW,
    lasts: timedelta = 6 * DAY,
    pushed_at: datetime | None = None,
    missed: int = 0,
    hub: str = HUB,
) -> PushLease:
    return PushLease(
        hub=hub,
        topic=TOPIC,
        state=state,
        asked_at=asked_at,
        lease_until=asked_at + lasts,
        pushed_at=pushed_at,
        missed=missed,
    )


def step(
    lease: PushLease, now: datetime = NOW, hubs: tuple[str, ...] | None = (HUB,)
) -> Ask | Forget | None:
    return next_step(lease, hubs, TOPIC, "https://news.example/feed", now)


# Callback addresses


def test_a_callback_is_short_and_has_no_query_string() -> None:
    url = callback_url("https://push.example.org/", SECRET, FEED, HUB, TOPIC + "x" * 1900)

    assert url.startswith(f"https://push.example.org/websub/{FEED}/s")
    assert "?" not in url
    assert len(url) < 130  # Superfeedr takes 250


def test_a_token_opens_only_the_feed_it_was_made_for() -> None:
    assert is_genuine(SECRET, FEED, TOKEN)
    assert not is_genuine(SECRET, feed_id("https://news.example/other"), TOKEN)
    assert not is_genuine("another secret, long enough", FEED, TOKEN)


@pytest.mark.parametrize("at", range(len(TOKEN)))
def test_no_letter_of_a_token_can_be_changed(at: int) -> None:
    other = "n" if at == 0 else "a" if TOKEN[at] != "a" else "b"

    assert not is_genuine(SECRET, FEED, TOKEN[:at] + other + TOKEN[at + 1 :])


@given(st.text(max_size=80))
def test_no_made_up_token_is_genuine(token: str) -> None:
    assert not is_genuine(SECRET, FEED, token)


@pytest.mark.parametrize("token", [TOKEN.upper(), TOKEN + "\n", TOKEN + "a", TOKEN[:-1], ""])
def test_a_token_has_one_form(token: str) -> None:
    assert not is_genuine(SECRET, FEED, token)


def test_a_token_knows_its_topic() -> None:
    assert is_about(SECRET, FEED, TOKEN, TOPIC)
    assert not is_about(SECRET, FEED, TOKEN, TOPIC + "/")
    assert not is_about(SECRET, FEED, TOKEN, "")


def test_every_subscription_has_its_own_callback_and_secret() -> None:
    tokens = {token_of(SECRET, FEED, h, t) for h in (HUB, OTHER_HUB) for t in (TOPIC, TOPIC + "/")}
    secrets = {content_secret(SECRET, FEED, token) for token in tokens}

    assert len(tokens) == len(secrets) == 4
    assert all(len(secret) == 64 for secret in secrets)


@pytest.mark.parametrize(
    ("hub", "private"),
    [
        (HUB, True),
        ("HTTPS://hub.example/", True),
        (HTTP_HUB, False),
        ("http://localhost:80/", False),
        ("http://127.0.0.1:8080/", True),
        ("http://[::1]/", True),
        ("http://192.168.1.1/", False),
    ],
)
def test_a_secret_goes_only_where_nobody_listens(hub: str, private: bool) -> None:
    form = subscription_request("https://push.example", SECRET, FEED, hub, TOPIC)

    assert is_private_way(hub) is private
    assert ("hub.secret" in form) is private
    assert is_signed(token_of(SECRET, FEED, hub, TOPIC)) is private


def test_a_subscription_request_is_as_the_recommendation_has_it() -> None:
    assert subscription_request("https://push.example", SECRET, FEED, HUB, TOPIC) == {
        "hub.mode": "subscribe",
        "hub.topic": TOPIC,
        "hub.callback": f"https://push.example/websub/{FEED}/{TOKEN}",
        "hub.lease_seconds": "604800",
        "hub.verify": "async",
        "hub.secret": content_secret(SECRET, FEED, TOKEN),
    }


def test_a_push_concerns_only_its_own_subscription() -> None:
    def push(hub: str, topic: str = TOPIC, feed: str = FEED) -> Push:
        mark = mark_of(token_of(SECRET, feed, hub, topic))
        return Push(feed_id=feed, kind=PushKind.ENDED, detail=f"{mark} no such feed")

    assert concerns(push(HUB), lease_of(), SECRET)
    assert not concerns(push(OTHER_HUB), lease_of(), SECRET)
    assert not concerns(push(HUB, TOPIC + "/"), lease_of(), SECRET)
    assert not concerns(push(HUB), PushLease(), SECRET)
    assert not concerns(Push(feed_id=FEED, kind=PushKind.CONTENT), lease_of(), SECRET)


# Leases and signatures


@pytest.mark.parametrize(
    ("said", "granted_s"),
    [
        ("864000", 864_000),
        ("1", 1),
        ("315360000", 14 * 86_400),
        ("9" * 15, 14 * 86_400),
        ("9" * 400, 86_400),
        (None, 86_400),
        ("", 86_400),
        ("0", 86_400),
        ("-5", 86_400),
        ("1e9", 86_400),
        ("٣٦٠٠", 86_400),
        ("3600\n", 86_400),
    ],
)
def test_what_a_hub_grants_is_bounded(said: str | None, granted_s: int) -> None:
    assert granted_lease_s(said) == granted_s


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_every_method_of_the_recommendation_is_verified(method: str) -> None:
    digest = hmac.new(b"key", b"<feed/>", method).hexdigest()

    assert verify_signature(f"{method}={digest}", b"<feed/>", "key")
    assert verify_signature(f" {method.upper()}={digest.upper()} ", b"<feed/>", "key")
    assert not verify_signature(f"{method}={digest}", b"<feed/> ", "key")
    assert not verify_signature(f"{method}={digest}", b"<feed/>", "kez")
    assert not verify_signature(f"{method}={digest[:-1]}", b"<feed/>", "key")


def test_a_known_signature() -> None:
    # RFC 4231, test case 2
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"

    assert verify_signature(f"sha256={expected}", b"what do ya want for nothing?", "Jefe")


@pytest.mark.parametrize(
    "signature",
    ["", "=", "sha256", "sha256=", "md5=" + hmac.new(b"key", b"x", "md5").hexdigest(), "sha256=ü"],
)
def test_what_is_no_signature_never_holds(signature: str) -> None:
    assert not verify_signature(signature, b"x", "key")


def test_a_plain_digest_is_no_signature() -> None:
    assert not verify_signature(f"sha256={hashlib.sha256(b'x').hexdigest()}", b"x", "")


# The first request, and the choice of the hub


def test_a_feed_without_a_hub_is_left_alone() -> None:
    assert step(PushLease(), hubs=()) is None
    assert step(PushLease(), hubs=None) is None


def test_a_feed_with_a_hub_is_subscribed_to_under_its_own_name() -> None:
    assert step(PushLease()) == Ask(HUB, TOPIC)


@pytest.mark.parametrize("self_url", ["", "/feed", "mailto:a@b.c", "http://", "http://[", "x" * 9])
def test_a_feed_without_a_sound_name_goes_by_its_address(self_url: str) -> None:
    found = next_step(PushLease(), (HUB,), self_url, "https://news.example/feed", NOW)

    assert found == Ask(HUB, "https://news.example/feed")


def test_https_is_tried_first_also_where_only_http_is_named() -> None:
    with_port = "http://127.0.0.1:8080/"

    assert hubs_to_ask([HTTP_HUB, OTHER_HUB, with_port]) == (
        OTHER_HUB,
        "https://hub.example/",
        HTTP_HUB,
        with_port,
    )


@pytest.mark.parametrize(
    "hub", ["", "hub", "ftp://hub.example/", "http:///", "https://a b/", "https://a/" + "x" * 2048]
)
def test_what_is_no_hub_is_not_asked(hub: str) -> None:
    assert hubs_to_ask([hub]) == ()


def test_of_many_hubs_a_few_are_asked() -> None:
    assert len(hubs_to_ask([f"https://hub{n}.example/" for n in range(50)])) == 4


def test_an_unanswered_request_goes_on_with_the_next_hub_after_ever_longer_waits() -> None:
    lease, now = PushLease(), NOW
    asked: list[tuple[str, timedelta]] = []
    for _ in range(9):
        found = step(lease, now, (HTTP_HUB,))
        assert isinstance(found, Ask)
        lease = after_asked(lease, found, now)
        assert lease.state is PushState.ASKED
        assert lease.lease_until is not None
        assert step(lease, lease.lease_until - MINUTE, (HTTP_HUB,)) is None
        asked.append((found.hub, (lease.lease_until - now)))
        now = lease.lease_until

    assert [wait / HOUR for _, wait in asked] == [1, 2, 4, 8, 16, 32, 64, 128, 168]
    assert [hub for hub, _ in asked[:3]] == [HUB, HTTP_HUB, HUB]


def test_an_unchanged_feed_goes_on_with_the_hub_it_had() -> None:
    lease = lease_of(PushState.ASKED, lasts=HOUR)

    assert step(lease, NOW + HOUR, hubs=None) == Ask(HUB, TOPIC)


def test_a_refusal_is_respected_for_a_week() -> None:
    lease = after_ended(lease_of(pushed_at=NOW, missed=2), NOW)

    assert lease.state is PushState.REFUSED
    assert (lease.pushed_at, lease.missed) == (None, 0)
    assert step(lease, NOW + 6.9 * DAY) is None
    assert step(lease, NOW + 7 * DAY, (HUB, OTHER_HUB)) == Ask(OTHER_HUB, TOPIC)


def test_a_feed_that_changes_its_hub_or_its_name_is_subscribed_to_anew() -> None:
    lease = lease_of(pushed_at=NOW)

    assert step(lease, NOW + 2 * HOUR, (OTHER_HUB,)) == Ask(OTHER_HUB, TOPIC)
    assert next_step(lease, (HUB,), TOPIC + "/", "", NOW + 2 * HOUR) == Ask(HUB, TOPIC + "/")
    anew = after_asked(lease, Ask(OTHER_HUB, TOPIC), NOW)
    assert anew.pushed_at is None
    assert anew.state is PushState.ASKED


def test_a_second_hub_beside_the_first_changes_nothing() -> None:
    assert step(lease_of(), NOW + 2 * HOUR, (OTHER_HUB, HUB)) is None


def test_a_feed_that_swings_between_hubs_is_followed_at_most_once_an_hour() -> None:
    lease = after_asked(PushLease(), Ask(HUB, TOPIC), NOW)

    assert step(lease, NOW + 59 * MINUTE, (OTHER_HUB,)) is None
    assert step(lease, NOW + LEAST_GAP, (OTHER_HUB,)) == Ask(OTHER_HUB, TOPIC)


def test_a_feed_that_names_no_hub_any_more_is_forgotten() -> None:
    assert step(lease_of(), hubs=()) == Forget()


# Leases


def test_a_lease_is_renewed_after_two_thirds_and_again_until_the_hub_answers() -> None:
    lease = lease_of(lasts=6 * DAY)

    assert step(lease, NOW + 3.9 * DAY) is None
    assert step(lease, NOW + 4 * DAY) == Ask(HUB, TOPIC)
    asked = after_asked(lease, Ask(HUB, TOPIC), NOW + 4 * DAY)
    assert (asked.state, asked.lease_until) == (PushState.ACTIVE, NOW + 6 * DAY)
    assert step(asked, NOW + 5.3 * DAY) is None
    assert step(asked, NOW + 5.4 * DAY) == Ask(HUB, TOPIC)
    renewed = after_verified(asked, 6 * 86_400, NOW + 4 * DAY)
    assert renewed.lease_until == NOW + 10 * DAY
    assert step(renewed, NOW + 7.9 * DAY) is None


def test_a_lease_that_has_run_out_is_asked_for_again() -> None:
    lease = lease_of(lasts=6 * DAY)
    found = step(lease, NOW + 8 * DAY)

    assert found == Ask(HUB, TOPIC)
    asked = after_asked(lease, found, NOW + 8 * DAY)
    assert (asked.state, asked.lease_until) == (PushState.ASKED, NOW + 8 * DAY + HOUR)


def test_a_lease_of_ten_years_counts_for_two_weeks() -> None:
    assert after_verified(lease_of(), 10 * 365 * 86_400, NOW).lease_until == NOW + 14 * DAY


def test_a_lease_of_a_second_is_as_good_as_a_refusal() -> None:
    lease = after_verified(lease_of(PushState.ASKED), 1, NOW)

    assert lease.state is PushState.REFUSED
    assert step(lease, NOW + DAY) is None


# Whether to rely on it

NORMAL, LONGEST = 5 * MINUTE, DAY


def interval(lease: PushLease, now: datetime = NOW + MINUTE) -> timedelta:
    return poll_interval(lease, NORMAL, LONGEST, now)


def test_only_a_hub_that_has_pushed_is_relied_on() -> None:
    granted = after_verified(lease_of(PushState.ASKED), 604_800, NOW)

    assert interval(PushLease()) == NORMAL
    assert interval(lease_of(PushState.ASKED, pushed_at=NOW)) == NORMAL
    assert interval(granted) == NORMAL
    assert interval(after_push(granted, NOW)) == LONGEST
    assert interval(after_ended(after_push(granted, NOW), NOW)) == NORMAL


def test_a_lease_that_has_run_out_is_not_relied_on() -> None:
    assert interval(lease_of(pushed_at=NOW), NOW + 6 * DAY) == NORMAL


def test_the_back_up_poll_comes_in_time_to_renew() -> None:
    lease = lease_of(lasts=12 * HOUR, pushed_at=NOW)

    assert interval(lease, NOW) == 8 * HOUR
    assert interval(lease, NOW + 7 * HOUR) == HOUR
    assert interval(lease, NOW + 8 * HOUR) == NORMAL


def test_a_back_up_is_never_faster_than_normal() -> None:
    assert poll_interval(lease_of(pushed_at=NOW), WEEK, DAY, NOW) == WEEK


def test_three_polls_that_find_what_was_not_pushed_end_a_lease() -> None:
    now = NOW + DAY
    lease = lease_of(pushed_at=NOW)
    for missed in (1, 2):
        lease = after_poll(lease, True, now)
        lease = after_poll(lease, False, now)  # this says nothing about the hub
        assert lease.missed == missed
        assert interval(lease, now) == LONGEST
        assert step(lease, now) is None
    lease = after_poll(lease, True, now)

    assert interval(lease, now) == NORMAL
    assert step(lease, now) == Ask(HUB, TOPIC)
    again = after_verified(after_asked(lease, Ask(HUB, TOPIC), now), 604_800, now)
    assert interval(again, now) == NORMAL
    assert interval(after_push(again, now), now) == LONGEST


def test_a_push_between_them_makes_good_for_missed_ones() -> None:
    lease = after_push(lease_of(pushed_at=NOW, missed=2), NOW)

    assert lease.missed == 0


def test_a_hub_that_has_never_pushed_is_asked_no_more_often_for_it() -> None:
    lease = lease_of()

    assert after_poll(lease, True, NOW + DAY) is lease
