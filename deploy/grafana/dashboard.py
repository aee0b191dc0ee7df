"""The dashboard "is the watch on?" as code: `python deploy/grafana/dashboard.py` writes it.

Three rows follow the flow (watching, finding, telling), the last one shows trouble.
"""

from pathlib import Path

from grafana_foundation_sdk.builders import dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef

SOURCE = DataSourceRef(type_val="prometheus", uid="${source}")
TARGET = Path(__file__).with_name("watch.json")


def _query(expression: str, legend: str = "") -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(expression).legend_format(legend or "__auto")


def _graph(
    title: str, about: str, unit: str, *queries: prometheus.Dataquery, width: int = 8
) -> timeseries.Panel:
    panel = timeseries.Panel().title(title).description(about).unit(unit).datasource(SOURCE)
    panel = panel.height(7).span(width).min(0)
    for query in queries:
        panel = panel.with_target(query)
    return panel


def _number(title: str, about: str, unit: str, expression: str) -> stat.Panel:
    panel = stat.Panel().title(title).description(about).unit(unit).datasource(SOURCE)
    return panel.height(4).span(6).with_target(_query(expression))


def _rate(metric: str, by: str = "") -> str:
    inner = f"rate({metric}[$__rate_interval])"
    return f"sum by ({by}) ({inner})" if by else f"sum({inner})"


def _quantile(share: float, metric: str) -> str:
    return f"histogram_quantile({share}, sum by (le) (rate({metric}_bucket[$__rate_interval])))"


def _spread(metric: str) -> tuple[prometheus.Dataquery, ...]:
    return (_query(_quantile(0.5, metric), "half"), _query(_quantile(0.99, metric), "99 %"))


