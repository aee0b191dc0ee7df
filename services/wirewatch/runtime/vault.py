"""Seal endpoints' secrets, so that they stand in the topic unreadable.

AES-256-GCM. A sealed text is base64 (URL-safe) of

    version (1 byte) | key id (4) | nonce (12, random) | ciphertext and tag

The version, the key id and the endpoint's id are authenticated with it: a
sealed text that was changed, or moved to another endpoint, does not open.
Random nonces of 96 bits are safe for some billions of texts under one key
(NIST SP 800-38D, 8.3). No error, log line or representation quotes a secret or a key.
"""

import base64
import binascii
import hashlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wirewatch.runtime.errors import SettingsProblem
from wirewatch.runtime.settings import Settings
from wirewatch.topics.endpoints import Endpoint, EndpointSecrets, SigningKey

KEY_BYTES = 32
MAX_KEYS = 8
"""Keys at once: the one that seals, and those of which something may still be left."""
MAX_KEY_FILE_BYTES = 4_096
LOCAL_KEY_FILE = "secret-key"
"""In the data folder, where Kafka is the local one."""
_VERSION = 1
_KEY_ID_BYTES = 4
_NONCE_BYTES = 12
_TAG_BYTES = 16
_HEAD_BYTES = 1 + _KEY_ID_BYTES

MAKE_ONE = "make one with `wirewatch secrets new-key`"


class VaultError(Exception):
    """A sealed text that does not open; says why, without quoting it."""


class Vault:
    """Seals with the first of `keys` and opens with all of them, so that keys can be changed."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Raises ValueError if there is no key, or one is not of 32 bytes."""
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"a vault needs keys of {KEY_BYTES} bytes")
        self._newest = _key_id(keys[0])
        # The first of two equal keys is the one that counts; so it is with equal ids.
        self._ciphers = {_key_id(key): AESGCM(key) for key in reversed(keys)}

    def __repr__(self) -> str:
        return f"Vault({len(self._ciphers)} keys)"

    def seal(self, secrets: EndpointSecrets, *, bound_to: str) -> str:
        """Return `secrets` encrypted for the endpoint `bound_to`; another text each time."""
        head = bytes([_VERSION]) + self._newest
        nonce = os.urandom(_NONCE_BYTES)
        plain = msgspec.json.encode(secrets)
        sealed = self._ciphers[self._newest].encrypt(nonce, plain, head + bound_to.encode())
        return base64.urlsafe_b64encode(head + nonce + sealed).decode()

    def open(self, sealed: str, *, bound_to: str) -> EndpointSecrets:
        """Return what `seal` was given. Raises VaultError."""
        raw = _unpack(sealed)
        head, nonce, encrypted = _split(raw)
        cipher = self._ciphers.get(head[1:])
        if cipher is None:
            raise VaultError(
                "it was sealed with a key that is not here: "
                "WIREWATCH_SECRET_KEY has to name that one too"
            )
        try:
            plain = cipher.decrypt(nonce, encrypted, head + bound_to.encode())
        except InvalidTag:
            raise VaultError("it was changed, or it was sealed for another endpoint") from None
        try:
            return msgspec.json.decode(plain, type=EndpointSecrets)
        except (msgspec.DecodeError, UnicodeDecodeError):
            # The cause is left out: its message may quote what was sealed.
            raise VaultError("what is in it cannot be read by this version") from None

    def is_newest(self, sealed: str) -> bool:
        """Say whether `sealed` was sealed with the key that seals now."""
        try:
            return _unpack(sealed)[1:_HEAD_BYTES] == self._newest
        except VaultError:
            return False


