from datetime import UTC, datetime, timedelta

import pytest

from wirewatch.notify.outcome import Answer, Failure, NoAnswer, judge, read_retry_after, reason_of
from wirewatch.topics.attempts import AttemptReason

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


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


@pytest.mark.parametrize("reason", AttemptReason)
def test_no_answer_keeps_its_reason(reason: AttemptReason) -> None:
    failure = judge(NoAnswer(reason, "in words"), now=NOW)

    assert failure == Failure(reason, "in words")
    assert failure.recoverable is (reason.value not in {"address", "gone", "no_endpoint"})


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
