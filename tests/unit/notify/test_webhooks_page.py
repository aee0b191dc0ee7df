"""docs/webhooks.md tells receivers the truth."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from standardwebhooks import Webhook

from wirewatch.notify.payload import Payload

PAGE = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text()


def paths(value: Any, at: str = "") -> set[str]:
    """Return the dotted paths of all fields in `value`."""
    if isinstance(value, list):
        return set().union(*(paths(one, f"{at}[]") for one in value))
    if not isinstance(value, dict):
        return set()
    found = set()
    for name, held in value.items():
        below = f"{at}.{name}" if at else name
        found |= {below} | paths(held, below)
    return found


def example() -> str:
    found = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_example_is_a_payload_with_every_field() -> None:
    payload = msgspec.json.decode(example(), type=Payload)

    assert json.loads(msgspec.json.encode(payload)) == json.loads(example())
    for proof in payload.data.proofs:
        assert proof.snippet[proof.mark_start : proof.mark_end] == proof.text
        assert payload.data.article.title[proof.start : proof.end] == proof.text


def test_every_field_of_the_example_is_explained() -> None:
    told = set(re.findall(r"^\| `((?:type|timestamp|data)[^`]*)` \|", PAGE, re.MULTILINE))

    groups = {"data", "data.subscription", "data.article"}
    assert told == (paths(json.loads(example())) - groups) | {"data.truncated"}


def test_the_signature_of_the_example_request_is_right() -> None:
    secret = re.search(r'Webhook\("(whsec_[^"]+)"\)', PAGE)
    request = re.search(r"```\n(webhook-id: .*?)\n\n(.*?)\n```", PAGE, re.DOTALL)
    assert secret is not None
    assert request is not None
    headers = dict(line.split(": ", 1) for line in request[1].splitlines())

    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    signature = Webhook(secret[1]).sign(headers["webhook-id"], at, request[2])

    assert headers["webhook-signature"] == signature
