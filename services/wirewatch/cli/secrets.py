"""`wirewatch secrets`: the key that encrypts endpoints' secrets in their topic."""

import typer

from wirewatch.api.endpoint_views import ResealView
from wirewatch.cli.client import client, run
from wirewatch.cli.show import say
from wirewatch.runtime.errors import Problem
from wirewatch.runtime.vault import new_key

app = typer.Typer(help="The key that encrypts endpoints' secrets.", no_args_is_help=True)


@app.command("new-key")
def print_new_key() -> None:
    """Print a fresh key for WIREWATCH_SECRET_KEY. Nothing else is done with it."""
    say(new_key())


@app.command()
def reseal() -> None:
    """Encrypt all secrets with the newest key; after that the older ones can be left out."""

    async def work() -> ResealView:
        async with client() as api:
            return await api.post("/v1/endpoints/reseal", {}, ResealView)

    counts = run(work())
    say(f"{counts.resealed} sealed anew, {counts.already} were already")
    if counts.unreadable:
        raise Problem(
            f"The secrets of {counts.unreadable} endpoints cannot be read with any key of "
            f"WIREWATCH_SECRET_KEY, keep the older keys there: {', '.join(counts.unreadable_ids)}."
        )
