"""What the answers of chats and of mail servers mean, where their status does not say it. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from wirewatch.notify.channels.words import clean, fit
from wirewatch.topics.attempts import AttemptReason
from wirewatch.topics.endpoints import EndpointKind

MAX_WORDS_UNITS = 200


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an answer means. Without a `reason` it is a success, `words` are the receiver's."""

    reason: AttemptReason | None
    words: str = ""
    retry_after_s: float | None = None


Reader = Callable[[int, str], Meaning | None]


def meaning_of(kind: EndpointKind, status: int, head: str) -> Meaning | None:
    """Return what the answer of an endpoint of this kind means, None if its status says it."""
    reader = _READERS.get(kind)
    return reader(status, head) if reader is not None else None


def _said(head: str) -> Mapping[str, Any]:
    """Return the JSON object that an answer holds, an empty one if it does not."""
    try:
        value = msgspec.json.decode(head)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _words(text: object) -> str:
    return fit(clean(text), MAX_WORDS_UNITS) if isinstance(text, str) else ""


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        return None
    return float(value)


SLACK_GONE = frozenset(
    {
        "channel_is_archived",
        "channel_not_found",
        "invalid_token",
        "no_active_hooks",
        "no_service",
        "no_service_id",
        "no_team",
        "team_disabled",
        "user_not_found",
    }
)
"""The webhook or its channel is no longer there; only somebody in Slack can mend it."""


def _slack(status: int, head: str) -> Meaning | None:
    word = _words(head)
    if status == 200:
        is_ok = word == "ok" or _said(head).get("ok") is True
        return None if is_ok else Meaning(AttemptReason.CLIENT_ERROR, word or "no `ok`")
    if word in SLACK_GONE:
        return Meaning(AttemptReason.GONE, word)
    return None


_TELEGRAM_GONE = re.compile(
    r"bot was (blocked|kicked)|user is deactivated|bot is not a member|chat not found"
    r"|(chat|group) was deleted",
    re.IGNORECASE,
)


def _telegram(status: int, head: str) -> Meaning | None:
    said = _said(head)
    words = _words(said.get("description"))
    if status == 200:
        return None if said.get("ok", True) is True else Meaning(AttemptReason.CLIENT_ERROR, words)
    if status == 429:
        parameters = said.get("parameters")
        wait = parameters.get("retry_after") if isinstance(parameters, dict) else None
        return Meaning(AttemptReason.SLOW_DOWN, words, _seconds(wait))
    if status in {400, 403} and _TELEGRAM_GONE.search(words):
        return Meaning(AttemptReason.GONE, words)
    return Meaning(AttemptReason.CLIENT_ERROR, words) if status in {400, 403} else None


DISCORD_GONE = frozenset({10_015, 50_027})
"""Unknown webhook; invalid webhook token."""


def _discord(status: int, head: str) -> Meaning | None:
    said = _said(head)
    words = _words(said.get("message"))
    if status == 429:
        return Meaning(AttemptReason.SLOW_DOWN, words, _seconds(said.get("retry_after")))
    code = said.get("code")
    if status in {401, 404} and isinstance(code, int) and code in DISCORD_GONE:
        return Meaning(AttemptReason.GONE, words)
    return None


MATTERMOST_GONE = frozenset(
    {"web.incoming_webhook.invalid.app_error", "web.incoming_webhook.channel.app_error"}
)


def _mattermost(status: int, head: str) -> Meaning | None:
    said = _said(head)
    if status >= 400 and _words(said.get("id")) in MATTERMOST_GONE:
        return Meaning(AttemptReason.GONE, _words(said.get("message")))
    return None


_TEAMS_ERROR = re.compile(r"endpoint returned HTTP error (\d{3})")


def _teams(status: int, head: str) -> Meaning | None:
    """Read what Teams says with 200: older webhooks tell of a failure in the text alone."""
    failed = _TEAMS_ERROR.search(head) if status == 200 else None
    if failed is not None:
        is_busy = failed[1] == "429"
        reason = AttemptReason.SLOW_DOWN if is_busy else AttemptReason.SERVER_ERROR
        return Meaning(reason, _words(head))
    error = _said(head).get("error")
    code = error.get("code") if isinstance(error, dict) else None
    if status == 404 and code == "WorkflowNotFound":
        return Meaning(AttemptReason.GONE, code)
    return None


SMTP_LOG_IN = frozenset({530, 534, 535, 538})
"""The mail server does not let us in: that is the operator's to mend, and no fault of the mail."""


def _email(status: int, head: str) -> Meaning | None:
    """Read an SMTP code (RFC 5321, 4.2.1): 4xx is temporary, 5xx is for ever."""
    if status in SMTP_LOG_IN:
        return Meaning(AttemptReason.MAIL_SETTINGS, _words(head))
    if 400 <= status < 500:
        return Meaning(AttemptReason.SERVER_ERROR, _words(head))
    if 500 <= status < 600:
        return Meaning(AttemptReason.REFUSED, _words(head))
    return None


_READERS: Mapping[EndpointKind, Reader] = {
    EndpointKind.SLACK: _slack,
    EndpointKind.TELEGRAM: _telegram,
    EndpointKind.DISCORD: _discord,
    EndpointKind.MATTERMOST: _mattermost,
    EndpointKind.TEAMS: _teams,
    EndpointKind.EMAIL: _email,
}
