"""Writes `monitoring/rules.yaml`, the alert rules for the Prometheus operator (`make pages`)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import yaml

FOLDER: Final = Path(__file__).parent
RULES: Final = FOLDER.parent / "prometheus" / "streamseg.rules.yml"
TARGET: Final = FOLDER / "monitoring" / "rules.yaml"


def prometheus_rule() -> str:
    """Return the text of the file: the rules of Prometheus in the object that the operator reads."""
    found = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "streamseg", "labels": {"app.kubernetes.io/name": "streamseg"}},
        "spec": yaml.safe_load(RULES.read_text(encoding="utf-8")),
    }
    text = yaml.safe_dump(found, sort_keys=False, allow_unicode=True, width=110)
    return f"# Written by generate.py from ../../prometheus/streamseg.rules.yml: change those.\n{text}"


if __name__ == "__main__":
    TARGET.write_text(prometheus_rule(), encoding="utf-8")
