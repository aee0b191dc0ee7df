"""Write what is made from the code: docs/settings.md, docs/schemas and the table of topics.

`make docs` runs it; tests compare what stands in the repository with what it would write.
"""

import json
import re
from pathlib import Path

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from wirewatch.notify.webhook_types import SCHEMAS, schema_of
from wirewatch.runtime.settings import PREFIX, Settings
from wirewatch.topics.table import topics_table

ROOT = Path(__file__).parents[1]
OWN_DEFAULTS = {
    "instance": "the host's name",
    "data_dir": "the user's data folder",
    "cache_dir": "the user's cache folder",
}


def settings_page() -> str:
    """Return docs/settings.md."""
    rows = [
        f"| `{PREFIX}{name.upper()}` | {_default(name)} | {_limits(name)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return (
        "# Settings\n\n"
        "Each is an environment variable, read once at start. A wrong value stops the program "
        "with a sentence that names the setting, the value and what is allowed. "
        "Durations are in seconds.\n\n"
        "This page is made from `services/wirewatch/runtime/settings.py` by `make docs`.\n\n"
        "| setting | default | allowed | meaning |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
    )


def _default(name: str) -> str:
    if name in OWN_DEFAULTS:
        return OWN_DEFAULTS[name]
    default = Settings.model_fields[name].default
    if default in ("", None, (), PydanticUndefined, SecretStr("")):
        return "empty"
    return f"`{default}`"


def _limits(name: str) -> str:
    schema = Settings.model_json_schema()
    field = schema["properties"][name]
    if "$ref" in field:
        return ", ".join(f"`{v}`" for v in schema["$defs"][field["$ref"].split("/")[-1]]["enum"])
    field = next((f for f in field.get("anyOf", []) if f.get("type") != "null"), field)
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    limits = [f"{sign} {field[key]:g}" for key, sign in signs.items() if key in field]
    return ", ".join(limits)


def with_topics_table(text: str) -> str:
    """Return topics/README.md with its table made anew."""
    return re.sub(r"\| topic \|.*\Z", lambda _: topics_table(), text, flags=re.DOTALL)


def schemas() -> dict[str, str]:
    """Return the JSON Schemas of the webhooks, by the names of their files."""
    return {f"{name}.json": json.dumps(schema_of(name), indent=2) + "\n" for name in SCHEMAS}


def main() -> None:
    """Write the pages."""
    for name, schema in schemas().items():
        (ROOT / "docs" / "schemas" / name).write_text(schema)
    (ROOT / "docs" / "settings.md").write_text(settings_page())
    readme = ROOT / "topics" / "README.md"
    readme.write_text(with_topics_table(readme.read_text()))


if __name__ == "__main__":
    main()
