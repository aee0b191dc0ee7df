"""An alert that was asked for, by what a person calls it."""

from wirewatch.api.views import SubscriptionView
from wirewatch.cli.client import ApiClient, segment
from wirewatch.runtime.errors import Problem

PATH = "/v1/subscriptions"
ID_PREFIX = "sub_"


async def find_subscription(api: ApiClient, which: str) -> SubscriptionView:
    """Return the subscription with this id or name. Raises Problem."""
    if which.startswith(ID_PREFIX):
        return await api.get(f"{PATH}/{segment(which)}", SubscriptionView)
    found = [s async for s in api.items(PATH, SubscriptionView) if s.name == which]
    if not found:
        raise Problem(f"There is no alert named {which}: see `wirewatch alerts list`.")
    if len(found) > 1:
        ids = ", ".join(each.id for each in found)
        raise Problem(f"Several alerts are named {which}: choose by id among {ids}.")
    return found[0]
