"""Prometheus and Grafana, as docker-compose.yml runs them, find the workers, the rules and the dashboards."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from tests.deploy.promtool import promtool

ROOT = Path(__file__).parents[2]
GRAFANA = ROOT / "deploy" / "grafana"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return dict(loaded["services"])


def mounted(service: dict[str, Any]) -> dict[PurePosixPath, Path]:
    """The files of this repository that a container has: path there -> path here."""
    parts = [volume.split(":") for volume in service["volumes"] if volume.startswith("./")]
    assert all(mode == "ro" for _, _, mode in parts)
    return {PurePosixPath(there): ROOT / here for here, there, _ in parts}


def test_they_run_only_when_asked_for(services: dict[str, Any]) -> None:
    asked_for = {name for name, service in services.items() if service.get("profiles") == ["observe"]}
    assert asked_for == {"prometheus", "grafana"}
    # Nothing else waits to be asked for, but the backup.
    assert {name for name in set(services) - asked_for if "profiles" in services[name]} == {"backup"}
    # Without a number, another `up` may run another release.
    assert all(re.search(r":v?\d+\.\d+\.\d+$", services[name]["image"]) for name in asked_for)


def test_prometheus_reads_its_configuration_and_the_rules(services: dict[str, Any], tmp_path: Path) -> None:
    for there, here in mounted(services["prometheus"]).items():
        assert there.parent == PurePosixPath("/etc/prometheus")
        shutil.copy(here, tmp_path / there.name)
    done = subprocess.run(
        [promtool(), "check", "config", tmp_path / "prometheus.yml"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"SUCCESS: \d+ rules found", done.stdout)


def test_prometheus_asks_every_worker(services: dict[str, Any]) -> None:
    configuration = yaml.safe_load((ROOT / "deploy/prometheus/compose.yml").read_text(encoding="utf-8"))
    (job,) = configuration["scrape_configs"]
    assert re.fullmatch("streamseg.*", job["job_name"])
    wanted = [f"{name}:8080" for name in services if name.startswith("worker-")]
    assert job["static_configs"] == [{"targets": wanted}]


def test_grafana_finds_the_dashboards_and_prometheus(services: dict[str, Any]) -> None:
    files = mounted(services["grafana"])
    (provider,) = _provisioned("dashboards/streamseg.yaml")["providers"]
    folder = PurePosixPath(provider["options"]["path"])
    assert {here for there, here in files.items() if there.parent == folder} == set(GRAFANA.glob("*.json"))
    assert files[PurePosixPath("/etc/grafana/provisioning")] == GRAFANA / "provisioning"
    home = services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert PurePosixPath(home) in files
    (source,) = _provisioned("datasources/prometheus.yaml")["datasources"]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")
    assert "prometheus" in services


def _provisioned(path: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((GRAFANA / "provisioning" / path).read_text(encoding="utf-8"))
    return found
