"""Whatever the API takes for an endpoint, notify can send with: they look by the same rules."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wirewatch.api.endpoint_bodies import EndpointPatch
from wirewatch.api.endpoint_checks import check_patch
from wirewatch.api.endpoint_urls import url_mistake
from wirewatch.api.errors import Invalid
from wirewatch.notify.channels.job import Job
from wirewatch.notify.channels.telegram import request as telegram
from wirewatch.notify.channels.template import request as template
from wirewatch.topics.digests import Notice, NoticeType
from wirewatch.topics.endpoints import Endpoint, EndpointKind, EndpointSecrets, SigningKey
from wirewatch.web.target import check_headers, read_target

AT = datetime(2026, 11, 23, tzinfo=UTC)
KEYS = (SigningKey(secret="whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"),)
LABEL = st.text("aA1-_.%[]:x0ü٣", max_size=12)


def takes(kind: EndpointKind = EndpointKind.WEBHOOK, **fields: object) -> bool:
    try:
        check_patch(EndpointPatch(**fields), kind)  # type: ignore[arg-type]
    except Invalid:
        return False
    return True


@given(LABEL)
@example("1.2.3")
@example("0x7f000001")
@example("a.-b.example")
@example("[fe80::1%25eth0]")
@example("a.example")
def test_hosts(host: str) -> None:
    url = f"https://{host}/in"
    if url_mistake(EndpointKind.WEBHOOK, url) is None:
        read_target(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://1.2.3/",
        "https://0x7f000001/",
        "https://a.-b.example/",
        "https://[fe80::1%25eth0]/",
        "https://user@a.example/",
        "https://a.example:0/",
    ],
)
def test_addresses_that_nobody_asks(url: str) -> None:
    assert not takes(url=url)


@given(st.text("Proxy-Authizn:\r\n é", min_size=1, max_size=8), st.text("a\tb\r\n é", max_size=6))
@example("Proxy-Authorization", "x")
@example("X-Key", "a b")
def test_headers(name: str, value: str) -> None:
    if takes(headers={name: value}):
        check_headers({name: value})


@pytest.mark.parametrize("name", ["Proxy-Authorization", "TE", "Content-Type", "webhook-id"])
def test_headers_that_are_ours(name: str) -> None:
    assert not takes(headers={name: "x"})


def job(kind: EndpointKind, secrets: EndpointSecrets, **fields: str) -> Job:
    about = Endpoint(
        id="end_1", kind=kind, url="https://a.example", created_at=AT, updated_at=AT, **fields
    )  # type: ignore[arg-type]
    notice = Notice(
        type=NoticeType.ENDPOINT_TEST,
        endpoint_id="end_1",
        endpoint_name="",
        endpoint_url="https://a.example",
        at=AT,
    )
    return Job("msg_1", notice, about, secrets, AT)


@given(st.text('text/plain; charset=utf-8!"+.٣é', min_size=1, max_size=30))
@example("text/plain;  charset=utf-8")
@example("text/plain; charset=utf-8")
@example('Text/Plain; charset="utf-8"')
@example("text/pl!ain")
@example('text/plain; charset="utf-8')
def test_content_types(content_type: str) -> None:
    if takes(EndpointKind.TEMPLATE, content_type=content_type):
        about = job(
            EndpointKind.TEMPLATE,
            EndpointSecrets(keys=KEYS),
            content_type=content_type,
            template="{}",
        )
        assert template(about).headers["Content-Type"] == content_type


@given(st.text("@-1٣a_", min_size=1, max_size=70))
@example("@" + "a" * 61)
@example("@" + "a" * 60)
@example("-١٢٣٤")
@example("-1001234567890")
def test_chats(chat: str) -> None:
    if takes(EndpointKind.TELEGRAM, chat_id=chat):
        secrets = EndpointSecrets(token="123456:" + "a" * 35)
        telegram(job(EndpointKind.TELEGRAM, secrets, chat_id=chat))


def test_the_usual_is_taken() -> None:
    assert takes(url="https://hooks.a.example:8443/in?key=1")
    assert takes(headers={"Authorization": "Bearer x", "X-Key": "a b"})
    assert takes(EndpointKind.TEMPLATE, content_type="text/plain; charset=utf-8")
    assert takes(EndpointKind.TELEGRAM, chat_id="@desk")
