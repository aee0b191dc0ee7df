"""The vault: what it opens, what it does not, and that it never quotes."""

import base64
import logging
import stat
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.runtime.errors import SettingsProblem
from wirewatch.runtime.settings import Settings, load_settings
from wirewatch.runtime.vault import (
    Vault,
    VaultError,
    load_vault,
    local_key_file,
    new_key,
    secrets_of,
)
from wirewatch.topics.endpoints import Endpoint, EndpointSecrets, SigningKey

OLD, NEW = b"o" * 32, b"n" * 32
AT = datetime(2026, 3, 1, tzinfo=UTC)
TOKEN = "tk_hushhushhush"
SECRETS = EndpointSecrets(
    keys=(SigningKey(secret="whsec_hushhushhush"), SigningKey(secret="whsk_hush", until=AT)),
    url="https://hooks.example/hushhushhush",
    token=TOKEN,
    headers=(("Authorization", "Bearer hushhushhush"),),
    ca="pem",
    certificate="pem",
    private_key="hushhushhush",
)
WRITTEN = base64.b64encode(OLD).decode()


def endpoint(**fields) -> Endpoint:
    return Endpoint(
        **({"id": "end_1", "url": "https://x/", "created_at": AT, "updated_at": AT} | fields)
    )


def test_what_is_sealed_opens_again_and_is_not_readable_meanwhile():
    vault = Vault([OLD])
    sealed = vault.seal(SECRETS, bound_to="end_1")
    assert vault.open(sealed, bound_to="end_1") == SECRETS
    raw = base64.urlsafe_b64decode(sealed)
    assert b"hush" not in raw
    assert sealed != vault.seal(SECRETS, bound_to="end_1")


@given(st.text(alphabet=st.characters(codec="utf-8")), st.text(max_size=30))
def test_any_text_comes_back(token, bound_to):
    vault = Vault([OLD])
    secrets = EndpointSecrets(token=token)
    bound = bound_to.encode("utf-8", "replace").decode()
    assert vault.open(vault.seal(secrets, bound_to=bound), bound_to=bound) == secrets


def test_a_sealed_text_cannot_be_moved_to_another_endpoint():
    vault = Vault([OLD])
    with pytest.raises(VaultError, match="sealed for another endpoint"):
        vault.open(vault.seal(SECRETS, bound_to="end_1"), bound_to="end_2")


def test_every_changed_byte_is_noticed():
    vault = Vault([OLD])
    raw = base64.urlsafe_b64decode(vault.seal(SECRETS, bound_to="end_1"))
    for place in range(len(raw)):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        with pytest.raises(VaultError):
            vault.open(base64.urlsafe_b64encode(changed).decode(), bound_to="end_1")


@pytest.mark.parametrize("text", ["", "x", "!!!", "hushhushhush", "AQ==", "é", "A" * 40, "/w" * 60])
def test_what_was_never_sealed_is_refused_and_not_quoted(text):
    with pytest.raises(VaultError) as caught:
        Vault([OLD]).open(text, bound_to="end_1")
    assert "hush" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_first_key_seals_and_all_open():
    before = Vault([OLD]).seal(SECRETS, bound_to="end_1")
    both = Vault([NEW, OLD])
    assert both.open(before, bound_to="end_1") == SECRETS
    after = both.seal(SECRETS, bound_to="end_1")
    assert (both.is_newest(before), both.is_newest(after), both.is_newest("x")) == (
        False, True, False,
    )  # fmt: skip
    assert Vault([NEW]).open(after, bound_to="end_1") == SECRETS
    with pytest.raises(VaultError, match="with a key that is not here"):
        Vault([NEW]).open(before, bound_to="end_1")


@pytest.mark.parametrize("keys", [[], [b"short"], [OLD, b""]])
def test_a_vault_needs_whole_keys(keys):
    with pytest.raises(ValueError, match="keys of 32 bytes"):
        Vault(keys)


def test_the_open_secret_of_version_1_is_read_until_it_is_sealed():
    vault = Vault([OLD])
    assert secrets_of(endpoint(secret="whsec_x"), vault).keys == (SigningKey(secret="whsec_x"),)
    assert secrets_of(endpoint(), vault) == EndpointSecrets()
    sealed = vault.seal(SECRETS, bound_to="end_1")
    assert secrets_of(endpoint(sealed=sealed, secret="whsec_x"), vault) == SECRETS


