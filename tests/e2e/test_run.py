"""`wirewatch run` as a newcomer meets it: one command, an alert, Ctrl-C, and again."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fakes.road import until
from wirewatch.runtime.settings import Settings


class Run:
    """`wirewatch run` with data, ports and a console of its own."""

    def __init__(self, folder: Path, first_port: int, cache_dir: Path) -> None:
        names = ("KAFKA_PORT", None, "API_PORT", "LISTEN_PORT", "NEWSROOM_PORT", "METRICS_PORT")
        self.env = os.environ | {
            "WIREWATCH_DATA_DIR": str(folder / "data"),
            "WIREWATCH_CACHE_DIR": str(cache_dir),
            "WIREWATCH_STARTER": "sample",
            "COLUMNS": "160",
        }
        for number, name in enumerate(names):
            if name is not None:
                self.env[f"WIREWATCH_{name}"] = str(first_port + number)
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def console(self) -> str:
        return (self._folder / "console").read_text()

    def start(self) -> None:
        with (self._folder / "console").open("wb") as console:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "wirewatch", "run"],
                env=self.env,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    async def shows(self, pattern: str) -> None:
        async def condition() -> bool:
            assert self._process is not None
            assert self._process.poll() is None, self.console
            return re.search(pattern, self.console) is not None

        await until(condition, f"the console shows {pattern}", limit_s=90)

    def end(self, number: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(30)

    def left_behind(self) -> list[str]:
        """Return the command lines of processes that still run on this data folder."""
        mark = f"WIREWATCH_DATA_DIR={self.env['WIREWATCH_DATA_DIR']}".encode()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (process / "environ").read_bytes():
                    found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
        return found


def once(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run `wirewatch run` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "wirewatch", "run"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def run(kafka: str, tmp_path: Path, free_ports: Callable[[int], int]) -> Iterator[Run]:
    """A run of its own; the session's Kafka is asked for only so that its jars are fetched."""
    run = Run(tmp_path, free_ports(9), Settings().cache_dir)
    yield run
    if run._process is not None and run._process.poll() is None:
        run.end(signal.SIGINT)


@pytest.mark.timeout(300)
async def test_first_alert_ctrl_c_and_a_second_run(run: Run) -> None:
    run.start()
    await run.shows(r"wirewatch is up")
    await run.shows(r"North Korea.* de .*[Nn]ordkorea")
    await run.shows(r"\d+ feeds are watched, (\d+) answer")
    alerts = len(re.findall(r"^\d\d:\d\d:\d\d  ", run.console, re.MULTILINE))
    assert alerts >= 10
    assert run.end(signal.SIGINT) == 0
    assert run.left_behind() == []
    assert "Traceback" not in run.console

    run.start()
    await run.shows(r"\d+ feeds are watched, (\d+) answer")
    assert not re.search(r"^\d\d:\d\d:\d\d  ", run.console, re.MULTILINE), "nothing is told twice"
    run.end(signal.SIGKILL)

    async def all_gone() -> bool:
        return run.left_behind() == []

    await until(all_gone, "a killed run takes its processes with it")


async def test_a_second_run_on_the_same_data_says_so(run: Run) -> None:
    run.start()
    await run.shows(r"wirewatch is up")

    other = once(run.env)

    assert other.returncode == 1
    assert re.fullmatch(
        r"wirewatch: wirewatch already runs on .* \(process \d+\): stop it first, "
        r"or set WIREWATCH_DATA_DIR to another folder\.\n",
        other.stderr,
    )


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"WIREWATCH_API_PORT": "soon"}, r"WIREWATCH_API_PORT='soon' is not allowed: .*\."),
        (
            {"WIREWATCH_KAFKA": "127.0.0.1:1", "WIREWATCH_KAFKA_WAIT_S": "0.2"},
            r"Kafka at 127\.0\.0\.1:1 cannot be reached \(.*\): check WIREWATCH_KAFKA .*\.",
        ),
        (
            {"WIREWATCH_DATA_DIR": "/proc/nowhere"},
            r"The data folder /proc/nowhere cannot be used .*: set WIREWATCH_DATA_DIR to .*\.",
        ),
        (
            # Nobody answers at this proxy: as on a machine without network.
            {"WIREWATCH_CACHE_DIR": "{tmp}", "HTTPS_PROXY": "http://127.0.0.1:1"},
            r"Apache Kafka cannot be fetched into .*: connect to the network .*\.",
        ),
    ],
)
def test_what_hinders_the_start_is_one_sentence(
    run: Run, tmp_path: Path, environment: dict[str, str], says: str
) -> None:
    own = {name: value.replace("{tmp}", str(tmp_path)) for name, value in environment.items()}

    done = once(run.env | own)

    assert done.returncode == 1
    assert re.fullmatch(f"wirewatch: {says}\n", done.stderr)


def test_a_taken_port_is_one_sentence(run: Run) -> None:
    import socket  # noqa: PLC0415

    port = int(run.env["WIREWATCH_API_PORT"])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        done = once(run.env)

    assert done.returncode == 1
    assert done.stderr == (
        f"wirewatch: The API cannot listen on 127.0.0.1:{port}, the port is taken: "
        "stop what uses it, or set WIREWATCH_API_PORT to a free port.\n"
    )
