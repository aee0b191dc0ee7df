"""The topics as a table for people, made from the specs."""

from typing import Any

from wirewatch.topics import ALL
from wirewatch.topics.spec import Topic

_HEAD = (
    "| topic | record | key | clean-up | written by → read by | what it holds |\n"
    "|---|---|---|---|---|---|\n"
)


def topics_table() -> str:
    """Return a Markdown table of all topics."""
    return _HEAD + "".join(_row(topic) for topic in ALL)


def _row(topic: Topic[Any]) -> str:
    key = topic.key_means
    if topic.placed_by_means:
        key += f", placed by {topic.placed_by_means}"
    kept = f", {topic.retention.days} days" if topic.retention else ""
    flow = f"{', '.join(topic.written_by)} → {', '.join(topic.read_by)}"
    holds = (topic.record.__doc__ or "").splitlines()[0].replace("`", "")
    record = f"`{topic.record.__name__}`"
    return f"| `{topic.name}` | {record} | {key} | {topic.cleanup}{kept} | {flow} | {holds} |\n"