def test_keys_come_from_the_environment_several_with_commas(monkeypatch):
    monkeypatch.setenv("WIREWATCH_SECRET_KEY", f"{new_key()}, {WRITTEN}")
    sealed = Vault([OLD]).seal(SECRETS, bound_to="end_1")
    assert load_vault(load_settings()).open(sealed, bound_to="end_1") == SECRETS


def test_keys_come_from_a_file_one_a_line(tmp_path: Path):
    file = tmp_path / "key"
    file.write_text(f"{new_key()}\n{WRITTEN}\n")
    sealed = Vault([OLD]).seal(SECRETS, bound_to="end_1")
    vault = load_vault(Settings(secret_key_file=file, kafka="k:1"))
    assert vault.open(sealed, bound_to="end_1") == SECRETS


@pytest.mark.parametrize(
    "key",
    ["hush", base64.b64encode(b"x" * 31).decode(), f"{WRITTEN},hush", " , ", "é" * 43],
)
def test_a_wrong_key_is_said_and_not_quoted(key):
    with pytest.raises(SettingsProblem) as caught:
        load_vault(Settings(secret_key=key, kafka="k:1"))
    said = str(caught.value)
    assert said.startswith("WIREWATCH_SECRET_KEY does not hold base64 of 32 bytes")
    assert "wirewatch secrets new-key" in said
    assert key not in said


def test_too_many_keys_are_refused():
    many = ",".join(new_key() for _ in range(9))
    with pytest.raises(SettingsProblem, match="holds 9 keys, at most 8"):
        load_vault(Settings(secret_key=many))


def test_two_places_for_the_key_are_one_too_many(tmp_path: Path):
    with pytest.raises(SettingsProblem, match="are both set"):
        load_vault(Settings(secret_key=WRITTEN, secret_key_file=tmp_path / "x"))


def test_without_a_key_a_foreign_kafka_gets_no_secrets():
    with pytest.raises(SettingsProblem, match="make one with `wirewatch secrets new-key`"):
        load_vault(Settings(kafka="k:1"))


def test_an_empty_file_setting_is_none(monkeypatch):
    monkeypatch.setenv("WIREWATCH_SECRET_KEY_FILE", "")
    assert load_settings().secret_key_file is None


@pytest.mark.parametrize("content", [None, "x" * 5_000, b"\xff\x00"])
def test_a_key_file_that_is_none_is_named(tmp_path: Path, content):
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SettingsProblem, match=str(file)):
        load_vault(Settings(secret_key_file=file))


def test_with_the_local_kafka_a_key_is_made_once_for_its_owner_only(tmp_path: Path):
    settings = Settings(data_dir=tmp_path / "data")
    sealed = load_vault(settings).seal(SECRETS, bound_to="end_1")
    file = local_key_file(settings.data_dir)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load_vault(settings).open(sealed, bound_to="end_1") == SECRETS
    assert [each.name for each in settings.data_dir.iterdir()] == ["secret-key"]


def test_processes_that_start_at_once_get_the_same_key(tmp_path: Path):
    start, keys = threading.Barrier(8), []

    def make() -> None:
        start.wait()
        keys.append(local_key_file(tmp_path).read_text())

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["secret-key"]


def test_a_data_folder_that_cannot_be_written_is_said(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsProblem, match="set WIREWATCH_DATA_DIR"):
        load_vault(Settings(data_dir=tmp_path / "file"))


def test_nothing_shows_a_key_or_a_secret(caplog):
    caplog.set_level(logging.DEBUG)
    vault = Vault([OLD])
    settings = Settings(secret_key=WRITTEN)
    sealed = endpoint(sealed=vault.seal(SECRETS, bound_to="end_1"), secret="whsec_hushhushhush")
    shown = [repr(each) for each in (vault, settings, SECRETS, SECRETS.keys, sealed)]
    shown += [str(each) for each in (vault, settings, SECRETS, sealed)]
    shown += [settings.model_dump_json(), f"{SECRETS}", caplog.text]
    for text in shown:
        assert "hush" not in text
        assert WRITTEN not in text
        assert "oooooo" not in text
