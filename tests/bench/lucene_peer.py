"""The peer of the matching index: Apache Lucene Monitor.

A Java program (`lucene/`) that Maven builds here when it is first needed, or when its source has
changed. It runs as a child process in one thread and takes its own time, so the pipe is not in it.
Lucene 10 needs Java 21; on an older one Lucene 9 is taken, and its figures must be called so
(`LucenePeer.version`).
"""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import platformdirs

from wirewatch.runtime.local_kafka import die_with_parent

from .processes import ask, end

PROJECT = Path(__file__).parent / "lucene"
TARGET = PROJECT / "target"
MAIN = "wirewatch.bench.MonitorPeer"
JVMS = Path("/usr/lib/jvm")
BATCH = 1
"""8 and 64 at once were measured: they are slower, and more queries are tried for an article."""
BUILD_LIMIT_S = 600.0
STEMS_LIMIT_S = 120.0


class Unavailable(Exception):
    """The peer cannot be had on this machine; the message says why."""


@dataclass(frozen=True, slots=True)
class Release:
    """A Lucene, and the feature release of Java that it needs."""

    lucene: str
    java: int


RELEASES = (Release("10.3.0", java=21), Release("9.11.1", java=17))
"""The first one that Java is new enough for is measured."""


@dataclass(frozen=True, slots=True)
class Jdk:
    """A JDK and the Lucene that is measured with it."""

    home: Path
    release: Release


class Forms(msgspec.Struct, frozen=True):
    """A word and the forms that Lucene compares it by."""

    language: str
    word: str
    folded: str
    stem: str


class Loaded(msgspec.Struct, frozen=True):
    """What the queries took; `heap_mb` is what is in use after a collection."""

    seconds: float
    queries: int
    heap_mb: int


class Matched(msgspec.Struct, frozen=True):
    """What matching took, analysis of the articles included.

    `candidates` is how many queries were tried, each once for a batch. `ids` has the queries of
    each article that has any, if they were asked for.
    """

    seconds: float
    articles: int
    matches: int
    candidates: int
    ids: Mapping[str, tuple[str, ...]] = {}

    @property
    def articles_per_s(self) -> float:
        """The speed."""
        return self.articles / self.seconds


class LucenePeer:
    """The running peer, a Lucene of this `version`; made by `running`."""

    def __init__(self, process: subprocess.Popen[str], version: str) -> None:
        self._process = process
        self.version = version

    def load(self, trees: Path) -> Loaded:
        """Store the queries of a file (JSON lines, see `match_corpus.Files`) instead of others."""
        return msgspec.json.decode(self._ask({"do": "load", "queries": str(trees)}), type=Loaded)

    def match(
        self, articles: Path, first: int, end: int, *, batch: int = BATCH, results: bool = False
    ) -> Matched:
        """Match the articles of a file from number `first` to before `end`, `batch` at once."""
        wanted = {"from": first, "to": end, "batch": batch, "results": results}
        answer = self._ask({"do": "match", "articles": str(articles), **wanted})
        return msgspec.json.decode(answer, type=Matched)

    def _ask(self, what: Mapping[str, object]) -> str:
        return ask(self._process, msgspec.json.encode(what).decode())


@contextmanager
def running(*, heap_gb: int) -> Iterator[LucenePeer]:
    """Run the peer, built if need be; it is ended in any case. Raises Unavailable."""
    jdk = _jdk()
    process = subprocess.Popen(
        [*_command(jdk), f"-Xmx{heap_gb}g", MAIN],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,  # Ctrl-C is ours; we end it
        preexec_fn=die_with_parent,  # noqa: PLW1509
    )
    try:
        yield LucenePeer(process, jdk.release.lucene)
    finally:
        end(process)


