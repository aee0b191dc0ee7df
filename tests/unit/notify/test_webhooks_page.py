"""docs/webhooks.md tells receivers the truth."""

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from jsonschema import Draft202012Validator
from standardwebhooks import Webhook

from wirewatch.notify.channels.cloudevents import Event
from wirewatch.notify.payload import MAX_CUT_CHARS
from wirewatch.notify.retry import SCHEDULE
from wirewatch.notify.webhook_types import SCHEMAS, schema_of
from wirewatch.text import template
from wirewatch.text.template_filters import FILTERS, TESTS
from wirewatch.topics.alerts import Field
from wirewatch.topics.attempts import AttemptReason
from wirewatch.topics.digests import DigestWhy
from wirewatch.topics.endpoints import EndpointKind

FOLDER = Path(__file__).parents[3] / "docs"
PAGE = (FOLDER / "webhooks.md").read_text()
EXAMPLES = {
    example["type"]: example
    for example in map(json.loads, re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))
}


def section(title: str) -> str:
    """Return what stands below a heading, up to the next one of its rank."""
    found = re.search(
        rf"^(#+) {re.escape(title)}\n(.*?)(?=^#{{1,3}} |\Z)", PAGE, re.MULTILINE | re.DOTALL
    )
    assert found is not None
    return found[2]


def names_in(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


def rows(title: str) -> list[list[str]]:
    """Return the cells of the tables in a section, without their heads."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if not set(row[0]) <= {"-"} and "---" not in row[0]]


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


def test_each_example_is_what_its_schema_says_and_has_every_field() -> None:
    assert set(EXAMPLES) == {
        "alert.created",
        "alert.digest",
        "endpoint.disabled",
        "endpoint.verify",
    }
    for type_, example in EXAMPLES.items():
        Draft202012Validator(schema_of(type_)).validate(example)
        data = msgspec.convert(example["data"], SCHEMAS[type_])
        assert json.loads(msgspec.json.encode(data)) == example["data"]


def test_the_proofs_of_the_example_stand_where_they_say() -> None:
    data = EXAMPLES["alert.created"]["data"]

    for proof in data["proofs"]:
        assert proof["snippet"][proof["mark_start"] : proof["mark_end"]] == proof["text"]
        assert data["article"]["title"][proof["start"] : proof["end"]] == proof["text"]


def test_every_field_of_an_alert_and_of_a_digest_is_explained() -> None:
    alert, digest = (
        {path for path in paths(EXAMPLES[type_]) if path.startswith("data.")}
        for type_ in ("alert.created", "alert.digest")
    )
    told_of_alert = set().union(*(names_in(row[0]) for row in rows("An alert")))
    told_of_digest = set().union(*(names_in(row[0]) for row in rows("A digest")))

    assert told_of_alert == alert - {"data.subscription", "data.article"} | {"data.truncated"}
    assert told_of_digest == {
        path
        for path in digest
        if "subscription" not in path and path != "data.delivery_id" and "proofs[]" not in path
    }


def test_closed_lists_are_complete() -> None:
    fields = next(row for row in rows("An alert") if "data.proofs[].field" in row[0])
    why = next(row for row in rows("A digest") if "data.why" in row[0])

    assert names_in(fields[1]) == set(Field)
    assert names_in(why[1]) == set(DigestWhy)


def test_every_type_and_its_schemas_are_listed() -> None:
    links = set(re.findall(r"\(schemas/(.*?)\.json\)", PAGE))
    types = set().union(*(names_in(row[0]) for row in rows("The body")[-6:]))

    assert links == set(SCHEMAS)
    assert types == {name.removesuffix(".thin") for name in SCHEMAS}
    assert all((FOLDER / "schemas" / f"{name}.json").is_file() for name in links)


def request() -> tuple[dict[str, str], str]:
    found = re.search(r"```\n(webhook-id: .*?)\n\n(.*?)\n```", PAGE, re.DOTALL)
    assert found is not None
    return dict(line.split(": ", 1) for line in found[1].splitlines()), found[2]


def test_the_signatures_of_the_example_request_are_right() -> None:
    secret = re.search(r'Webhook\("(whsec_[^"]+)"\)', PAGE)
    assert secret is not None
    headers, body = request()

    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    signature = Webhook(secret[1]).sign(headers["webhook-id"], at, body)

    assert headers["webhook-signature"].split(" ")[0] == signature


def test_the_code_for_v1a_accepts_the_example_request_and_nothing_else() -> None:
    [code] = [code for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "v1a" in code]
    headers, body = request()
    names: dict[str, Any] = {}
    exec(code, names)

    def accepts(text: str = body, at: int = 1795424400, **changes: str) -> bool:
        changed = headers | {name.replace("_", "-"): held for name, held in changes.items()}
        return bool(names["is_genuine"](changed, text.encode(), now=lambda: at))

    v1, v1a = headers["webhook-signature"].split(" ")
    other = "v1a," + base64.b64encode(bytes(64)).decode()
    assert accepts()
    assert accepts(webhook_signature=f"{other} {v1a}")
    assert not accepts(body + " ")
    assert not accepts(webhook_id="msg_other")
    assert not accepts(webhook_signature=v1)
    assert not accepts(webhook_signature=other)
    assert not accepts(at=1795424701)


def test_the_waits_between_attempts_are_the_real_ones() -> None:
    said = re.search(r"follows (.*?) after the one before", PAGE)
    assert said is not None
    units = {"s": "seconds", "min": "minutes", "h": "hours"}

    waits = [
        timedelta(**{units[unit]: int(number)})
        for number, unit in re.findall(r"(\d+) (s|min|h)\b", said[1])
    ]

    assert waits == list(SCHEDULE)


def test_every_reason_of_an_attempt_is_told() -> None:
    told = set().union(*(names_in(row[1]) for row in rows("Retries") if len(row) == 3))

    assert set(AttemptReason) <= told


def test_every_kind_of_endpoint_is_told() -> None:
    kinds = [name for row in rows("Channels") for name in names_in(row[0])]

    assert sorted(kinds) == sorted(EndpointKind)


def test_every_attribute_of_a_cloud_event_is_told() -> None:
    told = {name for row in rows("CloudEvents") for name in names_in(row[0])}

    assert told == set(Event.__struct_fields__)


def test_what_templates_know_and_their_limits_are_told() -> None:
    text = section("Templates")
    told = {row[0]: names_in(row[1]) for row in rows("Templates")}

    assert told["filters"] == {name for name in FILTERS if not name.startswith("_")}
    assert told["tests"] == set(TESTS)
    for limit in (template.MAX_TEMPLATE_CHARS, template.MAX_NODES, template.MAX_STEPS):
        assert f"{limit:,}" in text
    assert f"{template.MAX_LOOPS_NESTED} loops" in text
    assert names_in(text) >= template.TEMPLATE_NAMES
    assert f"{MAX_CUT_CHARS:,} characters" in section("What is cut")


def test_the_example_template_makes_json_of_every_example() -> None:
    found = re.search(r"```jinja\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None

    made = {
        type_: json.loads(template.render_template(found[1], {**example, "webhook_id": "msg_1"}))
        for type_, example in EXAMPLES.items()
    }

    assert made["alert.created"]["text"].startswith("Arms for Pyongyang: Nordkoreanische")
    assert made["alert.digest"]["titles"] == ["Nordkoreanische Delegation besucht Rüstungswerk"]
    assert made["endpoint.disabled"] == {"text": "endpoint.disabled Desk"}
