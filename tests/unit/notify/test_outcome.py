import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from wirewatch.notify.outcome import (
    Answer,
    Failure,
    NoAnswer,
    judge,
    judge_handshake,
    read_retry_after,
    reason_of,
)
from wirewatch.topics.attempts import AttemptReason
from wirewatch.topics.digests import Notice, NoticeType
from wirewatch.topics.endpoints import EndpointKind

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
NEVER_AGAIN = {"url", "address", "gone", "template", "no_endpoint", "disabled", "refused"}


EVERY_STATUS = {
    **dict.fromkeys(range(100, 200), ("broken", True)),
    **dict.fromkeys(range(200, 300), None),
    **dict.fromkeys(range(300, 400), ("redirect", True)),
    **dict.fromkeys(range(400, 500), ("client_error", True)),
    **dict.fromkeys(range(500, 600), ("server_error", True)),
    410: ("gone", False),
    429: ("slow_down", True),
}


@pytest.mark.parametrize(("status", "expected"), EVERY_STATUS.items())
def test_every_status(status: int, expected: tuple[str, bool] | None) -> None:
    failure = judge(Answer(status), now=NOW)

    found = None if failure is None else (failure.reason.value, failure.recoverable)
    assert found == expected


def test_some_statuses_as_a_person_knows_them() -> None:
    found = {status: reason_of(status) for status in (200, 204, 301, 404, 410, 429, 500, 503, 999)}

    assert found == {
        200: None,
        204: None,
        301: AttemptReason.REDIRECT,
        404: AttemptReason.CLIENT_ERROR,
        410: AttemptReason.GONE,
        429: AttemptReason.SLOW_DOWN,
        500: AttemptReason.SERVER_ERROR,
        503: AttemptReason.SERVER_ERROR,
        999: AttemptReason.BROKEN,
    }


def test_503_with_retry_after_asks_to_slow_down() -> None:
    assert judge(Answer(503, "120"), now=NOW) == Failure(
        AttemptReason.SLOW_DOWN, "the receiver answered 503", timedelta(seconds=120)
    )


@pytest.mark.parametrize("kind", EndpointKind)
@pytest.mark.parametrize("reason", AttemptReason)
def test_no_answer_keeps_its_reason(reason: AttemptReason, kind: EndpointKind) -> None:
    failure = judge(NoAnswer(reason, "in words"), now=NOW, kind=kind)

    assert failure == Failure(reason, "in words")
    assert failure.recoverable is (reason.value not in NEVER_AGAIN)


# What chats and mail servers mean

TELEGRAM = {
    "blocked": "Forbidden: bot was blocked by the user",
    "kicked": "Forbidden: bot was kicked from the supergroup chat",
    "deactivated": "Forbidden: user is deactivated",
    "unknown": "Bad Request: chat not found",
    "parse": "Bad Request: can't parse entities: unsupported start tag",
}


def telegram(code: int, description: str, **parameters: Any) -> str:
    said = {"ok": False, "error_code": code, "description": description}
    return json.dumps(said | ({"parameters": parameters} if parameters else {}))


TEAMS_BUSY = (
    "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 "
    "with ContextId MS-CV=x"
)


