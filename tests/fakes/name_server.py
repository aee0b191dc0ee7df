"""A name server on this machine that answers for some names and is silent about the others."""

import asyncio
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

NOT_FOUND = 3
FAILED = 2
A, AAAA = 1, 28


@dataclass
class NameServer(asyncio.DatagramProtocol):
    """Answers a question for `name` with the next of its lists of addresses, the last one for good.

    Names in `failing` are answered with that code (RFC 1035, 4.1.1); names in
    neither get no answer at all.
    """

    names: dict[str, list[Sequence[str]]] = field(default_factory=dict)
    failing: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    address: str = ""

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        host, port = self._transport.get_extra_info("sockname")
        self.address = f"{host}:{port}"
        return self

    async def until_asked(self, times: int) -> None:
        """Return when so many questions have come."""
        while len(self.asked) < times:
            self._news.clear()
            await self._news.wait()

    async def __aexit__(self, *_: object) -> None:
        self._transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        name, end = _read_name(data)
        kind = int.from_bytes(data[end : end + 2], "big")
        question = data[12 : end + 4]
        if kind == A:
            self.asked.append(name)
            self._news.set()
        if name in self.failing:
            self._send(data, question, [], addr, code=self.failing[name])
        elif name in self.names:
            self._send(data, question, self._records(name, kind), addr)

    def _records(self, name: str, kind: int) -> list[bytes]:
        turns = self.names[name]
        turn = min(self.asked.count(name), len(turns)) - 1
        found = [ipaddress.ip_address(one) for one in turns[max(turn, 0)]]
        version = 4 if kind == A else 6
        return [one.packed for one in found if one.version == version]

    def _send(
        self,
        query: bytes,
        question: bytes,
        records: list[bytes],
        addr: tuple[str, int],
        code: int = 0,
    ) -> None:
        head = query[:2] + bytes([0x81, 0x80 | code]) + b"\0\1" + len(records).to_bytes(2, "big")
        kinds = {4: A, 16: AAAA}
        answers = b"".join(
            b"\xc0\x0c"
            + kinds[len(one)].to_bytes(2, "big")
            + b"\0\1"
            + (0).to_bytes(4, "big")
            + len(one).to_bytes(2, "big")
            + one
            for one in records
        )
        self._transport.sendto(head + b"\0\0\0\0" + question + answers, addr)


def _read_name(data: bytes) -> tuple[str, int]:
    labels, at = [], 12
    while length := data[at]:
        labels.append(data[at + 1 : at + 1 + length].decode())
        at += 1 + length
    return ".".join(labels).lower(), at + 1
