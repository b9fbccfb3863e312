"""Each alert fires when it should and only then, on metrics that there are, and is in the runbook."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.alert_cases import CASES, Case
from tests.deploy.promql import known_metrics, metrics_of
from tests.deploy.promtool import promtool

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = DEPLOY / "prometheus" / "streamseg.rules.yml"
(_GROUP,) = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
ALERTS: dict[str, dict[str, Any]] = {rule["alert"]: rule for rule in _GROUP["rules"]}


def sections() -> dict[str, str]:
    """Those of the runbook, by their headings."""
    text = (DEPLOY / "runbook.md").read_text(encoding="utf-8")
    _, *found = re.split(r"^## (.+)$", text, flags=re.M)
    return dict(zip(found[::2], found[1::2], strict=True))


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_asks_for_metrics_that_there_are(alert: str) -> None:
    wanted = metrics_of(ALERTS[alert]["expr"])
    assert wanted
    assert wanted <= known_metrics()


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_has_its_section_in_the_runbook(alert: str) -> None:
    section = sections()[alert]
    parts = re.findall(r"^\*\*(\w[\w ]+)\.\*\*", section, re.M)
    assert parts == ["Meaning", "Look", "Do", "Over when"]
    rule = ALERTS[alert]
    assert rule["annotations"]["runbook_url"] == f"deploy/runbook.md#{alert.lower()}"
    assert rule["labels"]["severity"] in ("page", "warning")


def test_the_runbook_has_no_section_of_an_alert_that_there_is_not() -> None:
    assert list(sections()) == list(ALERTS)


def test_each_alert_is_tried_firing_and_silent() -> None:
    assert len(ALERTS) == len(_GROUP["rules"])
    tried = Counter((case.alert, bool(case.fires)) for case in CASES)
    assert set(tried) == {(alert, fires) for alert in ALERTS for fires in (True, False)}


def test_the_rules_are_what_prometheus_reads() -> None:
    done = subprocess.run([promtool(), "check", "rules", RULES], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.alert}-{'fires' if case.fires else 'silent'}"
)
def test_an_alert_fires_when_it_should_and_only_then(case: Case, tmp_path: Path) -> None:
    rule = ALERTS[case.alert]
    expected = [
        {"exp_labels": {**labels, **rule["labels"]}, "exp_annotations": rule["annotations"]}
        for labels in case.fires
    ]
    test = {
        "interval": "1m",
        "input_series": [{"series": series, "values": values} for series, values in case.series.items()],
        "alert_rule_test": [
            {"eval_time": f"{case.minute}m", "alertname": case.alert, "exp_alerts": expected}
        ],
    }
    given = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}
    file = tmp_path / "tests.yml"
    file.write_text(yaml.safe_dump(given), encoding="utf-8")
    done = subprocess.run([promtool(), "test", "rules", file], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