@pytest.mark.parametrize(
    ("kind", "answer", "expected"),
    [
        ("slack", Answer(200, head="ok"), None),
        ("slack", Answer(200, head='{"ok":true}'), None),
        ("slack", Answer(200, head="<html>Sign in"), ("client_error", None)),
        ("slack", Answer(200), ("client_error", None)),
        ("slack", Answer(404, head="no_service"), ("gone", None)),
        ("slack", Answer(410, head="channel_is_archived"), ("gone", None)),
        ("slack", Answer(403, head="invalid_token"), ("gone", None)),
        ("slack", Answer(403, head="action_prohibited"), ("client_error", None)),
        ("slack", Answer(400, head="invalid_blocks"), ("client_error", None)),
        ("slack", Answer(404, head="<h1>404"), ("client_error", None)),
        ("slack", Answer(429, "30", "rate_limited"), ("slow_down", 30)),
        ("slack", Answer(500, head="rollup_error"), ("server_error", None)),
        ("telegram", Answer(200, head='{"ok":true,"result":{"message_id":'), None),
        ("telegram", Answer(200, head='{"ok":false,"description":"x"}'), ("client_error", None)),
        ("telegram", Answer(403, head=telegram(403, TELEGRAM["blocked"])), ("gone", None)),
        ("telegram", Answer(403, head=telegram(403, TELEGRAM["kicked"])), ("gone", None)),
        ("telegram", Answer(403, head=telegram(403, TELEGRAM["deactivated"])), ("gone", None)),
        ("telegram", Answer(400, head=telegram(400, TELEGRAM["unknown"])), ("gone", None)),
        ("telegram", Answer(400, head=telegram(400, TELEGRAM["parse"])), ("client_error", None)),
        ("telegram", Answer(401, head=telegram(401, "Unauthorized")), ("client_error", None)),
        ("telegram", Answer(429, head=telegram(429, "x", retry_after=35)), ("slow_down", 35)),
        ("telegram", Answer(429, "7", telegram(429, "x")), ("slow_down", 7)),
        ("telegram", Answer(429, "7", '{"parameters": [1]}'), ("slow_down", 7)),
        ("telegram", Answer(502, head="<html>"), ("server_error", None)),
        ("discord", Answer(204), None),
        ("discord", Answer(429, "1", '{"message":"x","retry_after":64.57}'), ("slow_down", 64.57)),
        ("discord", Answer(429, "2", '{"retry_after":-1}'), ("slow_down", 2)),
        ("discord", Answer(429, "2", '{"retry_after":true}'), ("slow_down", 2)),
        ("discord", Answer(429, "2", '{"retry_after":1e300}'), ("slow_down", 2_592_000)),
        ("discord", Answer(404, head='{"code":10015,"message":"Unknown Webhook"}'), ("gone", None)),
        ("discord", Answer(401, head='{"code":50027,"message":"x"}'), ("gone", None)),
        ("discord", Answer(404, head='{"code":0}'), ("client_error", None)),
        ("discord", Answer(404, head='{"code":{}}'), ("client_error", None)),
        ("mattermost", Answer(200, head="ok"), None),
        (
            "mattermost",
            Answer(400, head='{"id":"web.incoming_webhook.invalid.app_error","message":"x"}'),
            ("gone", None),
        ),
        ("mattermost", Answer(400, head='{"id":"other"}'), ("client_error", None)),
        ("teams", Answer(202), None),
        ("teams", Answer(200, head="1"), None),
        ("teams", Answer(200, head=TEAMS_BUSY), ("slow_down", None)),
        ("teams", Answer(200, head=TEAMS_BUSY.replace("429", "413")), ("server_error", None)),
        ("teams", Answer(404, head='{"error":{"code":"WorkflowNotFound"}}'), ("gone", None)),
        ("teams", Answer(404, head='{"error":"x"}'), ("client_error", None)),
        ("ntfy", Answer(200, head="{}"), None),
        ("ntfy", Answer(429, head='{"code":42901}'), ("slow_down", None)),
        ("ntfy", Answer(403, head='{"code":40301}'), ("client_error", None)),
        ("email", Answer(250, head="2.0.0 Ok: queued"), None),
        ("email", Answer(421, head="4.3.2 try again"), ("server_error", None)),
        ("email", Answer(450, head="4.2.0 greylisted"), ("server_error", None)),
        ("email", Answer(429, head="x"), ("server_error", None)),
        ("email", Answer(535, head="5.7.8 bad credentials"), ("mail_settings", None)),
        ("email", Answer(550, head="5.1.1 user unknown"), ("refused", None)),
        ("email", Answer(554, head="5.7.1 refused"), ("refused", None)),
        ("webhook", Answer(200, head="<html>Sign in"), None),
        ("webhook", Answer(404, head="no_service"), ("client_error", None)),
    ],
)
def test_the_habits_of_each_kind(kind: str, answer: Answer, expected: Any) -> None:
    failure = judge(answer, now=NOW, kind=EndpointKind(kind))

    wait = failure and failure.retry_after
    found = failure and (failure.reason.value, wait and wait.total_seconds())
    assert found == expected


def test_the_receivers_words_are_told_in_one_short_line() -> None:
    head = telegram(403, "Forbidden: bot was blocked\r\n\x1b[31m " + "x" * 900)

    failure = judge(Answer(403, head=head), now=NOW, kind=EndpointKind.TELEGRAM)

    assert failure is not None
    assert failure.detail.startswith("the receiver answered 403: Forbidden: bot was blocked [31m x")
    assert len(failure.detail) < 250


@pytest.mark.parametrize("kind", EndpointKind)
@pytest.mark.parametrize("head", ["[" * 1_024, "{", "null", '"ok', "\ud800", "{}", "[]", "9" * 900])
@pytest.mark.parametrize("status", [200, 400, 403, 404, 429, 500])
def test_no_answer_is_too_strange(kind: EndpointKind, head: str, status: int) -> None:
    judge(Answer(status, head=head), now=NOW, kind=kind)


# What a receiver of ours may say


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ("abort-message", AttemptReason.REFUSED),
        (" Abort-Message ", AttemptReason.REFUSED),
        ("disable", AttemptReason.GONE),
        ("something", AttemptReason.SERVER_ERROR),
    ],
)
def test_a_receiver_may_say_what_follows_its_failure(order: str, reason: AttemptReason) -> None:
    failure = judge(Answer(500, headers={"webhook-delivery": order}), now=NOW)

    assert failure is not None
    assert failure.reason is reason
    assert failure.recoverable is (reason is AttemptReason.SERVER_ERROR)


def test_it_means_nothing_beside_a_success_or_from_a_chat() -> None:
    headers = {"webhook-delivery": "disable"}

    assert judge(Answer(204, headers=headers), now=NOW) is None
    chat = judge(Answer(500, headers=headers), now=NOW, kind=EndpointKind.MATTERMOST)
    assert chat == Failure(AttemptReason.SERVER_ERROR, "the receiver answered 500")


