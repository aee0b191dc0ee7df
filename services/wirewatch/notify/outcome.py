"""What came of an HTTP request, and whether asking again can help. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import msgspec

from wirewatch.notify.quirks import meaning_of
from wirewatch.topics.attempts import AttemptReason
from wirewatch.topics.digests import Notice, NoticeType
from wirewatch.topics.endpoints import EndpointKind

MAX_RETRY_AFTER = timedelta(days=30)
"""A longer one is read as this; `retry.after_failure` bounds it further."""
UNRECOVERABLE = frozenset(
    {
        AttemptReason.URL,
        AttemptReason.ADDRESS,
        AttemptReason.GONE,
        AttemptReason.TEMPLATE,
        AttemptReason.NO_ENDPOINT,
        AttemptReason.DISABLED,
        AttemptReason.REFUSED,
    }
)
OURS = frozenset({EndpointKind.WEBHOOK, EndpointKind.CLOUDEVENTS, EndpointKind.TEMPLATE})
"""Kinds whose receivers were written for us, and may talk back."""
DELIVERY_HEADER = "webhook-delivery"
"""With a failure a receiver may say in it what is to follow, as to Svix."""
_ORDERS = {"abort-message": AttemptReason.REFUSED, "disable": AttemptReason.GONE}


@dataclass(frozen=True, slots=True)
class Answer:
    """The receiver answered.

    `retry_after` is that header as it came, `head` the body's start and
    `received_bytes` how much of the body was read. `to` is the host and port
    that answered. `headers` are its header fields, names in lower case.
    """

    status: int
    retry_after: str | None = None
    head: str = ""
    received_bytes: int = 0
    to: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """No answer came, for this reason; `detail` says it in words, `to` who was asked."""

    reason: AttemptReason
    detail: str
    to: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt that did not deliver. `retry_after` is what the receiver asked for."""

    reason: AttemptReason
    detail: str = ""
    retry_after: timedelta | None = None

    @property
    def recoverable(self) -> bool:
        """Whether another attempt may succeed."""
        return self.reason not in UNRECOVERABLE


def judge(
    result: Answer | NoAnswer,
    *,
    now: datetime,
    kind: EndpointKind = EndpointKind.WEBHOOK,
    notice: Notice | None = None,
) -> Failure | None:
    """Return what went wrong with an attempt, None if what was to be told is delivered.

    Every 2xx status is a success and nothing else is (Standard Webhooks), but for
    the habits of the `kind`. A `notice` that asks to be verified is delivered once
    it is answered with its challenge; a chat cannot answer, it need only take it.
    """
    if isinstance(result, NoAnswer):
        return Failure(result.reason, result.detail)
    failure = _of_answer(result, kind, now)
    if failure is not None or notice is None or notice.type is not NoticeType.ENDPOINT_VERIFY:
        return failure
    if kind in OURS and not answers_challenge(result.head, notice.challenge):
        return Failure(AttemptReason.CHALLENGE, "the answer does not hold the challenge")
    return None


def _of_answer(answer: Answer, kind: EndpointKind, now: datetime) -> Failure | None:
    retry_after = read_retry_after(answer.retry_after, now=now)
    meaning = meaning_of(kind, answer.status, answer.head)
    if meaning is None:
        reason = reason_of(answer.status, has_retry_after=retry_after is not None)
        words = ""
    else:
        reason, words = meaning.reason, meaning.words
        if meaning.retry_after_s is not None:
            seconds = min(meaning.retry_after_s, MAX_RETRY_AFTER.total_seconds())
            retry_after = timedelta(seconds=seconds)
    if reason is None:
        return None
    detail = f"the receiver answered {answer.status}" + (f": {words}" if words else "")
    order = answer.headers.get(DELIVERY_HEADER, "").strip().lower() if kind in OURS else ""
    if order in _ORDERS:
        return Failure(_ORDERS[order], f"{detail} and {DELIVERY_HEADER}: {order}")
    return Failure(reason, detail, retry_after)


def answers_challenge(head: str, challenge: str) -> bool:
    """Say whether an answer is the challenge: as plain text, or in JSON as `challenge`.

    That it is somewhere in the answer is not enough: a receiver that sends back
    whatever it is sent has not said that it wants alerts.
    """
    text = head.strip()
    if not challenge or text == challenge:
        return bool(challenge)
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    return value == challenge or (isinstance(value, dict) and value.get("challenge") == challenge)


def judge_handshake(answer: Answer | NoAnswer, origin: str) -> tuple[bool, str, int | None]:
    """Return whether a receiver consents to be told by `origin`, why not, and how often.

    The last is requests a minute, None for as many as we like. Consent is the
    header WebHook-Allowed-Origin, not the status alone (CloudEvents HTTP 1.1 Web
    Hooks, section 4.2).
    """
    if isinstance(answer, NoAnswer):
        return False, answer.detail, None
    allowed = answer.headers.get("webhook-allowed-origin", "").strip()
    if answer.status // 100 != 2:
        return False, f"the receiver answered {answer.status} to OPTIONS", None
    if allowed != "*" and allowed.lower() != origin.lower():
        return False, f"WebHook-Allowed-Origin is missing or does not name {origin}", None
    rate = answer.headers.get("webhook-allowed-rate", "*").strip()
    number = int(rate[:9]) if rate.isascii() and rate.isdigit() else 0
    if rate != "*" and number == 0:
        return False, "WebHook-Allowed-Rate is neither * nor a number above 0", None
    return True, "", number or None


def reason_of(status: int, *, has_retry_after: bool = False) -> AttemptReason | None:
    """Return why an answer with this status is a failure, None if it is a success."""
    if status == 410:
        return AttemptReason.GONE
    if status == 429 or (status == 503 and has_retry_after):
        return AttemptReason.SLOW_DOWN
    by_class = {
        2: None,
        3: AttemptReason.REDIRECT,
        4: AttemptReason.CLIENT_ERROR,
        5: AttemptReason.SERVER_ERROR,
    }
    # 1xx is never a last answer, and there is nothing above 599 in HTTP.
    return by_class.get(status // 100, AttemptReason.BROKEN)


def read_retry_after(value: str | None, *, now: datetime) -> timedelta | None:
    """Return how long a Retry-After header asks to wait, None if it cannot be read.

    Seconds or an HTTP date (RFC 9110, 10.2.3); a date in the past is no wait.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), MAX_RETRY_AFTER)
    try:
        until = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=now.tzinfo)
    return min(max(until - now, timedelta(0)), MAX_RETRY_AFTER)
