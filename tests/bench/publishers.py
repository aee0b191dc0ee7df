"""Many feeds for one benchmark: the feed server, and how it is told what to serve."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from subprocess import Popen

from wirewatch.topics.feeds import Feed

from .feed_server import host_of
from .processes import ask, free_port, listen, running

AGE = timedelta(hours=3)
"""So old is the first entry of a feed: none of the first versions is in the future."""


@dataclass(frozen=True, slots=True)
class Publishers:
    """A running feed server. Feed `n` stands on host `n % hosts`."""

    process: Popen[str]
    hosts: int
    port: int
    documents: int
    begins_at: datetime

    def url(self, number: int) -> str:
        """Return the address of feed `number`."""
        return f"http://{host_of(number % self.hosts)}:{self.port}/{number}"

    def feed(self, number: int, interval_s: int) -> Feed:
        """Return feed `number` as it stands in the topic."""
        at = self.begins_at
        return Feed(
            id=f"feed_{number:06}",
            url=self.url(number),
            interval_s=interval_s,
            created_at=at,
            updated_at=at,
        )

    def prepare(self, first: int, last: int) -> None:
        """Make the documents of these versions; it takes some milliseconds for each."""
        ask(self.process, f"prepare {first} {last}")

    def show(self, version: int) -> None:
        """Serve `version` from now on: whoever has another is told that it has changed."""
        ask(self.process, f"version {version}")

    def served(self) -> tuple[int, int]:
        """Return how many whole documents and how many 304 there were."""
        changed, unchanged = ask(self.process, "count").split()
        return int(changed), int(unchanged)


@contextlib.contextmanager
def publishers(hosts: int, documents: int | None = None) -> Iterator[Publishers]:
    """Serve on so many hosts; feeds share `documents`, one for each host if nothing is said."""
    begins_at = datetime.now(UTC).replace(microsecond=0) - AGE
    port = free_port()
    documents = documents or hosts
    arguments = (hosts, port, documents, begins_at.isoformat())
    with running("tests.bench.feed_server", *arguments) as process:
        listen(process)
        yield Publishers(process, hosts, port, documents, begins_at)
