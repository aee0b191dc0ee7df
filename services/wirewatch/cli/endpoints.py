"""`wirewatch endpoints`: where alerts are delivered."""

from typing import Annotated

import typer
from rich.text import Text

from wirewatch.api.views import EndpointView
from wirewatch.cli.client import ApiClient, client, run, segment
from wirewatch.cli.show import harmless, print_json, print_table, say
from wirewatch.runtime.errors import Problem

app = typer.Typer(help="Where alerts are delivered.", no_args_is_help=True)

PATH = "/v1/endpoints"

Which = Annotated[str, typer.Argument(metavar="ID-OR-URL", help="The endpoint's id or URL.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class PostedEndpoint(EndpointView, frozen=True, kw_only=True):
    """The answer to a POST; only a new endpoint has its secret."""

    secret: str | None = None


async def post_endpoint(
    api: ApiClient, url: str, *, name: str = "", secret: str | None = None
) -> PostedEndpoint:
    """Create the endpoint at `url`, or return the one that is there. Raises ApiProblem."""
    fields = {"url": url, "name": name or None, "secret": secret}
    given = {field: value for field, value in fields.items() if value is not None}
    return await api.post(PATH, given, PostedEndpoint)


async def find_endpoint(api: ApiClient, which: str) -> EndpointView:
    """Return the endpoint with this id or URL. Raises Problem."""
    if "://" not in which:
        return await api.get(f"{PATH}/{segment(which)}", EndpointView)
    async for endpoint in api.items(PATH, EndpointView):
        if endpoint.url == which:
            return endpoint
    raise Problem(f"There is no endpoint with the URL {which}: see `wirewatch endpoints list`.")


def say_secret(endpoint: PostedEndpoint) -> None:
    """Tell the secret of a new endpoint, once, and what it is for."""
    if endpoint.secret is None:
        return
    say(
        f"Its secret, shown only now: {endpoint.secret}\n"
        "Every webhook is signed with it (https://www.standardwebhooks.com); verify it with the\n"
        f"library `standardwebhooks`, or try it: wirewatch listen --secret {endpoint.secret}"
    )


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="Where webhooks are to be sent.")],
    name: Annotated[str, typer.Option(help="What to call it.")] = "",
    secret: Annotated[
        str | None, typer.Option(help="Use this secret (whsec_…) instead of a new one.")
    ] = None,
) -> None:
    """Add an endpoint. Its secret is printed once."""

    async def work() -> PostedEndpoint:
        async with client() as api:
            return await post_endpoint(api, url, name=name, secret=secret)

    endpoint = run(work())
    say(f"{'Added' if endpoint.secret else 'It is there already:'} {endpoint.url}\n{endpoint.id}")
    say_secret(endpoint)


@app.command("list")
def list_endpoints(as_json: AsJson = False) -> None:
    """List the endpoints."""

    async def work() -> list[EndpointView]:
        async with client() as api:
            return [endpoint async for endpoint in api.items(PATH, EndpointView)]

    endpoints = run(work())
    if as_json:
        print_json(endpoints)
    elif not endpoints:
        say("No endpoints yet. Add one: wirewatch endpoints add https://www.example.org/hook")
    else:
        print_table(("ENDPOINT", "STATE", "ID"), map(_row, endpoints))


def _row(endpoint: EndpointView) -> tuple[Text, Text, str]:
    name = Text(harmless(endpoint.name or endpoint.url))
    if endpoint.name:
        name.append("\n" + harmless(endpoint.url), "dim")
    state = Text("disabled", "yellow") if endpoint.disabled else Text("enabled", "green")
    return name, state, endpoint.id


@app.command()
def remove(endpoint: Which) -> None:
    """Remove an endpoint that no alert uses."""

    async def work() -> EndpointView:
        async with client() as api:
            found = await find_endpoint(api, endpoint)
            await api.delete(f"{PATH}/{segment(found.id)}")
            return found

    say(f"Removed {run(work()).url}")


@app.command()
def disable(endpoint: Which) -> None:
    """Send nothing there for now; what is pending waits."""
    say(f"Disabled {_set_disabled(endpoint, disabled=True).url}")


@app.command()
def enable(endpoint: Which) -> None:
    """Send there again."""
    say(f"Enabled {_set_disabled(endpoint, disabled=False).url}")


def _set_disabled(which: str, *, disabled: bool) -> EndpointView:
    async def work() -> EndpointView:
        async with client() as api:
            found = await find_endpoint(api, which)
            fields = {"disabled": disabled}
            return await api.patch(f"{PATH}/{segment(found.id)}", fields, EndpointView)

    return run(work())


__all__ = ["PostedEndpoint", "app", "find_endpoint", "post_endpoint", "say_secret"]
