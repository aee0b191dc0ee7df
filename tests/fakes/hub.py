"""A WebSub hub as the Recommendation has it, on 127.0.0.1; and one that misbehaves, if told to.

https://www.w3.org/TR/websub/
"""

import asyncio
import hmac
import io
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

LONGEST_LEASE_S = 10 * 86_400


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A verified subscription; its key is (topic, callback), as in section 1."""

    topic: str
    callback: str
    secret: str
    lease_s: int


@dataclass(frozen=True, slots=True)
class Reply:
    """What a callback has answered."""

    status: int
    text: str
    headers: Mapping[str, str]


class FakeHub:
    """Verifies by a challenge, keeps leases and secrets, sends content with a signature.

    `name` is the host in `url`. `answer` and `location` are given to every
    request in place of 202; `denies` are topics; `grants_s` overrules what
    is wished; `algorithm` signs. `requests` are the forms that came.
    """

    def __init__(self) -> None:
        self.answer, self.words, self.location = 202, "", ""
        self.denies: set[str] = set()
        self.grants_s: int | None = None
        self.algorithm = "sha256"
        self.signs_wrongly = False
        self.requests: list[dict[str, str]] = []
        self.subscribers: dict[tuple[str, str], Subscriber] = {}
        self.verifications: list[Reply] = []
        self.url = ""
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, name: str = "127.0.0.1") -> None:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://{name}:{self._runner.addresses[0][1]}/hub"
        self._session = aiohttp.ClientSession()

    async def stop(self) -> None:
        await self.settled()
        await self._session.close()
        await self._runner.cleanup()

    async def settled(self) -> None:
        """Wait until every verification under way has ended."""
        await asyncio.gather(*self._tasks)

    async def _take(self, request: web.Request) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        self.requests.append(form)
        if self.location:
            return web.Response(status=self.answer, headers={"Location": self.location})
        if self.answer != 202:
            return web.Response(status=self.answer, text=self.words)
        if not {"hub.callback", "hub.mode", "hub.topic"} <= form.keys():
            return web.Response(status=400, text="hub.callback, hub.mode, hub.topic are required")
        if len(form.get("hub.secret", "")) >= 200 or len(form["hub.callback"]) > 250:
            return web.Response(status=400, text="too long")
        task = asyncio.create_task(self._act_on(form))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return web.Response(status=202)

    async def _act_on(self, form: dict[str, str]) -> None:
        topic, callback = form["hub.topic"], form["hub.callback"]
        if topic in self.denies:
            self.verifications.append(await self.deny(callback, topic, "not for you"))
            return
        wished = min(int(form.get("hub.lease_seconds", 86_400)), LONGEST_LEASE_S)
        lease_s = wished if self.grants_s is None else self.grants_s
        mode = form["hub.mode"]
        if not await self.verify(callback, topic, mode=mode, lease_s=lease_s):
            return
        if mode == "unsubscribe":
            self.subscribers.pop((topic, callback), None)
            return
        secret = form.get("hub.secret", "")
        self.subscribers[topic, callback] = Subscriber(topic, callback, secret, lease_s)

    async def verify(
        self, callback: str, topic: str, *, mode: str = "subscribe", lease_s: object = 3600
    ) -> bool:
        """Ask the callback whether it wants this (5.3); `_act_on` does, and whoever forges."""
        challenge = secrets.token_urlsafe(24)
        fields = {"hub.mode": mode, "hub.topic": topic, "hub.challenge": challenge}
        if lease_s is not None:
            fields["hub.lease_seconds"] = str(lease_s)
        reply = await self.get(callback, fields)
        self.verifications.append(reply)
        return 200 <= reply.status < 300 and reply.text == challenge

    async def deny(self, callback: str, topic: str, reason: str) -> Reply:
        fields = {"hub.mode": "denied", "hub.topic": topic, "hub.reason": reason}
        return await self.get(callback, fields)

    async def get(self, callback: str, fields: Mapping[str, str]) -> Reply:
        joined = "&" if "?" in callback else "?"  # 5.1.1: the query string is preserved
        async with self._session.get(callback + joined + urlencode(fields)) as answer:
            return Reply(answer.status, await answer.text(), dict(answer.headers))

    async def distribute(
        self, topic: str, body: bytes, content_type: str = "application/atom+xml", *, times: int = 1
    ) -> list[Reply]:
        """Send `body` to every subscriber of `topic`, `times` times (7)."""
        return [
            await self.send(subscriber, body, content_type)
            for subscriber in list(self.subscribers.values())
            if subscriber.topic == topic
            for _ in range(times)
        ]

    async def send(
        self,
        subscriber: Subscriber,
        body: bytes,
        content_type: str = "application/atom+xml",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        sent = {
            "Content-Type": content_type,
            "Link": f'<{self.url}>; rel="hub", <{subscriber.topic}>; rel="self"',
        }
        if subscriber.secret:
            signature = hmac.new(subscriber.secret.encode(), body, self.algorithm).hexdigest()
            if self.signs_wrongly:
                signature = signature[::-1]
            sent["X-Hub-Signature"] = f"{self.algorithm}={signature}"
        sent |= headers or {}
        async with self._session.post(
            subscriber.callback, data=io.BytesIO(body), headers=sent
        ) as answer:
            return Reply(answer.status, await answer.text(), dict(answer.headers))
