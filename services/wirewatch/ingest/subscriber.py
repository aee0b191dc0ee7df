"""A feed's subscription at its WebSub hub: asked for after a look, acted on when the hub speaks.

`websub` decides. Polling never stops: it is the way on when a hub stops pushing.
"""

from dataclasses import replace
from datetime import datetime, timedelta

import aiohttp
import msgspec

from wirewatch.documents.errors import DocumentProblem
from wirewatch.ingest import hub, websub
from wirewatch.ingest import state as states
from wirewatch.ingest.kit import Kit
from wirewatch.ingest.poll import FeedLooker, Look, bounds_of
from wirewatch.runtime.logs import get_logger
from wirewatch.topics.feed_states import FeedState, PushLease
from wirewatch.topics.feeds import Feed
from wirewatch.topics.pushes import Push, PushKind

ASK_LIMIT = timedelta(seconds=10)
NOTICE_GAP = timedelta(seconds=30)
"""A hub that only says that there is something new makes us fetch no more often."""

log = get_logger("ingest")


class Subscriber:
    """Keeps the leases of this worker's feeds. Without a session WebSub is off."""

    def __init__(
        self,
        kit: Kit,
        session: aiohttp.ClientSession | None,
        looker: FeedLooker,
    ) -> None:
        settings = kit.settings
        self._base = settings.ingest_callback_url
        self._secret = settings.ingest_websub_secret.get_secret_value()
        self._session = session
        self._looker = looker
        self._clock = kit.clock
        self._longest = bounds_of(settings).longest

    async def after_look(self, feed: Feed, before: FeedState, look: Look) -> Look:
        """Return `look` with the lease as it is now, and the next fetch as far off as it allows."""
        if self._session is None:
            return look
        lease = look.state.push
        unpushed = look.published > 0 and not _was_pushed(lease, before)
        lease = websub.after_poll(lease, unpushed, self._clock())
        lease = await self._step(self._session, feed, lease, look)
        return replace(look, state=self._with_lease(feed, look.state, lease))

    async def _step(
        self, session: aiohttp.ClientSession, feed: Feed, lease: PushLease, look: Look
    ) -> PushLease:
        at = states.address(look.state)
        step = websub.next_step(lease, look.hubs, look.self_url, at, self._clock())
        if step is None:
            return lease
        if isinstance(step, websub.Forget):
            return PushLease()
        form = websub.subscription_request(self._base, self._secret, feed.id, step.hub, step.topic)
        try:
            await hub.ask(session, step.hub, form, ASK_LIMIT)
        except hub.HubProblem as problem:
            log.info("a hub does not subscribe us", feed=feed.url, hub=step.hub, why=str(problem))
        return websub.after_asked(lease, step, self._clock())

    def _with_lease(self, feed: Feed, state: FeedState, lease: PushLease) -> FeedState:
        now = self._clock()
        next_fetch_at = state.next_fetch_at
        if not feed.interval_s:
            normal = next_fetch_at - now
            next_fetch_at = now + websub.poll_interval(lease, normal, self._longest, now)
        return msgspec.structs.replace(state, push=lease, next_fetch_at=next_fetch_at)

    async def take(self, feed: Feed, before: FeedState, push: Push) -> FeedState:
        """Act on what a hub says of `feed`; return its state then."""
        lease, now = before.push, self._clock()
        if not websub.concerns(push, lease, self._secret):
            return before
        match push.kind:
            case PushKind.VERIFIED:
                lease = websub.after_verified(lease, push.lease_s, now)
            case PushKind.ENDED:
                lease = websub.after_ended(lease, now)
            case PushKind.CONTENT:
                return await self._take_content(feed, before, push)
        log.info("a hub has answered", feed=feed.url, hub=lease.hub, state=lease.state.value)
        return msgspec.structs.replace(before, push=lease)

    async def _take_content(self, feed: Feed, before: FeedState, push: Push) -> FeedState:
        now = self._clock()
        lease = websub.after_push(before.push, now)
        state = msgspec.structs.replace(before, push=lease)
        if push.body:
            try:
                look = await self._looker.take_push(feed, state, push)
            except DocumentProblem as problem:
                log.debug("a push cannot be read", feed=feed.url, why=problem.detail)
            else:
                return look.state
        return msgspec.structs.replace(state, next_fetch_at=_soon(before, now))


def _was_pushed(lease: PushLease, before: FeedState) -> bool:
    """Say whether the hub has spoken since the last fetch: what is found then is its doing."""
    if lease.pushed_at is None:
        return False
    return before.fetched_at is None or lease.pushed_at > before.fetched_at


def _soon(state: FeedState, now: datetime) -> datetime:
    """Return when to fetch what a hub gives notice of."""
    if state.fetched_at is None:
        return now
    return min(max(now, state.fetched_at + NOTICE_GAP), max(now, state.next_fetch_at))
