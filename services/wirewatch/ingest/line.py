"""Which feed is fetched next: what is due, and whose host may be asked. Pure.

A feed whose host is busy waits in the line of its host, so that ten thousand feeds
of one host cost no time and hold up no other (miniflux/v2#1093, #2336).
"""

from collections import deque
from datetime import datetime, timedelta

from wirewatch.ingest.due import DueQueue
from wirewatch.web.errors import FetchProblem
from wirewatch.web.gate import HostGate, host_of

LEAST_WAIT = timedelta(milliseconds=20)
"""A line whose host is busy is looked at no more often, whatever the gate says."""


class Line:
    """Feeds with the time each is due, let through one by one as their hosts allow."""

    def __init__(self, gate: HostGate) -> None:
        self._gate = gate
        self._due = DueQueue()
        self._urls: dict[str, str] = {}
        self._hosts = DueQueue()
        self._waiting: dict[str, deque[str]] = {}
        self._parked: set[str] = set()

    def __len__(self) -> int:
        return len(self._urls)

    def put(self, feed_id: str, url: str, at: datetime) -> None:
        """Add a feed, or move it. One that waits for its host keeps its place."""
        if feed_id in self._parked and self._urls.get(feed_id) == url:
            return
        self._urls[feed_id] = url
        self._due.put(feed_id, at)

    def drop(self, feed_id: str) -> None:
        """Remove a feed, if it is there."""
        self._urls.pop(feed_id, None)
        self._due.drop(feed_id)
        self._parked.discard(feed_id)

    def first(self) -> datetime | None:
        """Return the first time at which `take` may have something, None if never."""
        times = [at for at in (self._due.first(), self._hosts.first()) if at is not None]
        return min(times, default=None)

    def overdue_since(self) -> datetime | None:
        """Return since when the most overdue feed is due that does not wait for its host."""
        return self._due.first()

    def take(self, now: datetime) -> str | None:
        """Remove and return a feed that may be fetched now; its host counts it until `leave`."""
        while (host := self._hosts.take(now)) is not None:
            if (feed_id := self._from_line(host, now)) is not None:
                return feed_id
        while (feed_id := self._due.take(now)) is not None:
            url = self._urls[feed_id]
            host = host_of(url)
            if host not in self._waiting:
                wait = self._gate.enter(url, now)
                if wait is None:
                    del self._urls[feed_id]
                    return feed_id
                self._hosts.put(host, now + max(wait, LEAST_WAIT))
            self._waiting.setdefault(host, deque()).append(feed_id)
            self._parked.add(feed_id)
        return None

    def _from_line(self, host: str, now: datetime) -> str | None:
        line = self._waiting[host]
        while line and (line[0] not in self._parked or host_of(self._urls[line[0]]) != host):
            line.popleft()  # dropped, or moved to another host meanwhile
        if not line:
            del self._waiting[host]
            return None
        wait = self._gate.enter(self._urls[line[0]], now)
        if wait is not None:
            self._hosts.put(host, now + max(wait, LEAST_WAIT))
            return None
        feed_id = line.popleft()
        self._parked.discard(feed_id)
        del self._urls[feed_id]
        self._hosts.put(host, now)
        return feed_id

    def leave(self, url: str, now: datetime, problem: FetchProblem | None) -> None:
        """Say that the fetch of `url` that was let through has ended."""
        self._gate.leave(url, now, problem)
        host = host_of(url)
        if host in self._waiting:
            self._hosts.put(host, now)
