"""How often one publisher's machines are asked. Pure: times come in, waits go out.

HostGate    lets requests through, host by host
host_of     what counts as one host
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from wirewatch.web.errors import FetchProblem

FIRST_HOLD = timedelta(seconds=5)
LONGEST_HOLD = timedelta(minutes=5)
"""A host that is too busy holds up all its feeds, so not for longer (FreshRSS/FreshRSS#7870).

The one feed that was told to come back later waits for as long as it was told; that is
for its schedule to see to.
"""
BUSY_WAIT = timedelta(milliseconds=100)
MAX_HOSTS = 50_000
SLOW_DOWN = frozenset({429, 503})
SHARED_BY_MANY = frozenset(
    {
        "blogspot.com",
        "ghost.io",
        "github.io",
        "hatenablog.com",
        "livejournal.com",
        "medium.com",
        "over-blog.com",
        "reddit.com",
        "substack.com",
        "tumblr.com",
        "typepad.com",
        "wordpress.com",
    }
)
"""Services that give each author a host name and count requests to all of them together."""

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def host_of(url: str) -> str:
    """Return the name under which requests to `url` are counted; never raises.

    It is the lower-case host without port and `www.`; for a service with a name for
    each author it is the service (FreshRSS/FreshRSS#8925). An address in numbers or
    a name without a dot keeps its port: on an operator's own machine each port is
    another service. What is no URL counts as the empty host.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return ""
    if "." not in host or ":" in host or host.replace(".", "").isdecimal():
        return f"{host}:{port}" if port else host
    service = ".".join(host.rsplit(".", 2)[-2:])
    return service if service in SHARED_BY_MANY else host.removeprefix("www.")


@dataclass(slots=True)
class _Host:
    """What is remembered of one host. `strikes` counts holds since the last success."""

    active: int = 0
    next_start: datetime = _LONG_AGO
    held_until: datetime = _LONG_AGO
    strikes: int = 0


class HostGate:
    """Lets at most `concurrency` requests to a host be under way, their starts `spacing` apart.

    An answer 429 or 503 holds the whole host: for what it asks for, at least a few
    seconds, twice as long each time, never longer than five minutes; a success
    afterwards is the end of it. All operations take constant time. Of more than
    `max_hosts` hosts those not asked for the longest time are forgotten.
    """

    def __init__(
        self,
        *,
        concurrency: int = 2,
        spacing: timedelta = timedelta(0),
        max_hosts: int = MAX_HOSTS,
    ) -> None:
        self._concurrency = concurrency
        self._spacing = spacing
        self._max_hosts = max_hosts
        self._hosts: OrderedDict[str, _Host] = OrderedDict()

    def __len__(self) -> int:
        return len(self._hosts)

    def enter(self, url: str, now: datetime) -> timedelta | None:
        """Let a request through and return None, or return how long to wait before asking again.

        Each None must be followed by one `leave`.
        """
        host = self._remember(host_of(url))
        start = max(host.held_until, host.next_start)
        if start > now:
            return start - now
        if host.active >= self._concurrency:
            return max(self._spacing, BUSY_WAIT)
        host.active += 1
        host.next_start = now + self._spacing
        return None

    def leave(self, url: str, now: datetime, problem: FetchProblem | None) -> None:
        """Say that a request that was let through has ended, and how."""
        host = self._remember(host_of(url))
        host.active = max(0, host.active - 1)
        if host.held_until > now:
            return  # of requests that were under way together, the first to fail speaks for all
        if problem is None:
            host.strikes = 0
        elif problem.status in SLOW_DOWN:
            asked = problem.retry_after or timedelta(0)
            own = FIRST_HOLD * 2 ** min(host.strikes, 10)
            host.held_until = now + min(max(asked, own), LONGEST_HOLD)
            host.strikes += 1

    def _remember(self, name: str) -> _Host:
        host = self._hosts.get(name)
        if host is None:
            self._forget_one()
            host = self._hosts[name] = _Host()
        else:
            self._hosts.move_to_end(name)
        return host

    def _forget_one(self) -> None:
        """Make room. A host with requests under way stays; those are few, as are the tries."""
        for _ in range(8):
            if len(self._hosts) < self._max_hosts:
                return
            name, host = self._hosts.popitem(last=False)
            if host.active:
                self._hosts[name] = host
