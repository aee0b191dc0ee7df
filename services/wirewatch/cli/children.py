"""Processes started by `wirewatch run`: their logs, their restarts, their end."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from wirewatch.runtime.errors import Problem
from wirewatch.runtime.lifecycle import EXIT_PROBLEM
from wirewatch.runtime.local_kafka import die_with_parent

RESTART_AFTER_S = (1.0, 2.0, 5.0, 10.0, 30.0)
MAX_LOG_BYTES = 20_000_000
"""A larger log file is moved aside when its service starts; one old file is kept."""
MAX_LINE_BYTES = 1_048_576

_ALARMING = frozenset({"error", "critical"})

Say = Callable[[str], None]


class ServiceProblem(Problem):
    """A service could not start; its own sentence is the message."""


class Child:
    """One service as a process, started again when it dies.

    Its log goes to `log_file`; lines of level error also to `say`.
    """

    def __init__(self, service: str, env: Mapping[str, str], log_file: Path, say: Say) -> None:
        self.service = service
        self._env = env
        self._log_file = log_file
        self._say = say
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """The process id while the process runs."""
        return self._process.pid if self._process else None

    async def run(self) -> None:
        """Keep the service running until `stop`.

        Raises ServiceProblem if it ends with a problem of its user's (exit code 1).
        """
        deaths = 0
        while True:
            last_words = await self._run_once()
            code = self._process.returncode if self._process else 0
            self._process = None
            if self._stopping:
                return
            if code == EXIT_PROBLEM:
                raise ServiceProblem(last_words or f"{self.service} could not start")
            wait_s = RESTART_AFTER_S[min(deaths, len(RESTART_AFTER_S) - 1)]
            deaths += 1
            self._say(f"{self.service} ended (code {code}), starting it again in {wait_s:.0f} s")
            await asyncio.sleep(wait_s)

    async def _run_once(self) -> str:
        _make_room(self._log_file)
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "wirewatch", self.service),
            env=dict(self._env),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            limit=MAX_LINE_BYTES,
            start_new_session=True,
            preexec_fn=die_with_parent if sys.platform == "linux" else None,
        )
        last_words = ""
        stderr = self._process.stderr
        with self._log_file.open("ab", buffering=0) as log:
            while stderr is not None and (line := await _next_line(stderr)):
                log.write(line)
                last_words = self._echo(line.decode(errors="replace").strip()) or last_words
        await self._process.wait()
        return last_words

    def _echo(self, line: str) -> str:
        """Show a line that matters; return it if it is not a log line but a sentence."""
        try:
            event = json.loads(line)
        except ValueError:
            return line
        # Only our own lines have a room; a library's errors are often about a passing moment.
        if isinstance(event, dict) and "room" in event and event.get("level") in _ALARMING:
            self._say(f"{self.service}: {event.get('event')} (see {self._log_file})")
        return ""

    async def stop(self, limit_s: float) -> None:
        """Ask the process to end; kill it after `limit_s`."""
        self._stopping = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        _signal(process.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), limit_s)
        except TimeoutError:
            _signal(process.pid, signal.SIGKILL)
            await process.wait()
        if process.stderr is not None:
            with self._log_file.open("ab") as log:
                log.write(await process.stderr.read())


async def _next_line(stream: asyncio.StreamReader) -> bytes:
    while True:
        try:
            return await stream.readline()
        except ValueError:  # a line over the limit: it is dropped, the next one is read
            continue


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _make_room(log_file: Path) -> None:
    log_file.parent.mkdir(parents=True, exist_ok=True)
    if log_file.exists() and log_file.stat().st_size > MAX_LOG_BYTES:
        log_file.replace(log_file.with_suffix(".old.log"))