def stems(language: str, words: Iterable[str]) -> list[Forms]:
    """Return the forms of `words` by Lucene, asked once and then kept. Raises Unavailable."""
    asked = "".join(f"{language}\t{word}\n" for word in words)
    jdk = _jdk()
    kept = _cache() / f"stems-{language}-{_digest(_state(jdk.release), asked.encode())}.tsv"
    if not kept.exists():
        answer = _run([*_command(jdk), MAIN, "stems"], STEMS_LIMIT_S, asked)
        kept.parent.mkdir(parents=True, exist_ok=True)
        draft = kept.with_suffix(f".{os.getpid()}")
        draft.write_text(answer, encoding="utf-8")
        draft.replace(kept)
    return [Forms(*line.split("\t")) for line in kept.read_text(encoding="utf-8").splitlines()]


def _cache() -> Path:
    return platformdirs.user_cache_path("wirewatch", appauthor=False) / "bench"


def _command(jdk: Jdk) -> list[str]:
    """Return how Java runs the classes of the peer, which are built if need be."""
    build(jdk)
    classes = os.pathsep.join((str(TARGET / "classes"), str(TARGET / "lib" / "*")))
    vectors = ("--add-modules", "jdk.incubator.vector")  # Lucene asks for them
    return [str(jdk.home / "bin" / "java"), *vectors, "-cp", classes]


def build(jdk: Jdk) -> None:
    """Build the peer if it is not built from the sources as they are. Raises Unavailable."""
    mark = TARGET / "built"
    state = _digest(_state(jdk.release))
    if mark.exists() and mark.read_text() == state:
        return
    maven = shutil.which("mvn")
    if maven is None:
        raise Unavailable("Maven (mvn) is not on the PATH: install it to measure Lucene")
    versions = (
        f"-Dlucene.version={jdk.release.lucene}",
        f"-Dmaven.compiler.release={jdk.release.java}",
    )
    pom = str(PROJECT / "pom.xml")
    command = [maven, "-q", "-B", "-f", pom, *versions, "clean", "process-classes"]
    _run(command, BUILD_LIMIT_S, "", env=os.environ | {"JAVA_HOME": str(jdk.home)})
    mark.write_text(state)


def _jdk() -> Jdk:
    """Return that of JAVA_HOME if it is new enough for the first of `RELEASES`, or the newest."""
    named = os.environ.get("JAVA_HOME")
    javac = shutil.which("javac")
    homes = [Path(named)] if named else []
    if homes and _java_version(homes[0]) >= RELEASES[0].java:
        return Jdk(homes[0], RELEASES[0])
    homes += [Path(javac).resolve().parents[1]] if javac else []
    newest = max([*homes, *sorted(JVMS.glob("*"))], key=_java_version, default=JVMS)
    for release in RELEASES:
        if _java_version(newest) >= release.java:
            return Jdk(newest, release)
    raise Unavailable(f"there is no JDK of {RELEASES[-1].java} or newer: set JAVA_HOME to one")


def _java_version(home: Path) -> int:
    """Return the feature release of the JDK in a folder, 0 if there is none or it does not say."""
    release = home / "release"
    if not (home / "bin" / "javac").exists() or not release.exists():
        return 0
    lines = release.read_text().splitlines()
    versions = [line.split('"')[1] for line in lines if line.startswith("JAVA_VERSION=")]
    first = versions[0].split(".")[0] if versions else "0"
    return int(first) if first.isdecimal() else 0


def _state(release: Release) -> bytes:
    """Return what the classes are made from."""
    files = [PROJECT / "pom.xml", *sorted(PROJECT.glob("src/**/*.java"))]
    return b"".join([str(release).encode(), *(file.read_bytes() for file in files)])


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def _run(command: list[str], limit_s: float, text: str, env: dict[str, str] | None = None) -> str:
    """Return what a command says that is given `text`. Raises Unavailable if it fails."""
    try:
        done = subprocess.run(
            command,
            input=text,
            capture_output=True,
            encoding="utf-8",
            timeout=limit_s,
            env=env,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        said = (error.stdout + error.stderr).strip()
        raise Unavailable(f"{Path(command[0]).name} failed: {said[-1500:]}") from error
    except (subprocess.TimeoutExpired, OSError) as error:
        raise Unavailable(f"{Path(command[0]).name} did not do its work: {error}") from error
    return done.stdout