# Verification


def notice(type_: NoticeType = NoticeType.ENDPOINT_VERIFY) -> Notice:
    return Notice(type=type_, endpoint_id="end_1", challenge="challenge_x1", at=NOW)


@pytest.mark.parametrize(
    "head",
    [
        "challenge_x1",
        " challenge_x1\n",
        '"challenge_x1"',
        '{"challenge":"challenge_x1"}',
        '{"ok": true, "challenge": "challenge_x1"}',
    ],
)
def test_a_verification_is_answered_with_its_challenge(head: str) -> None:
    assert judge(Answer(200, head=head), now=NOW, notice=notice()) is None


@pytest.mark.parametrize(
    "head",
    [
        "",
        "ok",
        "challenge_x2",
        "challenge_x1 and more",
        '{"challenge":"challenge_x2"}',
        '{"data":{"challenge":"challenge_x1"}}',  # what an echo would send
        "[" * 1_024,
        "null",
    ],
)
def test_anything_else_verifies_nothing(head: str) -> None:
    assert judge(Answer(200, head=head), now=NOW, notice=notice()) == Failure(
        AttemptReason.CHALLENGE, "the answer does not hold the challenge"
    )


def test_an_empty_challenge_is_never_answered() -> None:
    asked = Notice(type=NoticeType.ENDPOINT_VERIFY, endpoint_id="end_1", at=NOW)

    failure = judge(Answer(200), now=NOW, notice=asked)

    assert failure is not None
    assert failure.reason is AttemptReason.CHALLENGE


def test_a_failed_status_stays_one_whatever_is_answered() -> None:
    failure = judge(Answer(404, head="challenge_x1"), now=NOW, notice=notice())

    assert failure == Failure(AttemptReason.CLIENT_ERROR, "the receiver answered 404")


def test_other_notices_and_chats_are_not_asked_for_a_challenge() -> None:
    assert judge(Answer(200), now=NOW, notice=notice(NoticeType.ENDPOINT_TEST)) is None
    assert judge(Answer(204), now=NOW, kind=EndpointKind.DISCORD, notice=notice()) is None


ORIGIN, RATE = "webhook-allowed-origin", "webhook-allowed-rate"


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (200, {ORIGIN: "alerts.example", RATE: "100"}, (True, "", 100)),
        (204, {ORIGIN: "Alerts.Example", RATE: "*"}, (True, "", None)),
        (200, {ORIGIN: "*"}, (True, "", None)),
        (200, {ORIGIN: " * ", RATE: " 7 "}, (True, "", 7)),
    ],
)
def test_a_receiver_consents_in_a_handshake(status: int, headers: Any, expected: Any) -> None:
    assert judge_handshake(Answer(status, headers=headers), "alerts.example") == expected


@pytest.mark.parametrize(
    ("status", "headers", "says"),
    [
        (200, {}, "WebHook-Allowed-Origin is missing or does not name alerts.example"),
        (200, {ORIGIN: "alerts.example.evil"}, "WebHook-Allowed-Origin is missing or does not"),
        (200, {ORIGIN: "*", RATE: "0"}, "WebHook-Allowed-Rate is neither"),
        (200, {ORIGIN: "*", RATE: "-3"}, "WebHook-Allowed-Rate is neither"),
        (200, {ORIGIN: "*", RATE: "²"}, "WebHook-Allowed-Rate is neither"),
        (405, {ORIGIN: "*"}, "the receiver answered 405 to OPTIONS"),
        (302, {ORIGIN: "*"}, "the receiver answered 302 to OPTIONS"),
    ],
)
def test_anything_else_is_no_consent(status: int, headers: Any, says: str) -> None:
    is_granted, detail, rate = judge_handshake(Answer(status, headers=headers), "alerts.example")

    assert (is_granted, rate) == (False, None)
    assert detail.startswith(says)


def test_no_answer_is_no_consent() -> None:
    result = NoAnswer(AttemptReason.TIMEOUT, "no answer within 15 s")

    assert judge_handshake(result, "alerts.example") == (False, "no answer within 15 s", None)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        ("99999999999999999999", 2_592_000),
        ("Mon, 23 Nov 2026 09:05:00 GMT", 300),
        ("Mon, 23 Nov 2026 09:05:00", 300),
        ("Mon, 23 Nov 2026 08:00:00 GMT", 0),
        ("Mon, 23 Nov 9026 08:00:00 GMT", 2_592_000),
        ("Monday, 23-Nov-26 09:05:00 GMT", 300),
        ("-5", None),
        ("1.5", None),
        ("１２", None),
        ("", None),
        ("soon", None),
        ("Mon, 99 Nov 2026 09:05:00 GMT", None),
        ("Mon, 23 Nov 99999999999999999999 08:00:00 GMT", None),
        (None, None),
    ],
)
def test_retry_after(value: str | None, seconds: int | None) -> None:
    found = read_retry_after(value, now=NOW)

    assert found == (None if seconds is None else timedelta(seconds=seconds))
