"""WebSub, the subscriber's side: callback addresses, signatures, and when to ask a hub. Pure.

https://www.w3.org/TR/websub/ (before: PubSubHubbub 0.4). Section numbers below are its.
No worker keeps anything about a callback: what must be known of a subscription when a
hub calls stands, sealed, in the callback URL. So any worker can answer.

    {ingest_callback_url}/websub/{feed_id}/{token}
    token = mark + seal                                      all base32, lower case
    mark  = "s" or "n", 16 letters for the topic, 9 for the hub
    seal  = 26 letters (130 bits) of HMAC-SHA256 over feed id and mark

"s": the hub has a secret and signs (7.1); "n": it has none, and what it sends only tells
us to fetch. Topic and hub stand there as marks, not whole in a query string, because
Superfeedr takes 250 characters of callback at most, and not every hub keeps a query
string (ballerina-lang#14174).
"""

import base64
import hashlib
import hmac
import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import msgspec

from wirewatch.topics.feed_states import PushLease, PushState
from wirewatch.topics.pushes import Push

LEASE_WISH = timedelta(days=7)
LONGEST_LEASE = timedelta(days=14)
"""Whatever a hub grants: a hub that has forgotten us is noticed after this long."""
SHORTEST_LEASE = timedelta(hours=1)
"""What is shorter is not worth the asking and counts as refused."""
UNTOLD_LEASE = timedelta(days=1)
"""Where a hub says nothing of use, though 5.3 demands it: the shortest that hubs default to."""
LEAST_GAP = timedelta(hours=1)
"""Between two requests for one feed, whatever happens: also a feed may change its hub all day."""
LONGEST_GAP = timedelta(days=7)
"""The wait after an unanswered request doubles up to this; after a refusal it is this at once."""
RENEW_AFTER = 2 / 3
"""Of the lease; and if that stays unanswered, of what is then left."""
MISSES = 3
"""So many polls that find what was not pushed, and the hub is not relied on any more."""
MAX_HUBS = 4
MAX_URL_CHARS = 2_048
PATH = "websub"

_TOPIC_CHARS, _HUB_CHARS, _SEAL_CHARS = 16, 9, 26
_MARK_CHARS = 1 + _TOPIC_CHARS + _HUB_CHARS
_TOKEN = re.compile(rf"[sn][a-z2-7]{{{_MARK_CHARS - 1 + _SEAL_CHARS}}}")
_SIGNED, _UNSIGNED = "s", "n"
_ALGORITHMS = frozenset({"sha1", "sha256", "sha384", "sha512"})
_MAX_SIGNATURES = 4


# Callback addresses and secrets


def token_of(secret: str, feed_id: str, hub: str, topic: str) -> str:
    """Return the last part of the callback URL of this subscription (5.1: unguessable, unique)."""
    mark = _mark_of(secret, feed_id, hub, topic)
    return mark + _seal_of(secret, feed_id, mark)


def callback_url(base: str, secret: str, feed_id: str, hub: str, topic: str) -> str:
    """Return where `hub` shall send what it has of `topic`; `base` is ingest_callback_url."""
    return f"{base.rstrip('/')}/{PATH}/{feed_id}/{token_of(secret, feed_id, hub, topic)}"


def is_genuine(secret: str, feed_id: str, token: str) -> bool:
    """Say whether we have made `token` for this feed; in constant time."""
    if not _TOKEN.fullmatch(token):
        return False
    return hmac.compare_digest(token[_MARK_CHARS:], _seal_of(secret, feed_id, mark_of(token)))


def is_about(secret: str, feed_id: str, token: str, topic: str) -> bool:
    """Say whether a genuine `token` was made for `topic` (5.3.1)."""
    mine = _letters(secret, _TOPIC_CHARS, "topic", feed_id, topic)
    return hmac.compare_digest(token[1 : 1 + _TOPIC_CHARS], mine)


def is_signed(token: str) -> bool:
    """Say whether the hub that has `token` was given a secret."""
    return token.startswith(_SIGNED)


def mark_of(token: str) -> str:
    """Return what names the subscription in a Push: without the seal it opens nothing."""
    return token[:_MARK_CHARS]


def content_secret(secret: str, feed_id: str, token: str) -> str:
    """Return the hub.secret of the subscription: 64 hexadecimal digits (5.1: below 200 bytes)."""
    return _mac(secret, "content", feed_id, token).hex()


def is_private_way(hub: str) -> bool:
    """Say whether a secret may be sent to `hub`: by https only (5.1), or within this machine."""
    parts = urlsplit(hub)
    if parts.scheme == "https":
        return True
    try:  # a name, even localhost, may lead elsewhere
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def concerns(push: Push, lease: PushLease, secret: str) -> bool:
    """Say whether `push` belongs to the subscription that `lease` is about.

    A hub that a feed has left may go on for the rest of its lease, or say that
    it has ended; that must not be taken for the word of the new one.
    """
    if not lease.hub:
        return False
    return push.detail.partition(" ")[0] == _mark_of(secret, push.feed_id, lease.hub, lease.topic)


