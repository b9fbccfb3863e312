"""Every way to run workers gives a worker the time that its longest stop takes, and more."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from agents.pacing import DEFAULT_PACING
from tests.deploy.kubernetes import objects, only, pod_of

ROOT = Path(__file__).parents[2]
LONGEST = DEFAULT_PACING.stop_seconds + DEFAULT_PACING.interrupted_start_seconds


def test_kubernetes_waits_for_the_longest_stop() -> None:
    pod = pod_of(only(objects("base"), "StatefulSet"))["spec"]
    program, seconds = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    assert program == "sleep"
    assert pod["terminationGracePeriodSeconds"] > LONGEST + int(seconds)


def test_compose_waits_for_the_longest_stop() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    for name in ("worker-1", "worker-2"):
        assert int(compose["services"][name]["stop_grace_period"].removesuffix("s")) > LONGEST


def test_systemd_waits_for_the_longest_stop() -> None:
    unit = (ROOT / "deploy" / "systemd" / "streamseg-worker@.service").read_text(encoding="utf-8")
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.M)
    assert int(seconds) > LONGEST


def test_the_page_says_how_long_a_stop_may_take() -> None:
    page = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")
    assert f"at most {LONGEST:.0f} s" in page
