"""What came of an HTTP request, and whether asking again can help. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from wirewatch.topics.attempts import AttemptReason

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
    }
)


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


def judge(result: Answer | NoAnswer, *, now: datetime) -> Failure | None:
    """Return what went wrong with an attempt, None if the alert is delivered.

    Every 2xx status is a success and nothing else is (Standard Webhooks):
    a redirect is not followed, it would be signed for somebody else.
    """
    if isinstance(result, NoAnswer):
        return Failure(result.reason, result.detail)
    retry_after = read_retry_after(result.retry_after, now=now)
    reason = reason_of(result.status, has_retry_after=retry_after is not None)
    if reason is None:
        return None
    return Failure(reason, f"the receiver answered {result.status}", retry_after)


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