def _mark_of(secret: str, feed_id: str, hub: str, topic: str) -> str:
    how = _SIGNED if is_private_way(hub) else _UNSIGNED
    about = _letters(secret, _TOPIC_CHARS, "topic", feed_id, topic)
    return how + about + _letters(secret, _HUB_CHARS, "hub", feed_id, hub)


def _seal_of(secret: str, feed_id: str, mark: str) -> str:
    return _letters(secret, _SEAL_CHARS, "callback", feed_id, mark)


def _letters(secret: str, count: int, *parts: str) -> str:
    return base64.b32encode(_mac(secret, *parts)).decode().lower()[:count]


def _mac(secret: str, *parts: str) -> bytes:
    """Return the HMAC of `parts`, each after its length: ("ab", "c") and ("a", "bc") differ."""
    mac = hmac.new(secret.encode(), digestmod=hashlib.sha256)
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        mac.update(len(raw).to_bytes(8, "big") + raw)
    return mac.digest()


# What is said to a hub and by it


def subscription_request(
    base: str, secret: str, feed_id: str, hub: str, topic: str
) -> dict[str, str]:
    """Return the form that asks `hub` for a subscription (5.1)."""
    fields = {
        "hub.mode": "subscribe",
        "hub.topic": topic,
        "hub.callback": callback_url(base, secret, feed_id, hub, topic),
        "hub.lease_seconds": str(int(LEASE_WISH.total_seconds())),
        "hub.verify": "async",  # PubSubHubbub 0.3 demands it, all others ignore it
    }
    token = token_of(secret, feed_id, hub, topic)
    if is_signed(token):
        fields["hub.secret"] = content_secret(secret, feed_id, token)
    return fields


def granted_lease_s(said: str | None) -> int:
    """Return the seconds that a hub's hub.lease_seconds grants, as far as we trust it (5.3)."""
    if said is None or not re.fullmatch(r"[0-9]{1,15}", said) or int(said) == 0:
        return int(UNTOLD_LEASE.total_seconds())
    return min(int(said), int(LONGEST_LEASE.total_seconds()))


class SignatureCheck:
    """Checks X-Hub-Signature (7.1) piece by piece, so that no large body need be kept.

    Of several signatures one must hold. One of a method that 7.1.1 does not
    name, or in another form than `method=hexadecimal`, never does.
    """

    def __init__(self, signatures: Iterable[str], secret: str) -> None:
        self._checks: list[tuple[hmac.HMAC, bytes]] = []
        for signature in list(signatures)[:_MAX_SIGNATURES]:
            method, _, said = signature.strip().partition("=")
            if method.lower() in _ALGORITHMS and said.isascii():
                mac = hmac.new(secret.encode(), digestmod=method.lower())
                self._checks.append((mac, said.strip().lower().encode()))

    def update(self, piece: bytes) -> None:
        """Take in the next piece of the body, as it came over the wire."""
        for mac, _ in self._checks:
            mac.update(piece)

    def holds(self) -> bool:
        """Say whether what was taken in is what the hub has signed; in constant time each."""
        return any(hmac.compare_digest(mac.hexdigest().encode(), s) for mac, s in self._checks)


def verify_signature(signature: str, body: bytes, secret: str) -> bool:
    """Say whether `signature`, an X-Hub-Signature, is that of `body` (7.1.2)."""
    check = SignatureCheck([signature], secret)
    check.update(body)
    return check.holds()


