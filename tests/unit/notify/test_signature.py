import base64
import json
import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook, WebhookVerificationError

from wirewatch.notify.errors import SecretError
from wirewatch.notify.signature import sign, signed_headers
from wirewatch.topics.endpoints import SigningKey
from wirewatch.web.signing_keys import (
    BadKey,
    new_hmac_key,
    new_private_key,
    public_key_of,
    read_hmac_key,
)

SPEC_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NPM_VERSION = "1.0.0"
AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def keys(*secrets: str) -> list[SigningKey]:
    return [SigningKey(secret=secret) for secret in secrets]


def test_the_specifications_own_example() -> None:
    signature = sign(
        SPEC_SECRET,
        webhook_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        at=datetime.fromtimestamp(1614265330, UTC),
        body=b'{"test": 2432232314}',
    )

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("body", [b'{"a": 1}', '{"título": "북한 😀"}'.encode()])
def test_the_official_library_accepts_what_we_sign(body: bytes) -> None:
    secret = new_hmac_key()

    headers = signed_headers(keys(secret), webhook_id="msg_1", at=datetime.now(UTC), body=body)

    assert list(headers) == ["webhook-id", "webhook-timestamp", "webhook-signature"]
    Webhook(secret).verify(body.decode(), dict(headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.decode() + " ", dict(headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(new_hmac_key()).verify(body.decode(), dict(headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.decode(), {**headers, "webhook-id": "msg_2"})


def test_while_a_secret_rotates_both_are_accepted_and_a_third_is_not() -> None:
    new, old = new_hmac_key(), new_hmac_key()
    private = new_private_key()

    headers = signed_headers(
        keys(new, private, old), webhook_id="msg_1", at=datetime.now(UTC), body=b"{}"
    )

    versions = [one.partition(",")[0] for one in headers["webhook-signature"].split(" ")]
    assert versions == ["v1", "v1a", "v1"]
    for secret in (new, old):
        Webhook(secret).verify("{}", dict(headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(new_hmac_key()).verify("{}", dict(headers))


def test_a_replaced_secret_stops_to_sign_at_its_time() -> None:
    new, old = new_hmac_key(), new_hmac_key()
    both = [SigningKey(secret=new), SigningKey(secret=old, until=AT)]

    before = signed_headers(both, webhook_id="msg_1", at=AT - timedelta(microseconds=1), body=b"{}")
    after = signed_headers(both, webhook_id="msg_1", at=AT, body=b"{}")

    assert len(before["webhook-signature"].split(" ")) == 2
    assert after["webhook-signature"] == sign(new, webhook_id="msg_1", at=AT, body=b"{}")


def verify_asymmetric(public: str, signature: str, content: bytes) -> None:
    raw = base64.b64decode(public.removeprefix("whpk_"))
    version, _, encoded = signature.partition(",")
    assert version == "v1a"
    Ed25519PublicKey.from_public_bytes(raw).verify(base64.b64decode(encoded), content)


def test_an_asymmetric_signature_verifies_with_the_public_key_alone() -> None:
    private = new_private_key()

    signature = sign(private, webhook_id="msg_1", at=AT, body="{雪}".encode())

    content = "msg_1.1795424400.{雪}".encode()
    verify_asymmetric(public_key_of(private), signature, content)
    with pytest.raises(InvalidSignature):
        verify_asymmetric(public_key_of(private), signature, content + b" ")
    with pytest.raises(InvalidSignature):
        verify_asymmetric(public_key_of(new_private_key()), signature, content)


def test_the_first_test_vector_of_rfc_8032() -> None:
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")

    assert public_key_of(new_private_key(seed)) == "whpk_" + base64.b64encode(public).decode()
    both_halves = "whsk_" + base64.b64encode(seed + public).decode()
    assert public_key_of(both_halves) == public_key_of(new_private_key(seed))


NODE_VERIFIES = """
const { Webhook } = require("standardwebhooks");
const { secret, body, headers } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const result = {};
for (const [name, text] of Object.entries({ same: body, changed: body + " " })) {
  try { new Webhook(secret).verify(text, headers); result[name] = true; }
  catch (error) { result[name] = error.message; }
}
console.log(JSON.stringify(result));
"""


@pytest.fixture(scope="session")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which node finds the official package."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node or npm is not here: the npm package cannot verify what we sign")
    folder = tmp_path_factory.mktemp("npm")
    (folder / "package.json").write_text('{"private": true}')
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts"]
    try:
        subprocess.run(
            [*command, f"standardwebhooks@{NPM_VERSION}"],
            cwd=folder,
            check=True,
            capture_output=True,
            timeout=90,
            env={**os.environ, "npm_config_cache": str(folder / "cache")},
        )
    except (subprocess.SubprocessError, OSError):
        pytest.skip("npm could not install the package standardwebhooks: no registry in reach?")
    (folder / "verify.js").write_text(NODE_VERIFIES)
    return folder


def test_the_official_npm_package_accepts_what_we_sign(node_folder: Path) -> None:
    body, new, old = '{"título": "북한 😀"}', new_hmac_key(), new_hmac_key()
    headers = signed_headers(
        keys(new, new_private_key(), old),
        webhook_id="msg_1",
        at=datetime.now(UTC),
        body=body.encode(),
    )

    for secret in (new, old):
        found = subprocess.run(
            ["node", "verify.js"],
            cwd=node_folder,
            input=json.dumps({"secret": secret, "body": body, "headers": dict(headers)}),
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )

        assert json.loads(found.stdout) == {"same": True, "changed": "No matching signature found"}


def test_a_new_secret_holds_its_bytes_and_no_two_are_equal() -> None:
    assert new_hmac_key(b"0123456789abcdef01234567") == "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
    assert read_hmac_key(new_hmac_key(bytes(64))) == bytes(64)
    assert len(read_hmac_key(new_hmac_key())) == 32
    assert new_hmac_key() != new_hmac_key()
    assert new_private_key() != new_private_key()


def coded(prefix: str, size: int) -> str:
    return prefix + base64.b64encode(bytes(size)).decode()


@pytest.mark.parametrize(
    ("secret", "says"),
    [
        ("", "the secret does not begin with whsec_"),
        ("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3", "the secret does not begin with whsec_"),
        ("whpk_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3", "the secret does not begin with whsec_"),
        ("whsec_", "the secret has 0 bytes, 24 to 64 are allowed"),
        ("whsec_!!!!", "the secret is not base64 after whsec_"),
        ("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY", "the secret is not base64 after whsec_"),
        ("whsec_größer", "the secret is not base64 after whsec_"),
        (coded("whsec_", 23), "the secret has 23 bytes, 24 to 64 are allowed"),
        (coded("whsec_", 65), "the secret has 65 bytes, 24 to 64 are allowed"),
        ("whsk_!!!!", "the secret is not base64 after whsk_"),
        (coded("whsk_", 31), "the private key has 31 bytes, 32 or 64 are allowed"),
        (coded("whsk_", 64), "the second half of the private key is not its public key"),
    ],
)
def test_a_malformed_secret_is_refused_in_words_that_do_not_show_it(secret: str, says: str) -> None:
    with pytest.raises(SecretError) as caught:
        sign(secret, webhook_id="msg_1", at=AT, body=b"{}")

    assert str(caught.value) == says
    assert caught.value.__cause__ is None


def test_nothing_is_sent_unsigned() -> None:
    with pytest.raises(SecretError, match="the endpoint has no key that signs"):
        signed_headers([], webhook_id="msg_1", at=AT, body=b"{}")


def test_a_seed_of_another_length_is_no_key() -> None:
    with pytest.raises(BadKey, match="the private key has 31 bytes, 32 are needed"):
        new_private_key(bytes(31))
