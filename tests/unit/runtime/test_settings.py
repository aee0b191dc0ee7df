import importlib.util
from pathlib import Path

import pytest

from wirewatch.runtime.errors import SettingsProblem
from wirewatch.runtime.settings import Settings, load_settings

ROOT = Path(__file__).parents[3]


def test_the_documented_settings_are_the_real_ones() -> None:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)

    assert (ROOT / "docs" / "settings.md").read_text() == generate.settings_page()


def test_environment_variables_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIREWATCH_KAFKA", "a:9092, b:9093")
    monkeypatch.setenv("WIREWATCH_ALLOW_NETWORKS", "10.0.0.0/8, fd00::/8")

    settings = load_settings()

    assert settings.bootstrap == ["a:9092", "b:9093"]
    assert settings.allow_networks == ("10.0.0.0/8", "fd00::/8")


def test_without_kafka_the_local_one_is_meant() -> None:
    assert load_settings(kafka_port=20000).bootstrap == ["127.0.0.1:20000"]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("INGEST_INTERVAL_S", "soon", "WIREWATCH_INGEST_INTERVAL_S='soon' is not allowed"),
        ("INGEST_INTERVAL_S", "0", "greater than or equal to 1"),
        ("API_PORT", "70000", "less than or equal to 65535"),
        ("LOG_FORMAT", "xml", "'auto', 'console' or 'json'"),
        ("KAFKA", "localhost", "host:port, several with commas"),
        ("ALLOW_NETWORKS", "10.0.0.1/8", "10.0.0.1/8 has host bits set"),
        ("MATCH_SHARD", "9/8", "shards are counted from 1/N to N/N, with N at most 64"),
        ("MATCH_SHARD", "half", "a shard is written as 2/8: the second of eight"),
        ("TOPIC_PREFIX", "Wire Watch", "WIREWATCH_TOPIC_PREFIX='Wire Watch' is not allowed"),
    ],
)
def test_a_wrong_value_names_setting_value_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(f"WIREWATCH_{name}", value)

    with pytest.raises(SettingsProblem) as caught:
        load_settings()

    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_wrong_setting_has_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIREWATCH_API_PORT", "x")
    monkeypatch.setenv("WIREWATCH_LISTEN_PORT", "y")

    with pytest.raises(SettingsProblem) as caught:
        load_settings()

    assert [line.split("=")[0] for line in str(caught.value).splitlines()] == [
        "WIREWATCH_API_PORT",
        "WIREWATCH_LISTEN_PORT",
    ]


def test_every_setting_says_what_it_means() -> None:
    assert all(field.description for field in Settings.model_fields.values())
