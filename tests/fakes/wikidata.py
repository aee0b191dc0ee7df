"""A Wikidata that answers what it is told to, and keeps what it was asked."""

from collections import deque
from collections.abc import Callable

from aiohttp import web

DONE = {"entities": {}, "success": 1}
Answer = Callable[[], web.StreamResponse]


def says(answer: object) -> Answer:
    return lambda: web.json_response(answer)


def status(number: int, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda: web.Response(status=number, headers=named, text="<html>busy</html>")


def sends(body: bytes, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda: web.Response(body=body, headers=named)


class Server:
    """Answers with what is next in `answers`, and with the last of them from then on."""

    def __init__(self) -> None:
        self.answers: deque[Answer] = deque([says(DONE)])
        self.asked: list[web.Request] = []
        self.busy = 0
        self.most_busy = 0
        self.slept: list[float] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        self.busy += 1
        self.most_busy = max(self.busy, self.most_busy)
        try:
            one = self.answers.popleft() if len(self.answers) > 1 else self.answers[0]
            return one()
        finally:
            self.busy -= 1

    async def sleep(self, seconds: float) -> None:
        """Remember it, and go on at once."""
        self.slept.append(seconds)
