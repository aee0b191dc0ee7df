"""Which ports of other people's machines may be asked. Pure.

A feed or a webhook lives where a web server listens. Whoever may name a URL could
otherwise have us knock at every mail server, database and remote shell, and what a
firewall lets through for our address would be open to them. Refused are the ports
that browsers refuse too (https://fetch.spec.whatwg.org/#port-blocking: protocols
that a crafted HTTP request can speak by mistake), those below 1024 but 80 and 443,
and the usual ones of databases, queues and administration, which have no business
on the open internet and are there by accident.
"""

from collections.abc import Iterable
from dataclasses import dataclass

DEFAULT_PORTS = ("80", "443", "1024-65535")
MAX_PORT = 65_535

BROWSERS_REFUSE = frozenset(
    {
        *(1719, 1720, 1723),  # H.323, PPTP
        2049,  # NFS
        *(3659, 4045, 4190),  # password server, NFS locks, ManageSieve
        *(5060, 5061),  # SIP
        *(6000, 6566),  # X11, SANE
        *(6665, 6666, 6667, 6668, 6669, 6679, 6697),  # IRC
        10080,  # Amanda
    }
)
"""The bad ports of the Fetch standard above 1023; those below are not in the default."""
SERVERS_BEHIND = frozenset(
    {
        *(1099, 1433, 1434, 1521, 1883),  # Java RMI, SQL Server, Oracle, MQTT
        *(2181, 2375, 2376, 2377, 2379, 2380),  # ZooKeeper, Docker, etcd
        *(3306, 3389),  # MySQL, remote desktop
        *(4222, 4369),  # NATS, Erlang
        *(5432, 5433, 5671, 5672, 5900, 5901, 5902, 5903, 5984, 5985, 5986),
        # PostgreSQL, AMQP, VNC, CouchDB, WinRM
        *(6379, 6380, 6443),  # Redis, Kubernetes
        *(7000, 7001, 7199, 7687),  # Cassandra, Neo4j
        *(8500, 8600, 8086),  # Consul, InfluxDB
        *(9042, 9092, 9093, 9094, 9160, 9200, 9300),  # Cassandra, Kafka, Elasticsearch
        *(10248, 10249, 10250, 10255, 10256, 10257, 10259),  # Kubernetes nodes
        *(11211, 15672, 26257, 26379),  # memcached, RabbitMQ, CockroachDB, Redis sentinel
        *(27017, 27018, 27019, 28015, 50000, 50070, 61616),
        # MongoDB, RethinkDB, Db2, HDFS, ActiveMQ
    }
)


@dataclass(frozen=True, slots=True)
class Ports:
    """A set of ports: whole ranges without the refused ones, and single ports as they are."""

    ranges: tuple[range, ...]
    single: frozenset[int]

    def __contains__(self, port: int) -> bool:
        if port in self.single:
            return True
        if port in BROWSERS_REFUSE or port in SERVERS_BEHIND:
            return False
        return any(port in one for one in self.ranges)


def parse_ports(parts: Iterable[str]) -> Ports:
    """Return the ports named by `443` or `1024-65535`. Raises ValueError if one is not.

    A port that is named alone is meant; out of a range the refused ones are left.
    """
    ranges, single = [], set()
    for part in parts:
        first, dash, last = part.partition("-")
        if dash:
            ranges.append(range(_port(first, part), _port(last, part) + 1))
            if not ranges[-1]:
                raise ValueError(f"{part} ends before it begins")
        else:
            single.add(_port(part, part))
    return Ports(tuple(ranges), frozenset(single))


def _port(text: str, part: str) -> int:
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= MAX_PORT:
        return int(text)
    raise ValueError(f"{part} is neither a port (1 to {MAX_PORT}) nor a range such as 1024-65535")
