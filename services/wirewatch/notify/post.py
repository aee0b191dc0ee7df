"""Send a request the way it goes: over HTTP, or as mail."""

from wirewatch.notify.mail import Mailer
from wirewatch.notify.outcome import Answer, NoAnswer
from wirewatch.notify.request import HttpRequest, Request
from wirewatch.notify.sender import Sender
from wirewatch.runtime.settings import Settings


class Post:
    """Everything that leaves. `close` when done."""

    def __init__(self, settings: Settings) -> None:
        self._sender = Sender(settings)
        self._mailer = Mailer(settings)

    async def send(self, request: Request) -> Answer | NoAnswer:
        """Send `request` and return what came of it; nothing is raised for the network."""
        if isinstance(request, HttpRequest):
            return await self._sender.send(request)
        return await self._mailer.send(request)

    async def close(self) -> None:
        """Close all connections."""
        await self._sender.close()
        await self._mailer.close()
