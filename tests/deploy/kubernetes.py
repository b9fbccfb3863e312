"""The objects of deploy/kubernetes: as they stand in the files, and as an overlay makes them."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
OVERLAYS = ("development", "production", "certificates")
OPERATORS_OWN = {"PodMonitor", "PrometheusRule"}
"""Kinds of the Prometheus operator, whose schemas Kubernetes does not know."""

Object = dict[str, Any]


def kustomize() -> list[str] | None:
    """The command that builds an overlay, or None if there is no tool for it."""
    if shutil.which("kustomize"):
        return ["kustomize", "build"]
    return ["kubectl", "kustomize"] if shutil.which("kubectl") else None


@cache
def built(overlay: str) -> tuple[Object, ...]:
    """The objects of an overlay; the test is skipped if no tool can build it."""
    command = kustomize()
    if command is None:
        pytest.skip("neither kustomize nor kubectl is installed: no overlay was built")
    done = subprocess.run(
        [*command, FOLDER / "overlays" / overlay], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return tuple(yaml.safe_load_all(done.stdout))


def objects(folder: str) -> tuple[Object, ...]:
    """The objects in the files of a folder, patches included."""
    paths = [path for path in sorted((FOLDER / folder).glob("*.yaml")) if path.name != "kustomization.yaml"]
    return tuple(one for path in paths for one in yaml.safe_load_all(path.read_text(encoding="utf-8")))


def only(found: tuple[Object, ...], kind: str, name: str | None = None) -> Object:
    """The only object of that kind, or of that kind and name."""
    (one,) = [one for one in found if one["kind"] == kind and name in (None, one["metadata"]["name"])]
    return one


def pod_of(workload: Object) -> Object:
    """What a StatefulSet, a Job or a CronJob says of its pods: metadata and spec."""
    spec = workload["spec"]
    pod: Object = spec["jobTemplate"]["spec"]["template"] if "jobTemplate" in spec else spec["template"]
    return pod


def environment(found: tuple[Object, ...], workload: Object, pod_name: str) -> dict[str, str]:
    """The variables of the only container, as Kubernetes would set them. A secret's value is `secret`."""
    (container,) = pod_of(workload)["spec"]["containers"]
    variables: dict[str, str] = {}
    for source in container["envFrom"]:
        variables |= only(found, "ConfigMap", source["configMapRef"]["name"])["data"]
    for one in container.get("env", ()):
        variables[one["name"]] = _value(one, workload, pod_name, variables)
    return variables


def _value(variable: Object, workload: Object, pod_name: str, known: dict[str, str]) -> str:
    if "value" in variable:
        return re.sub(r"\$\((\w+)\)", lambda name: known[name[1]], variable["value"])
    source = variable["valueFrom"]
    if "secretKeyRef" in source:
        return "secret"
    fields: dict[str, str] = {
        "metadata.name": pod_name,
        "metadata.namespace": workload["metadata"]["namespace"],
    }
    return fields[source["fieldRef"]["fieldPath"]]
