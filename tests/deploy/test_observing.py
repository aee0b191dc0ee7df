"""Alert rules and the dashboard name metrics that the program has, and work."""

import importlib.util
import json
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import CollectorRegistry

from wirewatch.api.metrics import ApiMetrics
from wirewatch.ingest.metrics import IngestMetrics
from wirewatch.match.metrics import MatchMetrics
from wirewatch.notify.metrics import NotifyMetrics
from wirewatch.runtime.settings import METRICS_PORTS

DEPLOY = Path(__file__).parents[2] / "deploy"
PROMETHEUS = DEPLOY / "prometheus"


def program_metrics() -> tuple[set[str], dict[str, set[str]]]:
    """Return the names of all samples, and for each label name the values set at the start."""
    names: set[str] = set()
    labels: dict[str, set[str]] = {}
    for metrics in (IngestMetrics, MatchMetrics, NotifyMetrics, ApiMetrics):
        registry = CollectorRegistry()
        metrics(registry)
        for family in registry.collect():
            names |= {family.name, f"{family.name}_total", f"{family.name}_bucket"}
            for sample in family.samples:
                names.add(sample.name)
                for label, value in sample.labels.items():
                    labels.setdefault(label, set()).add(value)
    return names, labels


NAMES, LABELS = program_metrics()


def rules() -> list[dict[str, Any]]:
    [group] = yaml.safe_load((PROMETHEUS / "rules.yml").read_text())["groups"]
    return list(group["rules"])


def dashboard() -> dict[str, Any]:
    return dict(json.loads((DEPLOY / "grafana" / "watch.json").read_text()))


def expressions() -> list[str]:
    panels = [panel for panel in dashboard()["panels"] if panel["type"] != "row"]
    shown = [target["expr"] for panel in panels for target in panel["targets"]]
    return [rule["expr"] for rule in rules()] + shown


@pytest.mark.parametrize("expression", expressions())
def test_an_expression_parses_and_names_what_the_program_has(expression: str) -> None:
    promql_parser.parse(expression.replace("$__rate_interval", "1m"))

    for name in re.findall(r"\bwirewatch_[a-z_]+\b(?![(|])", expression):
        assert name in NAMES
    for pattern in re.findall(r'__name__=~"([^"]+)"', expression):
        assert [name for name in NAMES if re.fullmatch(pattern, name)]
    for label, _, values in re.findall(r'(health|state|outcome|reason)(=~|=)"([^"]+)"', expression):
        assert set(values.split("|")) <= LABELS[label]


def test_five_alerts_each_with_words_and_a_runbook() -> None:
    runbook = (DEPLOY / "README.md").read_text()

    assert len(rules()) == 5
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"]["summary"]
        assert (
            f"See deploy/README.md#{rule['alert'].lower()}." in rule["annotations"]["description"]
        )
        assert f"### {rule['alert']}\n" in runbook


def test_the_dashboard_is_the_one_the_code_makes() -> None:
    spec = importlib.util.spec_from_file_location("dashboard", DEPLOY / "grafana" / "dashboard.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    assert (DEPLOY / "grafana" / "watch.json").read_text() == module.render()


def test_every_panel_says_what_it_shows() -> None:
    for panel in dashboard()["panels"]:
        if panel["type"] != "row":
            assert panel["title"]
            assert panel["description"].endswith(".")
            assert panel["fieldConfig"]["defaults"]["unit"]


def test_the_local_scrape_configuration_has_the_programs_ports() -> None:
    [job] = yaml.safe_load((PROMETHEUS / "prometheus-local.yml").read_text())["scrape_configs"]
    ports = {c["labels"]["service"]: c["targets"] for c in job["static_configs"]}

    assert ports == {service: [f"127.0.0.1:{port}"] for service, port in METRICS_PORTS.items()}


@pytest.mark.parametrize(
    "command",
    [
        ["check", "rules", "--lint=all", "rules.yml"],
        ["check", "config", "prometheus-local.yml"],
        ["test", "rules", "rules_test.yml"],
    ],
)
def test_promtool_agrees(command: list[str]) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed (on Debian: the package prometheus)")
    done = subprocess.run(
        ["promtool", *command], cwd=PROMETHEUS, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_real_prometheus_loads_the_rules(
    tmp_path: Path, free_ports: Callable[[int], int]
) -> None:
    if shutil.which("prometheus") is None:
        pytest.skip("prometheus is not installed (on Debian: the package prometheus)")
    address = f"127.0.0.1:{free_ports(1)}"
    command = [
        "prometheus",
        f"--config.file={PROMETHEUS / 'prometheus-local.yml'}",
        f"--storage.tsdb.path={tmp_path}",
        f"--web.listen-address={address}",
    ]
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as process,
    ):
        try:
            answer = _ask(f"http://{address}/api/v1/rules", process)
        finally:
            process.terminate()
    [group] = answer["data"]["groups"]

    assert [rule["name"] for rule in group["rules"]] == [rule["alert"] for rule in rules()]


def _ask(url: str, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Return the answer once there is one; fails when the process ends or after 30 s."""
    for _ in range(300):
        assert process.poll() is None, "prometheus has ended: see its log"
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                answer: dict[str, Any] = json.load(response)
        except OSError:
            time.sleep(0.1)
        else:
            if answer["data"]["groups"]:
                return answer
            time.sleep(0.1)
    raise AssertionError("prometheus did not answer within 30 s")
