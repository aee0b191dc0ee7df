"""Connections that are kept open for a while, but not too many of them."""

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey


class FewIdle(aiohttp.TCPConnector):
    """Keeps at most as many origins idle as connections may be in use.

    aiohttp limits only those in use: a poller of many hosts would have its last
    fifteen seconds' worth of them open, more than a process may have files. The
    origin that has waited longest is let go.
    """

    def _release(
        self, key: ConnectionKey, protocol: ResponseHandler, *, should_close: bool = False
    ) -> None:
        super()._release(key, protocol, should_close=should_close)
        while self.limit and len(self._conns) > self.limit:
            for idle, _ in self._conns.pop(next(iter(self._conns))):
                idle.close()
