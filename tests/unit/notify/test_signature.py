import base64
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from wirewatch.notify.errors import SecretError
from wirewatch.notify.signature import new_secret, read_secret, sign, signed_headers

SPEC_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_specifications_own_example() -> None:
    signature = sign(
        SPEC_SECRET,
        webhook_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        at=datetime.fromtimestamp(1614265330, UTC),
        body=b'{"test": 2432232314}',
    )

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("body", [b'{"a": 1}', '{"título": "북한"}'.encode()])
def test_the_official_library_accepts_what_we_sign(body: bytes) -> None:
    secret = new_secret()

    headers = signed_headers(secret, webhook_id="msg_1", at=datetime.now(UTC), body=body)

    assert list(headers) == ["webhook-id", "webhook-timestamp", "webhook-signature"]
    Webhook(secret).verify(body.decode(), dict(headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.decode() + " ", dict(headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(body.decode(), dict(headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.decode(), {**headers, "webhook-id": "msg_2"})


def test_a_new_secret_holds_its_bytes_and_no_two_are_equal() -> None:
    assert new_secret(b"0123456789abcdef01234567") == "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
    assert read_secret(new_secret(bytes(64))) == bytes(64)
    assert len(read_secret(new_secret())) == 32
    assert new_secret() != new_secret()


@pytest.mark.parametrize(
    ("secret", "says"),
    [
        ("", "the secret does not begin with whsec_"),
        ("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3", "the secret does not begin with whsec_"),
        ("whsec_", "the secret has 0 bytes, 24 to 64 are allowed"),
        ("whsec_!!!!", "the secret is not base64 after whsec_"),
        ("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY", "the secret is not base64 after whsec_"),
        ("whsec_größer", "the secret is not base64 after whsec_"),
        (
            "whsec_" + base64.b64encode(bytes(23)).decode(),
            "the secret has 23 bytes, 24 to 64 are allowed",
        ),
        (
            "whsec_" + base64.b64encode(bytes(65)).decode(),
            "the secret has 65 bytes, 24 to 64 are allowed",
        ),
    ],
)
def test_a_malformed_secret_is_refused_in_words_that_do_not_show_it(secret: str, says: str) -> None:
    with pytest.raises(SecretError) as caught:
        sign(secret, webhook_id="msg_1", at=datetime.now(UTC), body=b"{}")

    assert str(caught.value) == says
    assert caught.value.__cause__ is None
