"""Every setting of every service, in one place.

Each is read from the environment variable `WIREWATCH_` and its name in capitals,
once, at start. `docs/settings.md` is made from this file (`make docs`).
"""

import ipaddress
import re
import socket
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from wirewatch.runtime.errors import SettingsProblem
from wirewatch.runtime.ports import DEFAULT_PORTS, parse_ports
from wirewatch.runtime.shard import Shard

PREFIX = "WIREWATCH_"
LOCAL_KAFKA_PORT = 19092
METRICS_PORTS = {"ingest": 9401, "match": 9402, "notify": 9403, "api": 9404}
"""Where each service listens for Prometheus unless WIREWATCH_METRICS_PORT says otherwise."""


class LogFormat(StrEnum):
    """How log lines are written."""

    AUTO = "auto"
    CONSOLE = "console"
    JSON = "json"


class LogLevel(StrEnum):
    """The least important log line that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class SmtpTls(StrEnum):
    """How the connection to the mail server is made safe."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class StarterSet(StrEnum):
    """What `wirewatch run` begins with."""

    FULL = "full"
    SAMPLE = "sample"
    NONE = "none"


Port = Annotated[int, Field(ge=1, le=65_535)]
CommaSeparated = Annotated[tuple[str, ...], NoDecode]


def _host_name() -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname()) or "localhost"


