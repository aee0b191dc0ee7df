"""What all requests share, and what each kind needs to be told where."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from standardwebhooks import Webhook

from wirewatch.notify.channels import handshake_request, make_request
from wirewatch.notify.errors import AddressError, SecretError, TemplateError, Unsendable
from wirewatch.notify.request import HttpRequest, Tls
from wirewatch.topics.alerts import Alert
from wirewatch.topics.attempts import AttemptReason
from wirewatch.topics.deliveries import Delivery
from wirewatch.topics.digests import Notice, NoticeType
from wirewatch.topics.endpoints import (
    Endpoint,
    EndpointKind,
    EndpointSecrets,
    EventMode,
    SigningKey,
    Verification,
)

SIGNED = [EndpointKind.WEBHOOK, EndpointKind.CLOUDEVENTS, EndpointKind.TEMPLATE]
CHATS = [kind for kind in EndpointKind if kind not in SIGNED]


@pytest.mark.parametrize("kind", SIGNED)
def test_what_programs_receive_is_signed(
    kind: EndpointKind, alert: Alert, make: Any, at: datetime
) -> None:
    secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"

    request = make(alert, kind)

    headers = request.headers
    assert headers["webhook-id"] == "msg_1"
    assert headers["webhook-signature"] == Webhook(secret).sign("msg_1", at, request.body.decode())


@pytest.mark.parametrize("kind", [kind for kind in CHATS if kind != EndpointKind.EMAIL])
def test_chats_are_not_sent_signatures(kind: EndpointKind, alert: Alert, make: Any) -> None:
    assert not {name for name in make(alert, kind).headers if name.startswith("webhook-")}


@pytest.mark.parametrize("kind", EndpointKind)
@pytest.mark.parametrize("type_", NoticeType)
def test_every_kind_tells_every_notice(
    kind: EndpointKind, type_: NoticeType, notice: Notice, make: Any
) -> None:
    request = make(replace(notice, type=type_, challenge="challenge1x", attempts=3), kind)

    shown = request.text if kind == EndpointKind.EMAIL else request.body.decode()
    is_asked = type_ == NoticeType.ENDPOINT_VERIFY and kind != EndpointKind.TEMPLATE
    assert ("challenge1x" in shown) == is_asked


@pytest.mark.parametrize("kind", [kind for kind in EndpointKind if kind != EndpointKind.EMAIL])
def test_the_endpoints_policies_and_secrets_go_with_the_request(
    kind: EndpointKind, alert: Alert, make: Any
) -> None:
    request = make(
        alert,
        kind,
        secrets={
            "url": "https://hook.example/secret-topic",
            "headers": (("X-Team", "desk 7"), ("content-type", "text/evil"), ("Webhook-Id", "9")),
            "ca": "CA",
            "certificate": "CERT",
            "private_key": "KEY",
        },
        redirects=2,
        timeout_s=4.5,
    )

    assert request.url.startswith("https://hook.example/")
    assert request.headers["X-Team"] == "desk 7"
    assert "text/evil" not in request.headers.values()
    assert ("Webhook-Id" in request.headers) == (kind not in SIGNED)
    assert (request.redirects, request.timeout_s, request.method) == (2, 4.5, "POST")
    assert request.tls == Tls(ca="CA", certificate="CERT", private_key="KEY")
    assert "secret-topic" not in repr(request)


def test_the_secret_address_is_the_real_one(alert: Alert, make: Any) -> None:
    secrets = {"url": "https://hooks.slack.example/services/T/B/X"}

    request = make(alert, EndpointKind.SLACK, secrets=secrets, url="https://hooks.slack.example")

    assert request.url == "https://hooks.slack.example/services/T/B/X"


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (("X-A", "b\r\nX-C: d"), "the header X-A holds a line break or another character"),
        (("X-A", "b\x00"), "the header X-A holds a line break or another character"),
        (("X-A", "größer"), "the header X-A holds a line break or another character"),
        (("X-A\r\nX-B", "c"), "header number 1 has a name that HTTP does not allow"),
        (("", "c"), "header number 1 has a name that HTTP does not allow"),
        (("Host", "internal"), "the header Host is set by the connection"),
        (("transfer-encoding", "chunked"), "the header transfer-encoding is set by the connection"),
        (("X-A", "x" * 4_097), "the header X-A has more than 4096 characters"),
    ],
)
def test_a_header_that_would_break_the_request_is_refused_without_showing_it(
    header: tuple[str, str], says: str, alert: Alert, make: Any
) -> None:
    with pytest.raises(SecretError) as caught:
        make(alert, EndpointKind.WEBHOOK, secrets={"headers": (header,)})

    assert says in str(caught.value)
    assert header[1] not in str(caught.value)


def test_too_many_headers_are_refused(alert: Alert, make: Any) -> None:
    many = tuple((f"X-{n}", "a") for n in range(33))

    with pytest.raises(SecretError, match="it has 33 headers, at most 32 are allowed"):
        make(alert, EndpointKind.WEBHOOK, secrets={"headers": many})


@pytest.mark.parametrize(
    ("token", "chat", "error"),
    [
        ("", "5", SecretError),
        ("123456:short", "5", SecretError),
        ("123456:" + "a" * 30 + "/../x", "5", SecretError),
        ("123456:" + "a" * 35, "", AddressError),
        ("123456:" + "a" * 35, "@a b", AddressError),
        ("123456:" + "a" * 35, "5; drop", AddressError),
    ],
)
def test_telegram_needs_a_bots_token_and_a_chat(
    token: str, chat: str, error: type[Unsendable], alert: Alert, make: Any
) -> None:
    with pytest.raises(error) as caught:
        make(alert, EndpointKind.TELEGRAM, secrets={"token": token}, chat_id=chat)

    assert not token or token not in str(caught.value)


def test_telegram_takes_a_channels_name(alert: Alert, make: Any) -> None:
    request = make(alert, EndpointKind.TELEGRAM, chat_id="@tank_news", url="https://t.example/")

    assert json.loads(request.body)["chat_id"] == "@tank_news"
    assert request.url.startswith("https://t.example/bot123456:")


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("https://ntfy.example/tanks", "https://ntfy.example/"),
        ("https://ntfy.example:8443/tanks/", "https://ntfy.example:8443/"),
        ("https://x.example/ntfy/tanks?auth=1", "https://x.example/ntfy/"),
    ],
)
def test_ntfy_is_published_to_the_server_with_the_topic_of_the_path(
    url: str, server: str, alert: Alert, make: Any
) -> None:
    request = make(alert, EndpointKind.NTFY, secrets={"token": "tk_secret"}, url=url)

    assert (request.url, json.loads(request.body)["topic"]) == (server, "tanks")
    assert request.headers["Authorization"] == "Bearer tk_secret"


@pytest.mark.parametrize("url", ["https://ntfy.example", "https://ntfy.example/a%20b", "https://["])
def test_ntfy_without_a_topic_is_refused(url: str, alert: Alert, make: Any) -> None:
    with pytest.raises(AddressError):
        make(alert, EndpointKind.NTFY, url=url)


def test_a_bearers_token_cannot_break_out_of_its_header(alert: Alert, make: Any) -> None:
    with pytest.raises(SecretError, match="the token holds a line break") as caught:
        make(alert, EndpointKind.NTFY, secrets={"token": "tk\r\nX: y"})

    assert caught.value.reason is AttemptReason.SECRETS


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mailto:a@b.example", "a@b.example"),
        ("MAILTO:a%2Bnews@b.example?subject=x", "a+news@b.example"),
        ("mailto:ü@bücher.example", "ü@bücher.example"),
    ],
)
def test_mail_goes_to_the_address_of_the_url(
    url: str, address: str, alert: Alert, make: Any
) -> None:
    assert make(alert, EndpointKind.EMAIL, url=url).to == address


@pytest.mark.parametrize(
    "url",
    [
        "https://a@b.example",
        "mailto:",
        "mailto:a",
        "mailto:a@b.example,c@d.example",
        "mailto:a@b.example%0D%0ABcc: c@d.example",
        "mailto:<a@b.example>",
        "mailto:a@b@c.example",
    ],
)
def test_what_is_not_one_mail_address_is_refused(url: str, alert: Alert, make: Any) -> None:
    with pytest.raises(AddressError, match="mailto: and one address"):
        make(alert, EndpointKind.EMAIL, url=url)


def test_a_repeated_mail_has_the_same_message_id(alert: Alert, make: Any) -> None:
    first, second = (make(alert, EndpointKind.EMAIL) for _ in range(2))

    assert first.message_id == second.message_id == "<msg_1@wirewatch.local>"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"template": "a\n{% for %}"}, "the template failed: line 2: "),
        ({"template": "{{ data|tojson }}\n{{ 1/0 }}"}, "the template failed: line 2: division by"),
        ({"content_type": "text/plain\r\nX: y"}, "content_type is none"),
        ({"content_type": "nonsense"}, "content_type is none"),
    ],
)
def test_a_wrong_template_is_told_with_its_line(
    changes: dict[str, str], says: str, alert: Alert, make: Any
) -> None:
    with pytest.raises(TemplateError) as caught:
        make(alert, EndpointKind.TEMPLATE, **changes)

    assert str(caught.value).startswith(says)
    assert caught.value.reason is AttemptReason.TEMPLATE


def test_a_template_for_html_escapes_by_itself(alert: Alert, make: Any) -> None:
    changes = {"template": "<p>{{ data.subscription.name }} {{ webhook_id }}</p>"}

    page = make(alert, EndpointKind.TEMPLATE, content_type="text/html; charset=utf-8", **changes)
    text = make(alert, EndpointKind.TEMPLATE, content_type="text/plain", **changes)

    assert page.body == b"<p>Panzer &amp; &lt;Waffen&gt; @all msg_1</p>"
    assert text.body == b"<p>Panzer & <Waffen> @all msg_1</p>"
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"


def test_an_ended_delivery_is_not_made_into_a_request(at: datetime) -> None:
    ended = Delivery(id="msg_1", endpoint_id="end_1", due_at=at, created_at=at)
    endpoint = Endpoint(id="end_1", url="https://x.example", created_at=at, updated_at=at)

    with pytest.raises(ValueError, match="the delivery msg_1 has ended"):
        make_request(ended, endpoint, EndpointSecrets(), now=at)


def test_an_endpoint_whose_keys_are_all_replaced_does_not_send_unsigned(
    alert: Alert, make: Any
) -> None:
    gone = SigningKey(
        secret="whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3", until=datetime(2020, 1, 1, tzinfo=UTC)
    )

    with pytest.raises(SecretError, match="no key that signs"):
        make(alert, EndpointKind.WEBHOOK, secrets={"keys": (gone,)})


def test_a_binary_event_escapes_its_attributes(alert: Alert, make: Any) -> None:
    alert = replace(alert, article=replace(alert.article, id='a "b" 100% ü\r\n😀'))

    request = make(alert, EndpointKind.CLOUDEVENTS, event_mode=EventMode.BINARY)

    assert request.headers["ce-subject"] == "a%20%22b%22%20100%25%20%C3%BC%0D%0A%F0%9F%98%80"


def test_events_name_the_origin_to_who_gave_consent_to_it(alert: Alert, make: Any) -> None:
    asked = make(alert, EndpointKind.CLOUDEVENTS, verification=Verification.HANDSHAKE)
    not_asked = make(alert, EndpointKind.CLOUDEVENTS)

    assert asked.headers["WebHook-Request-Origin"] == "alerts.example"
    assert "WebHook-Request-Origin" not in not_asked.headers


@pytest.mark.parametrize(("rate", "asked"), [(None, "600"), (2.0, "120"), (0.001, "1")])
def test_the_handshake_asks_with_options(rate: float | None, asked: str, at: datetime) -> None:
    endpoint = Endpoint(
        id="end_1", url="https://cut.example", rate_per_s=rate, created_at=at, updated_at=at
    )
    secrets = EndpointSecrets(url="https://cut.example/whole", headers=(("X-Key", "k"),))

    request = handshake_request(endpoint, secrets, origin="alerts.example", user_agent="w/1")

    assert request == HttpRequest(
        url="https://cut.example/whole",
        body=b"",
        headers={
            "WebHook-Request-Origin": "alerts.example",
            "WebHook-Request-Rate": asked,
            "User-Agent": "w/1",
            "X-Key": "k",
        },
        method="OPTIONS",
    )


@pytest.mark.parametrize("kind", SIGNED)
def test_a_later_attempt_has_the_same_body_and_a_new_signature(
    kind: EndpointKind, alert: Alert, make: Any, at: datetime
) -> None:
    first, later = make(alert, kind), make(alert, kind, now=at + timedelta(minutes=5))

    assert first.body == later.body
    assert first.headers["webhook-id"] == later.headers["webhook-id"]
    assert first.headers["webhook-signature"] != later.headers["webhook-signature"]


@pytest.mark.parametrize(
    ("name", "list_id"),
    [
        ("Tanks", "Tanks <sub_1.wirewatch.local>"),
        ('a "b" <c@d>, e\r\nBcc: f', "a b c d e Bcc f <sub_1.wirewatch.local>"),
        ("北朝鮮", "北朝鮮 <sub_1.wirewatch.local>"),
        ("<>", "<sub_1.wirewatch.local>"),
    ],
)
def test_each_subscription_is_a_list_of_its_own(
    name: str, list_id: str, alert: Alert, make: Any
) -> None:
    mail = make(replace(alert, subscription_name=name), EndpointKind.EMAIL)

    assert mail.headers["List-Id"] == list_id