def _unpack(sealed: str) -> bytes:
    try:
        raw = base64.b64decode(sealed.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise VaultError("it is not a sealed text") from None
    if len(raw) < _HEAD_BYTES + _NONCE_BYTES + _TAG_BYTES:
        raise VaultError("it is too short to be a sealed text")
    if raw[0] != _VERSION:
        raise VaultError(f"it is sealed in way {raw[0]}, this program knows {_VERSION}")
    return raw


def _split(raw: bytes) -> tuple[bytes, bytes, bytes]:
    body = _HEAD_BYTES + _NONCE_BYTES
    return raw[:_HEAD_BYTES], raw[_HEAD_BYTES:body], raw[body:]


def _key_id(key: bytes) -> bytes:
    """Tells keys apart; says nothing about a key of random bytes."""
    return hashlib.blake2b(key, digest_size=_KEY_ID_BYTES, person=b"wirewatch key id").digest()


def secrets_of(endpoint: Endpoint, vault: Vault) -> EndpointSecrets:
    """Return the secrets of `endpoint`, also of one of version 1. Raises VaultError."""
    if endpoint.sealed:
        return vault.open(endpoint.sealed, bound_to=endpoint.id)
    if endpoint.secret:
        return EndpointSecrets(keys=(SigningKey(secret=endpoint.secret),))
    return EndpointSecrets()


def new_key() -> str:
    """Return a fresh key, as WIREWATCH_SECRET_KEY takes it."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def load_vault(settings: Settings) -> Vault:
    """Return the vault that the settings name. Raises SettingsProblem.

    Where they name none and Kafka is the local one, its key is a file in the
    data folder, made when it is missing.
    """
    given, file = settings.secret_key.get_secret_value(), settings.secret_key_file
    if given and file is not None:
        raise SettingsProblem(
            "WIREWATCH_SECRET_KEY and WIREWATCH_SECRET_KEY_FILE are both set: leave one out."
        )
    if given:
        return _vault(given, "WIREWATCH_SECRET_KEY")
    if file is not None:
        return _vault(_read(file), f"WIREWATCH_SECRET_KEY_FILE={file}")
    if settings.kafka:
        raise SettingsProblem(
            "WIREWATCH_SECRET_KEY is not set, and endpoints' secrets are not kept in Kafka without "
            f"it: {MAKE_ONE}, and give the same one to all workers of api and notify "
            "(or WIREWATCH_SECRET_KEY_FILE, a file that holds it)."
        )
    file = local_key_file(settings.data_dir)
    return _vault(_read(file), f"the file {file}")


def local_key_file(data_dir: Path) -> Path:
    """Return the file with this machine's own key, made now if it is not there.

    Only its owner can read it, from the first moment on, and processes that
    start at the same time get the same one. Raises SettingsProblem.
    """
    file = data_dir / LOCAL_KEY_FILE
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            _write_once(file, new_key() + "\n")
    except OSError as error:
        raise SettingsProblem(
            f"The key file {file} cannot be made ({error.strerror}): "
            "set WIREWATCH_DATA_DIR to a folder that can be written."
        ) from error
    return file


def _write_once(file: Path, text: str) -> None:
    """Write `file` whole or not at all; if another process was first, its file stays."""
    draft = file.with_name(f"{file.name}.{os.getpid()}-{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as out:
            out.write(text)
            out.flush()
            os.fsync(descriptor)
        os.link(draft, file)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _read(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            raw = opened.read(MAX_KEY_FILE_BYTES + 1)
    except OSError as error:
        raise SettingsProblem(
            f"The key file {file} cannot be read ({error.strerror}): "
            "set WIREWATCH_SECRET_KEY_FILE to a file that holds the key."
        ) from error
    if len(raw) > MAX_KEY_FILE_BYTES:
        raise SettingsProblem(f"The key file {file} is too large to be one: {MAKE_ONE}.")
    return raw.decode("ascii", "replace")


def _vault(text: str, where: str) -> Vault:
    """Return the vault of the keys in `text`, separated by commas or lines."""
    parts = text.replace(",", " ").split()
    keys = [key for part in parts if (key := _decoded(part)) is not None]
    if not parts or len(keys) < len(parts):
        raise SettingsProblem(
            f"{where} does not hold base64 of {KEY_BYTES} bytes, or several of them with commas: "
            f"{MAKE_ONE}."
        )
    if len(keys) > MAX_KEYS:
        raise SettingsProblem(
            f"{where} holds {len(keys)} keys, at most {MAX_KEYS} are allowed: run "
            "`wirewatch secrets reseal` and leave the old ones out."
        )
    return Vault(keys)


def _decoded(part: str) -> bytes | None:
    try:
        key = base64.b64decode(part, validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None