# What follows for a feed's lease
#
# `lease_until` is when a state ends by itself: ACTIVE, when the hub stops; ASKED and
# REFUSED, when we may ask again. `asked_at` is our last request or the hub's last word.


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask `hub` for `topic` now, for the first time or again."""

    hub: str
    topic: str


@dataclass(frozen=True, slots=True)
class Forget:
    """The feed names no hub any more: its lease is to be forgotten."""


def next_step(
    lease: PushLease,
    hubs: Sequence[str] | None,
    self_url: str,
    feed_url: str,
    now: datetime,
) -> Ask | Forget | None:
    """Say what to do about a feed's subscription after a look at it; mostly nothing.

    `hubs` and `self_url` are what the feed says of itself (4), `hubs` None
    where nothing new was read. `feed_url` is the topic of a feed that does not say its own.
    """
    topic = lease.topic
    candidates: tuple[str, ...] = (lease.hub,) if lease.hub else ()
    if hubs is not None:
        topic = self_url if _is_askable(self_url) else feed_url
        candidates = hubs_to_ask(hubs)
    if not candidates or not _is_askable(topic):
        return Forget() if lease.hub else None
    if lease.asked_at is not None and now < lease.asked_at + LEAST_GAP:
        return None
    if lease.hub not in candidates or lease.topic != topic:
        return Ask(candidates[0], topic)
    if now < _due_at(lease, now):
        return None
    if lease.state is PushState.ACTIVE:
        return Ask(lease.hub, topic)
    after = candidates.index(lease.hub) + 1
    return Ask(candidates[after % len(candidates)], topic)


def hubs_to_ask(hubs: Sequence[str]) -> tuple[str, ...]:
    """Return the hubs in the order to try them in: by https first, also where only http is named.

    8.2 wants that; the large hubs are often still named with http and answer to both.
    """
    named = [hub for hub in hubs if _is_askable(hub)][:MAX_HUBS]
    safe = [hub for hub in named if urlsplit(hub).scheme == "https"]
    raised = ["https" + hub[4:] for hub in named if hub not in safe and not _has_port(hub)]
    return tuple(dict.fromkeys([*safe, *raised, *named]))


def after_asked(lease: PushLease, ask: Ask, now: datetime) -> PushLease:
    """Return the lease after a request, whether the hub took it or failed.

    Either way only its verification counts, and it is asked again if none comes.
    """
    same = (lease.hub, lease.topic) == (ask.hub, ask.topic)
    if same and _is_active(lease, now):
        return msgspec.structs.replace(lease, asked_at=now)
    wait = LEAST_GAP
    if lease.state is PushState.ASKED and lease.topic == ask.topic:
        wait = min(2 * _length(lease), LONGEST_GAP)
    return PushLease(
        hub=ask.hub,
        topic=ask.topic,
        state=PushState.ASKED,
        asked_at=now,
        lease_until=now + wait,
    )


def after_verified(lease: PushLease, lease_s: int, now: datetime) -> PushLease:
    """Return the lease after the hub has granted it, anew or longer, for `lease_s` (5.3)."""
    granted = min(timedelta(seconds=lease_s), LONGEST_LEASE)
    if granted < SHORTEST_LEASE:
        return after_ended(lease, now)
    return msgspec.structs.replace(
        lease, state=PushState.ACTIVE, asked_at=now, lease_until=now + granted
    )


def after_ended(lease: PushLease, now: datetime) -> PushLease:
    """Return the lease after the hub has denied or ended it (5.2)."""
    return msgspec.structs.replace(
        lease,
        state=PushState.REFUSED,
        asked_at=now,
        lease_until=now + LONGEST_GAP,
        pushed_at=None,
        missed=0,
    )


def after_push(lease: PushLease, now: datetime) -> PushLease:
    """Return the lease after a push, with content or as a notice: the hub does its work."""
    return msgspec.structs.replace(lease, pushed_at=now, missed=0)


def after_poll(lease: PushLease, found_unpushed: bool, now: datetime) -> PushLease:
    """Return the lease after a poll that no push has caused.

    One that finds nothing new says nothing about the hub. After MISSES that do,
    without a push between them, the lease is over: the hub is asked again, and
    not relied on before it has pushed. A hub that has never pushed is not
    relied on anyway, so nothing is counted against it.
    """
    if not found_unpushed or lease.pushed_at is None or not _is_active(lease, now):
        return lease
    if lease.missed + 1 < MISSES:
        return msgspec.structs.replace(lease, missed=lease.missed + 1)
    return msgspec.structs.replace(lease, lease_until=now, pushed_at=None, missed=0)


def poll_interval(
    lease: PushLease, normal: timedelta, longest: timedelta, now: datetime
) -> timedelta:
    """Return how often to poll: `longest` as a back-up where a hub is known to push, else `normal`.

    Not so long that the renewal would come too late: it is asked for after a poll.
    """
    if lease.pushed_at is None or not _is_active(lease, now):
        return normal
    return max(normal, min(longest, _due_at(lease, now) - now))


def _is_active(lease: PushLease, now: datetime) -> bool:
    until = lease.lease_until
    return lease.state is PushState.ACTIVE and until is not None and now < until


def _due_at(lease: PushLease, now: datetime) -> datetime:
    """Return when a hub that is the right one is to be asked again."""
    if lease.lease_until is None or lease.asked_at is None:
        return now
    if not _is_active(lease, now):
        return lease.lease_until
    return lease.asked_at + RENEW_AFTER * _length(lease)


def _length(lease: PushLease) -> timedelta:
    if lease.lease_until is None or lease.asked_at is None:
        return LEAST_GAP
    return max(LEAST_GAP, lease.lease_until - lease.asked_at)


def _is_askable(url: str) -> bool:
    if not 0 < len(url) <= MAX_URL_CHARS or re.search(r"[\x00-\x20\x7f]", url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _has_port(url: str) -> bool:
    try:
        return urlsplit(url).port is not None
    except ValueError:
        return True
