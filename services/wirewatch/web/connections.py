"""Connections to other people's servers: guarded, kept open for a while, but not too many."""

import asyncio
from functools import partial
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.streams import StreamReader

from wirewatch.runtime.address import Guard
from wirewatch.runtime.names import Names

MAX_HEAD_BYTES = 65_536
"""What may come before the head of an answer is complete: interim answers (1xx) and headers.
aiohttp limits each header and their number, and nothing else: a server that sends
`100 Continue` without end would keep the whole process busy reading it."""
HEAD_PIECE_BYTES = 4_096
"""What is read at once of a head, so that the limit is noticed soon."""


class Unasked(aiohttp.ClientConnectionError):
    """A server sends without end what is no answer."""


class Answering(ResponseHandler):
    """One connection, on which only what was asked for is read, and no endless prelude to it.

    Of a body at most `most_body` bytes are read as they come, chunk sizes and all; it then ends
    as if it were complete. 0: whoever reads it limits it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, *, most_head: int, most_body: int) -> None:
        super().__init__(loop)
        self._most_head = most_head
        self._most_body = most_body
        self._head_bytes = 0
        self._body_bytes = 0
        self._body: StreamReader | None = None
        """The body of the answer, once its head is here."""

    @property
    def should_close(self) -> bool:
        """Whether it cannot be used for another request."""
        return self._has_unsent() or super().should_close

    def close(self) -> None:
        """Close at once, without a word to whoever does not listen.

        A polite end waits for the other side: until it has taken what is still
        to be sent, and over TLS until it has said goodbye itself.
        """
        transport = self.transport
        if transport is None:
            return
        if self._has_unsent() or transport.get_extra_info("sslcontext") is not None:
            self.abort()
        else:
            super().close()

    def _has_unsent(self) -> bool:
        return self.transport is not None and self.transport.get_write_buffer_size() > 0

    def set_response_params(self, **params: Any) -> None:
        """Begin to wait for an answer."""
        self._head_bytes = self._body_bytes = 0
        self._body = None
        super().set_response_params(**params)

    def feed_data(self, data: Any, size: int = 0) -> None:
        """Take the head of an answer, and what its body will come in."""
        message, body = data
        if message.code >= 200:
            self._body = body
        super().feed_data(data, size)

    def data_received(self, data: bytes) -> None:
        """Read `data`, unless nobody asked for it.

        What comes after an answer is none to the next request, though aiohttp would take it for
        one; and what comes before may not be without end.
        """
        if self._body is None:
            if not self._head_bytes and len(data) <= HEAD_PIECE_BYTES:  # nearly always
                self._head_bytes = len(data)
                super().data_received(data)
            else:
                self._head_received(data)
        elif data and self._body.is_eof():
            self._refuse("data that nobody asked for")
        elif self._most_body:
            self._body_received(data, self._body)
        else:
            super().data_received(data)

    def _body_received(self, data: bytes, body: StreamReader) -> None:
        piece = data[: self._most_body - self._body_bytes]
        self._body_bytes += len(piece)
        super().data_received(piece)
        if self._body_bytes >= self._most_body and not body.is_eof():
            self.force_close()
            body.feed_eof()

    def _head_received(self, data: bytes) -> None:
        while data and self._body is None and self.is_connected():
            if self._head_bytes >= self._most_head:
                return self._refuse(f"more than {self._most_head} bytes before an answer")
            piece, data = data[:HEAD_PIECE_BYTES], data[HEAD_PIECE_BYTES:]
            self._head_bytes += len(piece)
            super().data_received(piece)
        if data and self.is_connected():
            self.data_received(data)
        return None

    def _refuse(self, words: str) -> None:
        if self.transport is not None:
            self.transport.abort()
        self.set_exception(Unasked(words))


class GuardedConnector(aiohttp.TCPConnector):
    """Connects to what `guard` allows, at most `limit` at once (0: the caller limits).

    At most `idle` connections are kept waiting for more: aiohttp limits only those in use,
    and a poller of many hosts would have its last fifteen seconds' worth of them
    open, more than a process may have files. The origin that has waited longest is let go.
    """

    def __init__(
        self,
        guard: Guard,
        *,
        limit: int,
        idle: int,
        most_head: int = MAX_HEAD_BYTES,
        most_body: int = 0,
        resolver: AbstractResolver | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            limit=limit,
            resolver=resolver or Names(guard),
            socket_factory=guard.open_socket,
            **options,
        )
        self._factory = partial(  # type: ignore[assignment]
            Answering, loop=self._loop, most_head=most_head, most_body=most_body
        )
        self._most_idle = idle
        self._idle = 0
        """At least as many as are idle: counted when it gets too high."""

    async def close(self, *, abort_ssl: bool = False) -> None:
        """Close all connections and stop all look-ups."""
        await super().close(abort_ssl=abort_ssl)
        await self._resolver.close()

    def _release(
        self, key: ConnectionKey, protocol: ResponseHandler, *, should_close: bool = False
    ) -> None:
        super()._release(key, protocol, should_close=should_close)
        self._idle += 1
        if self._idle > self._most_idle:
            self._idle = sum(map(len, self._conns.values()))
            while self._idle > self._most_idle:
                self._let_go(next(iter(self._conns)))

    def _let_go(self, key: ConnectionKey) -> None:
        waiting = self._conns[key]
        waiting.popleft()[0].close()
        self._idle -= 1
        if not waiting:
            del self._conns[key]