class Settings(BaseSettings):
    """The settings, validated as a whole. Durations are in seconds."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    # Kafka
    kafka: str = Field(
        default="",
        description="Bootstrap servers, `host:port` and commas. Empty: the local Kafka, which "
        "`wirewatch run` then starts itself.",
    )
    kafka_port: Port = Field(
        default=LOCAL_KAFKA_PORT, description="Port of the local Kafka on 127.0.0.1."
    )
    kafka_wait_s: float = Field(
        default=15.0, gt=0, le=3600, description="How long a service waits for Kafka at its start."
    )
    topic_prefix: str = Field(
        default="wirewatch.",
        pattern=r"^[a-z0-9.-]{0,100}$",
        description="Stands before every topic name and consumer group.",
    )
    topic_partitions: int = Field(
        default=8, ge=1, le=1024, description="Partitions of a topic when it is created."
    )
    topic_replication: int = Field(
        default=1, ge=1, le=9, description="Replicas of a topic when it is created."
    )
    session_timeout_s: float = Field(
        default=10.0,
        ge=6,
        le=300,
        description="After this long without a heartbeat a worker's partitions go to others.",
    )

    # Process
    instance: str = Field(
        default_factory=_host_name,
        pattern=r"^[A-Za-z0-9._-]{1,120}$",
        description="Name of this worker among its like, kept over restarts (in Kubernetes the "
        "pod's name). It is the static Kafka membership: two workers of a service must differ.",
    )
    data_dir: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("wirewatch", appauthor=False),
        description="Local state: the local Kafka's log, caches of topics, log files. All but the "
        "local Kafka's log is rebuilt from the topics when it is lost.",
    )
    cache_dir: Path = Field(
        default_factory=lambda: platformdirs.user_cache_path("wirewatch", appauthor=False),
        description="Downloads: the local Kafka's program files.",
    )
    log_format: LogFormat = Field(
        default=LogFormat.AUTO,
        description="`console` for people, `json` for machines; `auto` is console on a terminal.",
    )
    log_level: LogLevel = Field(default=LogLevel.INFO, description="Least level that is logged.")
    stop_timeout_s: float = Field(
        default=8.0, gt=0, le=600, description="How long work in hand may take after SIGTERM."
    )
    metrics_host: str = Field(
        default="127.0.0.1", description="Address of /metrics, /healthz and /readyz."
    )
    metrics_port: Port | None = Field(
        default=None,
        description="Port of /metrics, /healthz and /readyz. Empty: ingest 9401, match 9402, "
        "notify 9403, api 9404.",
    )
    allow_networks: CommaSeparated = Field(
        default=(),
        description="Networks (CIDR, commas) that feeds and endpoints may live in although they "
        "are not public, for example `10.20.0.0/16`.",
    )
    allow_ports: CommaSeparated = Field(
        default=DEFAULT_PORTS,
        description="Ports (commas, ranges) at which public feeds and endpoints may listen. Out of "
        "a range the usual ones of mail, databases and administration are left; one named alone "
        "is meant. Allowed networks may be asked at every port.",
    )
    secret_key: SecretStr = Field(
        default=SecretStr(""),
        description="Encrypts endpoints' secrets in their topic: base64 of 32 bytes, made by "
        "`wirewatch secrets new-key`, the same for all workers of api and notify. Several with "
        "commas: the first encrypts, all decrypt. With the local Kafka a key is made by itself.",
    )
    secret_key_file: Path | None = Field(
        default=None,
        description="A file that holds what `WIREWATCH_SECRET_KEY` would; one of the two is set.",
    )

    # ingest
    ingest_contact: str = Field(
        default="",
        pattern=r"^[\x20-\x7e]{0,200}$",
        description="A URL or e-mail address that publishers find in the User-Agent.",
    )
    ingest_interval_s: float = Field(
        default=300.0,
        ge=1,
        le=86_400,
        description="Shortest time between two fetches of a feed, for feeds that change often.",
    )
    ingest_interval_max_s: float = Field(
        default=3_600.0,
        ge=1,
        le=86_400,
        description="Longest time between two fetches of a feed, for feeds that seldom change; at "
        "least the shortest.",
    )
    ingest_hint_max_s: float = Field(
        default=21_600.0,
        ge=0,
        le=86_400,
        description="Longest wait that a publisher's hints (max-age, Expires, ttl, skipHours …) "
        "can ask for.",
    )
    ingest_first_max_age_s: float = Field(
        default=86_400.0,
        ge=0,
        le=3.2e9,
        description="Entries of a new feed that are older are remembered and not published, so "
        "that adding a feed does not flood its subscribers.",
    )
    ingest_max_age_s: float = Field(
        default=1_209_600.0,
        ge=0,
        le=3.2e9,
        description="Entries that turn up later with an older date are not published.",
    )
    ingest_timeout_s: float = Field(
        default=30.0, gt=0, le=600, description="Limit of one fetch, from look-up to last byte."
    )
    ingest_concurrency: int = Field(
        default=64, ge=1, le=10_000, description="Fetches under way at once."
    )
    ingest_host_concurrency: int = Field(
        default=2, ge=1, le=100, description="Fetches under way at once from one host."
    )
    ingest_host_spacing_s: float = Field(
        default=0.25, ge=0, le=3_600, description="Least time between two fetches from one host."
    )
    ingest_page_spacing_s: float = Field(
        default=1.0,
        ge=0,
        le=3_600,
        description="Least time between two article pages from one host (full text).",
    )
    ingest_max_bytes: int = Field(
        default=10_485_760,
        ge=1024,
        le=104_857_600,
        description="Largest feed, on the wire and decompressed.",
    )
    ingest_max_entries: int = Field(
        default=2_000, ge=1, le=100_000, description="Entries read of one feed; the rest is left."
    )
    ingest_workers: int = Field(
        default=0,
        ge=0,
        le=256,
        description="Processes that read documents. 0: one less than there are cores, at most 4.",
    )
    ingest_cpu_s: float = Field(
        default=2.0, gt=0, le=60, description="CPU time that reading one document may take."
    )
    ingest_memory_bytes: int = Field(
        default=200_000_000,
        ge=50_000_000,
        le=2_000_000_000,
        description="Memory that reading one document may take.",
    )
    ingest_callback_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s?#]+)?$",
        description="Where WebSub hubs reach ingest from outside, for example "
        "`https://push.example.org`. Empty: WebSub is off, feeds are polled.",
    )
    ingest_callback_host: str = Field(
        default="127.0.0.1", description="Address on which ingest listens for WebSub hubs."
    )
    ingest_callback_port: Port = Field(
        default=8486, description="Port on which ingest listens for WebSub hubs."
    )
    ingest_websub_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Makes callbacks unguessable and pushes verifiable: the same for all ingest "
        "workers, at least 16 characters, kept secret. Needed with a callback URL.",
    )

    # match
    match_batch_articles: int = Field(
        default=64, ge=1, le=4096, description="Articles matched in one go."
    )
    match_batch_wait_s: float = Field(
        default=0.02, ge=0, le=10, description="How long a batch waits to fill up."
    )

    match_shard: str = Field(
        default="1/1",
        description="Which part of the subscriptions this worker holds: `2/8` is the second of "
        "eight. Workers of one shard share its articles; every shard reads all articles.",
    )
    match_snapshot_s: float = Field(
        default=600.0,
        ge=1,
        le=86_400,
        description="How often a worker saves its subscriptions to disk, if any have changed.",
    )

    # notify
    notify_timeout_s: float = Field(
        default=15.0, gt=0, le=300, description="Limit of one delivery attempt."
    )
    notify_concurrency: int = Field(
        default=128,
        ge=1,
        le=10_000,
        description="Attempts under way at once that have taken less than a second.",
    )
    notify_slow_concurrency: int = Field(
        default=2_000,
        ge=1,
        le=100_000,
        description="Attempts under way at once that take longer. While these are all taken, "
        "endpoints that did not answer well the last time are not asked.",
    )
    notify_fresh_alerts: int = Field(
        default=1_000,
        ge=1,
        le=100_000,
        description="Alerts that wait in memory for their first attempt before more are read.",
    )
    notify_disable_after_days: float = Field(
        default=5.0,
        gt=0,
        le=365,
        description="An endpoint of which every attempt has failed for so long is disabled.",
    )
    notify_origin: str = Field(
        default="wirewatch",
        pattern=r"^[A-Za-z0-9.-]{1,253}$",
        description="The name (a host name, if you have one) under which endpoints are asked for "
        "their permission in the CloudEvents handshake.",
    )
    notify_endpoint_concurrency: int = Field(
        default=4, ge=1, le=100, description="Attempts under way at once to one endpoint."
    )
    notify_remember_days: float = Field(
        default=30.0,
        gt=0,
        le=365,
        description="How long an ended delivery is remembered, so that a repeat is dropped.",
    )

    notify_idle_connections: int = Field(
        default=512,
        ge=1,
        le=100_000,
        description="Connections to receivers that are kept open for a moment, to be used again.",
    )
    smtp_host: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9._:-]{0,253}$",
        description="The mail server for endpoints of kind `email`. Empty: no mail is sent.",
    )
    smtp_port: Port | None = Field(
        default=None, description="Port of the mail server. Empty: 587, with `tls` 465, `none` 25."
    )
    smtp_tls: SmtpTls = Field(
        default=SmtpTls.STARTTLS,
        description="How the connection to the mail server is made safe: `starttls` (never "
        "without), `tls` from the first byte, or `none`.",
    )
    smtp_user: str = Field(
        default="", description="User name at the mail server. Empty: none is asked for."
    )
    smtp_password: SecretStr = Field(
        default=SecretStr(""), description="Password at the mail server."
    )
    smtp_password_file: Path | None = Field(
        default=None,
        description="A file that holds what `WIREWATCH_SMTP_PASSWORD` would; at most one is set.",
    )
    smtp_from: str = Field(
        default="",
        pattern=r"^([^\r\n]{1,200}@[^\r\n]{1,200})?$",
        description="Sender of mails, for example `wirewatch <alerts@example.org>`; needed with a "
        "mail server.",
    )

    # api and tools
    api_host: str = Field(default="127.0.0.1", description="Address of the API and status page.")
    api_port: Port = Field(default=8400, description="Port of the API and status page.")
    wikidata_url: str = Field(
        default="https://www.wikidata.org/w/api.php",
        description="The API that `wirewatch entities import` asks.",
    )
    api_url: str = Field(
        default="http://127.0.0.1:8400",
        pattern=r"^https?://[^\s]+$",
        description="Where the command line finds the API.",
    )
    starter: StarterSet = Field(
        default=StarterSet.FULL,
        description="What `wirewatch run` begins with: `full`: example alerts, sample newsroom and "
        "real feeds; `sample`: the same without real feeds; `none`: nothing.",
    )
    listen_port: Port = Field(
        default=8484, description="Port of `wirewatch listen` and of `wirewatch run`'s receiver."
    )
    newsroom_port: Port = Field(
        default=8485, description="Port of the sample newsroom that `wirewatch run` serves."
    )

    @field_validator("allow_networks", "allow_ports", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("secret_key_file", "smtp_password_file", "smtp_port", mode="before")
    @classmethod
    def _no_file(cls, value: Any) -> Any:
        return value or None

    @field_validator("allow_networks")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            ipaddress.ip_network(network)
        return value

    @field_validator("allow_ports")
    @classmethod
    def _ports(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        parse_ports(value)
        return value

    @field_validator("match_shard")
    @classmethod
    def _shard(cls, value: str) -> str:
        return str(Shard.read(value))

    @field_validator("kafka")
    @classmethod
    def _servers(cls, value: str) -> str:
        for server in filter(None, value.split(",")):
            if not re.fullmatch(r"\s*\S+:\d{1,5}\s*", server):
                raise ValueError("host:port, several with commas")
        return value

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.smtp_host and not self.smtp_from:
            raise ValueError(
                "WIREWATCH_SMTP_FROM, whom mails are from, is needed with WIREWATCH_SMTP_HOST"
            )
        if self.smtp_password_file and self.smtp_password.get_secret_value():
            raise ValueError(
                "set WIREWATCH_SMTP_PASSWORD or WIREWATCH_SMTP_PASSWORD_FILE, not both"
            )
        if self.ingest_callback_url and len(self.ingest_websub_secret.get_secret_value()) < 16:
            raise ValueError(
                "WIREWATCH_INGEST_WEBSUB_SECRET needs at least 16 characters where "
                "WIREWATCH_INGEST_CALLBACK_URL is set"
            )
        return self

    @property
    def bootstrap(self) -> list[str]:
        """The Kafka servers to ask first."""
        if not self.kafka:
            return [f"127.0.0.1:{self.kafka_port}"]
        return [server.strip() for server in self.kafka.split(",") if server.strip()]

    @property
    def shard(self) -> Shard:
        """The part of the subscriptions that this worker holds."""
        return Shard.read(self.match_shard)

    def group(self, service: str) -> str:
        """Return the consumer group of `service`."""
        return f"{self.topic_prefix}{service}"

    def metrics_port_of(self, service: str) -> int:
        """Return the port on which `service` answers Prometheus."""
        return self.metrics_port or METRICS_PORTS[service]


def load_settings(**overrides: Any) -> Settings:
    """Read the settings from the environment; `overrides` win (used by tests and `run`).

    Raises SettingsProblem with one line for each wrong setting: its name, its
    value and what is allowed.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise SettingsProblem("\n".join(_explain(detail) for detail in error.errors())) from error


def _explain(detail: Any) -> str:
    message = str(detail["msg"]).removeprefix("Value error, ")
    if not detail["loc"]:
        return f"{message}."
    name = PREFIX + str(detail["loc"][0]).upper()
    message = message[:1].lower() + message[1:]
    return f"{name}={detail['input']!r} is not allowed: {message}."
