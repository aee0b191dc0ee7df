"""The Faust app of match. The only module, with `agent.py`, that knows Faust.

The settings that differ from Faust's defaults do so for measured reasons; the
names of app, agent and topic are written out, because Faust derives names on
the wire from them.
"""

from typing import Any

import faust

from wirewatch.runtime.settings import Settings
from wirewatch.topics import ARTICLES

FETCH_MAX_BYTES = 16 * 1024 * 1024
"""At Faust's default of 1 MiB an agent idles half of the time (1,900 events/s, not 8,600)."""
COMMIT_INTERVAL_S = 1.0
MAX_POLL_RECORDS = 500


def build_app(settings: Settings) -> Any:
    """Return the Faust app of one match worker; it is not started."""
    group = settings.shard.group
    datadir = settings.data_dir / "match" / settings.instance / group / "faust"
    datadir.mkdir(parents=True, exist_ok=True)
    return faust.App(
        settings.group(group),
        broker=[f"kafka://{server}" for server in settings.bootstrap],
        store="memory://",
        datadir=datadir,
        autodiscover=False,
        web_enabled=False,  # Faust's own web server would listen on 0.0.0.0
        topic_disable_leader=True,
        processing_guarantee="at_least_once",
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=FETCH_MAX_BYTES,
        # Static membership: back after a kill -9 in 1.5 s, not after the session time-out.
        consumer_group_instance_id=settings.instance,
        broker_client_id=f"match-{settings.instance}",
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=settings.session_timeout_s / 4,
        broker_rebalance_timeout=settings.session_timeout_s,
        broker_request_timeout=max(30.0, settings.session_timeout_s * 2),
        broker_commit_interval=COMMIT_INTERVAL_S,
        broker_max_poll_records=MAX_POLL_RECORDS,
        stream_wait_empty=False,
        loghandlers=[],
    )


def articles_topic(app: Any, settings: Settings) -> Any:
    """Return the articles topic as raw bytes: decoding is ours, so a bad record is seen by us."""
    return app.topic(
        ARTICLES.full_name(settings.topic_prefix),
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        allow_empty=True,
    )