def build() -> dashboard.Dashboard:
    """Return the dashboard."""
    board = (
        dashboard.Dashboard("Wirewatch: is the watch on?")
        .uid("wirewatch-watch")
        .tags(["wirewatch"])
        .refresh("30s")
        .time("now-3h", "now")
        .timezone("browser")
        .with_variable(
            dashboard.DatasourceVariable("source").label("Prometheus").type("prometheus")
        )
    )
    for panel in (
        _number("Workers", "Processes that answer.", "short", 'sum(up{job="wirewatch"})'),
        _number(
            "Feeds read",
            "Share of the watched feeds that can be read.",
            "percentunit",
            'sum(wirewatch_ingest_feeds{health="ok"}) '
            '/ sum(wirewatch_ingest_feeds{health=~"ok|failing|waiting"})',
        ),
        _number(
            "Subscriptions",
            "Held against every article.",
            "short",
            "sum(max by (shard) (wirewatch_match_subscriptions))",
        ),
        _number(
            "Pending deliveries",
            "Alerts on their way, retries included.",
            "short",
            "sum(wirewatch_notify_pending_deliveries)",
        ),
    ):
        board = board.with_panel(panel)
    board = board.with_row(dashboard.Row("Watching"))
    for graph in (
        _graph(
            "Feeds by health",
            "A feed fails when its last fetch did.",
            "short",
            _query("sum by (health) (wirewatch_ingest_feeds)", "{{health}}"),
        ),
        _graph(
            "Fetches",
            "Unchanged ones cost the publisher next to nothing.",
            "reqps",
            _query(_rate("wirewatch_ingest_fetches_total", "outcome"), "{{outcome}}"),
        ),
        _graph(
            "Overdue",
            "How late the most overdue feed is.",
            "s",
            _query("max(wirewatch_ingest_fetch_lag_seconds)", "late"),
        ),
        _graph(
            "Fetch",
            "From the request for a feed to its last byte.",
            "s",
            *_spread("wirewatch_ingest_fetch_seconds"),
        ),
        _graph(
            "Beyond feeds",
            "Article pages asked for (full text), and messages of WebSub hubs.",
            "reqps",
            _query(_rate("wirewatch_ingest_pages_total", "outcome"), "pages: {{outcome}}"),
            _query(_rate("wirewatch_ingest_pushes_total", "outcome"), "hubs: {{outcome}}"),
        ),
        _graph(
            "Articles known to stories",
            "Those of the last 72 hours, which new ones are compared with.",
            "short",
            _query("max(wirewatch_ingest_story_articles)", "articles"),
        ),
    ):
        board = board.with_panel(graph)
    board = board.with_row(dashboard.Row("Finding"))
    for graph in (
        _graph(
            "Articles and alerts",
            "Published by ingest, matched, alerts found.",
            "ops",
            _query(_rate('wirewatch_ingest_articles_total{kind!="withheld"}'), "articles"),
            _query(_rate("wirewatch_match_articles_total"), "matched"),
            _query(_rate("wirewatch_match_alerts_total"), "alerts"),
        ),
        _graph(
            "Fetch to alert",
            "From the fetch of an article to its match.",
            "s",
            *_spread("wirewatch_match_article_age_seconds"),
        ),
        _graph(
            "Batch",
            "From articles in hand to their alerts acknowledged.",
            "s",
            *_spread("wirewatch_match_batch_seconds"),
        ),
        _graph(
            "Floods",
            "Articles that match very many subscriptions and are being told of.",
            "short",
            _query("sum(wirewatch_match_floods)", "floods"),
        ),
        _graph(
            "Articles waiting",
            "Published and not yet matched, by worker.",
            "short",
            _query("wirewatch_match_lag_records", "{{pod}}"),
        ),
        _graph(
            "Snapshot's age",
            "How far back a worker that restarts would read the subscriptions; none after 12 h.",
            "s",
            _query("time() - (wirewatch_match_snapshot_timestamp_seconds > 0)", "{{pod}}"),
        ),
        _graph(
            "Dead slots",
            "Of subscriptions replaced or deleted; made anew when they outnumber the living.",
            "short",
            _query("wirewatch_match_dead_slots", "{{pod}}"),
        ),
    ):
        board = board.with_panel(graph)
    board = board.with_row(dashboard.Row("Telling"))
    for graph in (
        _graph(
            "Attempts",
            "Requests to receivers, by what came of them.",
            "reqps",
            _query(_rate("wirewatch_notify_attempts_total", "outcome"), "{{outcome}}"),
        ),
        _graph(
            "Answer of receivers",
            "From request to answer.",
            "s",
            *_spread("wirewatch_notify_attempt_seconds"),
        ),
        _graph(
            "Deliveries late",
            "How long the most overdue delivery has waited.",
            "s",
            _query("max(wirewatch_notify_oldest_due_seconds)", "late"),
        ),
    ):
        board = board.with_panel(graph)
    board = board.with_row(dashboard.Row("Trouble"))
    for graph in (
        _graph(
            "Fetches that fail",
            "By reason.",
            "reqps",
            _query(_rate("wirewatch_ingest_fetch_failures_total", "reason"), "{{reason}}"),
        ),
        _graph(
            "Attempts that fail",
            "By reason.",
            "reqps",
            _query(_rate("wirewatch_notify_attempt_failures_total", "reason"), "{{reason}}"),
        ),
        _graph(
            "Given up",
            "Unreadable records, articles that could not be matched, dead deliveries.",
            "short",
            _query(
                "sum by (service) (increase({__name__=~"
                '"wirewatch_(ingest|match|notify|api)_unreadable_records_total"}[1h]))',
                "unreadable, {{service}}",
            ),
            _query("sum(increase(wirewatch_match_failures_total[1h]))", "not matched"),
            _query(
                'sum(increase(wirewatch_notify_deliveries_total{state="dead"}[1h]))',
                "not delivered",
            ),
        ),
    ):
        board = board.with_panel(graph)
    return board


def render() -> str:
    """Return the dashboard as Grafana imports it."""
    return JSONEncoder(sort_keys=True, indent=2).encode(build().build()) + "\n"


if __name__ == "__main__":
    TARGET.write_text(render())
