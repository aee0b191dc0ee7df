"""What a receiver repeats of what it was sent is not kept."""

from datetime import UTC, datetime

import pytest
from rich.pretty import pretty_repr

from wirewatch.notify.redaction import REDACTED, pieces_of, redacted
from wirewatch.topics.endpoints import Endpoint, EndpointSecrets, SigningKey

AT = datetime(2026, 11, 23, tzinfo=UTC)
SLACK = "https://hooks.slack.com/services/T0AAA/B0BBB/x9y8z7x9y8z7x9y8z7x9"


def endpoint(url: str = "https://a.example/in") -> Endpoint:
    return Endpoint(id="end_1", url=url, created_at=AT, updated_at=AT)


@pytest.mark.parametrize(
    ("secrets", "answer", "kept"),
    [
        ({}, "no such topic", "no such topic"),
        ({"token": "tk_geheim"}, '{"auth": "Bearer tk_geheim"}', '{"auth": "Bearer [redacted]"}'),
        (
            {"headers": (("Authorization", "Bearer gehe/im+1"),)},
            'Authorization: Bearer gehe/im+1, {"t": "gehe\\/im+1"}, ?t=gehe%2Fim%2B1, t=gehe/im+1',
            'Authorization: [redacted], {"t": "[redacted]"}, ?t=[redacted], t=[redacted]',
        ),
        (
            {"headers": (("X-Key", 'a"b<c>d'),)},
            '"a\\"b<c>d" a&quot;b&lt;c&gt;d',
            '"[redacted]" [redacted]',
        ),
        ({"headers": (("X-Version", "1"), ("Accept", "en"))}, "1 en 1", "1 en 1"),
        ({"headers": (("Accept", "application/json"),)}, "not application/json", None),
        ({"headers": (("X-Team", "the alerts"),)}, "no alerts here", None),
        (
            {"headers": (("Cookie", "session=0123456789abcdef; lang=en"),)},
            "unknown session 0123456789abcdef",
            "unknown session [redacted]",
        ),
        (
            {"headers": (("Authorization", "Basic ZGVzazpodW50ZXIyaHVudGVyMg=="),)},
            "bad password hunter2hunter2 of desk",
            "bad password [redacted] of desk",
        ),
        (
            {"headers": (("X-Key", "ab+cd/ef'1234"),)},
            "ab\\u002Bcd/ef\\u00271234 ab+cd/ef&#39;1234 ab%2bcd%2fef%271234",
            "[redacted] [redacted] [redacted]",
        ),
        ({"token": "123456:" + "a" * 35}, "no bot " + "a" * 35, "no bot [redacted]"),
        ({"token": "    %20%20%20    "}, "a   b", "a   b"),
    ],
)
def test_headers_and_tokens_are_taken_out(
    secrets: dict[str, object], answer: str, kept: str | None
) -> None:
    pieces = pieces_of(endpoint(), EndpointSecrets(**secrets))  # type: ignore[arg-type]

    assert redacted(answer, pieces) == (answer if kept is None else kept)


@pytest.mark.parametrize(
    ("shown", "url", "answer", "kept"),
    [
        (
            "https://hooks.slack.com/…",
            SLACK,
            f"POST {SLACK} /services/T0AAA/B0BBB/x9y8z7x9y8z7x9y8z7x9 x9y8z7x9y8z7x9y8z7x9 T0AAA",
            "POST https://hooks.slack.com/[redacted] /[redacted] [redacted] T0AAA",
        ),
        (
            "https://a.example/in?…",
            "https://a.example/in?key=0123456789abcdef&v=1",
            "cannot POST /in?key=0123456789abcdef&v=1, key 0123456789abcdef",
            "cannot POST /in?[redacted], key [redacted]",
        ),
        (
            "https://ntfy.sh/…",
            "HTTPS://ntfy.sh/desk-alerts",
            '{"topic": "desk-alerts"}',
            '{"topic": "[redacted]"}',
        ),
        (
            "https://a.example/in?…",
            "https://a.example/in?user=a&token=s3cretpass",
            "token s3cretpass of a",
            "token [redacted] of a",
        ),
        ("https://a.example/in", "", "cannot POST /in", "cannot POST /in"),
        ("https://a.example/in", "https://a.example/in", "cannot POST /in", "cannot POST /in"),
    ],
)
def test_what_is_not_shown_of_a_url_is_taken_out(
    shown: str, url: str, answer: str, kept: str
) -> None:
    assert redacted(answer, pieces_of(endpoint(shown), EndpointSecrets(url=url))) == kept


@pytest.mark.parametrize("left", [4, 5, 8])
@pytest.mark.parametrize("end", ["", "\ufffd", "…"])
def test_half_a_secret_at_the_end_of_what_was_cut_goes_too(left: int, end: str) -> None:
    pieces = pieces_of(endpoint(), EndpointSecrets(token="geheimnis"))
    text = "x" * 20 + "geheimnis"[:left] + end

    assert redacted(text, pieces, is_cut=True) == "x" * 20 + REDACTED
    assert redacted(text, pieces) == text, "what is whole ends as it ends"
    assert redacted("x" * 20 + "geh", pieces, is_cut=True) == "x" * 20 + "geh"


def test_very_many_and_long_secrets_are_looked_for_one_by_one() -> None:
    """As one pattern they would take seconds to compile, and megabytes."""
    value = '<"&/%+' * 680
    headers = tuple((f"X-{number}", f"{number}{value}") for number in range(20))
    pieces = pieces_of(endpoint(), EndpointSecrets(headers=headers))

    assert redacted("y" * 1024, pieces, is_cut=True) == "y" * 1024
    assert redacted(f"it was 7{value}.", pieces) == "it was [redacted]."


def test_no_representation_shows_a_secret() -> None:
    secrets = EndpointSecrets(
        keys=(SigningKey(secret="geheim1"),), token="geheim2", headers=(("X", "geheim3"),)
    )
    old = Endpoint(id="e", url="https://a.example/", secret="geheim4", created_at=AT, updated_at=AT)
    for record in (secrets, secrets.keys[0], old):
        assert "geheim" not in repr(record)
        assert "geheim" not in pretty_repr(record)  # rich reads records by itself
