"""Each kind of endpoint, told an alert, a digest and a notice, is sent exactly what the files say.

After a wanted change: WRITE_GOLDEN=1 pytest tests/unit/notify/channels/test_golden.py, and read
the difference.
"""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from wirewatch.notify.request import HttpRequest
from wirewatch.topics.endpoints import EndpointKind, EventMode, Variant

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = {
    **{kind.value: (kind, {}) for kind in EndpointKind},
    "webhook-thin": (EndpointKind.WEBHOOK, {"variant": Variant.THIN}),
    "cloudevents-binary": (EndpointKind.CLOUDEVENTS, {"event_mode": EventMode.BINARY}),
}


def shown(request: Any) -> dict[str, Any]:
    """Return a request as a person reads it best."""
    if not isinstance(request, HttpRequest):
        mail = asdict(request)
        return {**mail, "text": mail["text"].split("\n"), "html": mail["html"].split("\n")}
    return {
        "method": request.method,
        "url": request.url,
        "headers": dict(request.headers),
        "body": json.loads(request.body),
    }


@pytest.mark.parametrize("told", ["alert", "digest", "notice"])
@pytest.mark.parametrize("case", CASES)
def test_what_is_sent_is_what_the_golden_file_says(
    case: str, told: str, tellings: Any, make: Any
) -> None:
    kind, changes = CASES[case]
    path = GOLDEN / f"{case}.{told}.json"

    made = json.dumps(shown(make(tellings[told], kind, **changes)), ensure_ascii=False, indent=1)

    if os.environ.get("WRITE_GOLDEN"):
        path.write_text(made + "\n")
    assert path.read_text() == made + "\n"


def test_there_is_no_golden_file_too_many() -> None:
    expected = {f"{case}.{told}.json" for case in CASES for told in ("alert", "digest", "notice")}

    assert {path.name for path in GOLDEN.iterdir()} == expected
