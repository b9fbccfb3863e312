"""The manifests are valid, and fit the worker, the image and the page that explains them."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import typer
import yaml

from agents.api.application import BASE
from agents.api.tls import scheme
from agents.commands.state import state
from agents.console.page import BASE as CONSOLE
from streamseg.settings import Settings
from tests.deploy.kubernetes import (
    FOLDER,
    OPERATORS_OWN,
    OVERLAYS,
    Object,
    built,
    environment,
    objects,
    only,
    pod_of,
)

DEPLOY = FOLDER.parent
POD = "streamseg-1"
WORKLOADS = ("StatefulSet", "Job", "CronJob")


PARTS = (*objects("base"), *objects("backup"))


def valid(one: Object) -> None:
    kubernetes_validate.validate(one, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize("one", PARTS, ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_each_object_of_the_base_is_valid(one: Object) -> None:
    valid(one)


def test_a_misspelt_field_would_be_found() -> None:
    wrong = next(one for one in objects("base") if one["kind"] == "StatefulSet")
    pod_of(wrong)["spec"]["containers"][0]["livenessProb"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="livenessProb"):
        valid(wrong)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_patch_changes_an_object_of_the_base(overlay: str) -> None:
    known = {(one["kind"], one["metadata"]["name"]) for one in PARTS}
    patches = list(objects(f"overlays/{overlay}"))
    assert patches
    assert {(one["kind"], one["metadata"]["name"]) for one in patches} <= known


@pytest.mark.parametrize(
    "folder", ["base", "backup", "monitoring", "ingress", *(f"overlays/{name}" for name in OVERLAYS)]
)
def test_each_file_is_named_by_its_kustomization(folder: str) -> None:
    listed = yaml.safe_load((FOLDER / folder / "kustomization.yaml").read_text(encoding="utf-8"))
    named = {*listed["resources"], *(patch["path"] for patch in listed.get("patches", ()) if "path" in patch)}
    files = {path.name for path in (FOLDER / folder).glob("*.yaml")} - {"kustomization.yaml"}
    assert files == {name for name in named if not name.startswith("..")}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_each_object_of_an_overlay_is_valid(overlay: str) -> None:
    for one in built(overlay):
        if one["kind"] not in OPERATORS_OWN:
            valid(one)


@pytest.mark.parametrize(
    "path", [*FOLDER.rglob("*.*"), *DEPLOY.glob("systemd/*")], ids=lambda path: path.name
)
def test_every_variable_is_a_setting(path: Path) -> None:
    named = set(re.findall(r"STREAMSEG_[A-Z_]*[A-Z]", path.read_text(encoding="utf-8")))
    # Kubernetes would set STREAMSEG_PORT; a comment says why it does not.
    assert named - {f"STREAMSEG_{name}".upper() for name in Settings.model_fields} <= {"STREAMSEG_PORT"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_worker_reads_its_settings(overlay: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = built(overlay)
    workers = only(found, "StatefulSet")
    for name, value in environment(found, workers, POD).items():
        monkeypatch.setenv(name, value)
    settings = Settings.read()
    (container,) = pod_of(workers)["spec"]["containers"]
    assert settings.instance_id == POD
    service, namespace = workers["spec"]["serviceName"], workers["metadata"]["namespace"]
    assert (
        settings.advertised_url
        == f"{scheme(settings)}://{POD}.{service}.{namespace}.svc:{settings.http_port}"
    )
    asked = [probe["httpGet"] for name, probe in container.items() if name.endswith("Probe")]
    assert [probe.get("scheme", "HTTP").lower() for probe in asked] == [scheme(settings)] * 3
    assert [port["containerPort"] for port in container["ports"]] == [settings.http_port]
    assert workers["spec"]["replicas"] <= settings.partitions
    mounts = {Path(one["mountPath"]): one["name"] for one in container["volumeMounts"]}
    # The root of a volume belongs to root, and the worker could not take other users' rights to it away.
    assert mounts[settings.data_dir.parent] == "data"
    for name in Settings.model_fields:
        file = getattr(settings, name)
        assert not name.endswith("_file") or file is None or file.parent in mounts, name
    assert settings.api_tokens_file is not None
    assert not (settings.uses_sasl and settings.ssl_certificate_file)
    if settings.uses_sasl:
        assert (settings.sasl_username, settings.replication_factor) == ("secret", 3)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_topics_job_and_the_workers_agree(overlay: str) -> None:
    found = built(overlay)
    job = environment(found, only(found, "Job"), POD)
    workers = environment(found, only(found, "StatefulSet"), POD)
    assert {name: workers[name] for name in job} == job
    assert pod_of(only(found, "Job"))["spec"]["containers"][0]["args"] == ["topics", "create"]


def test_the_backup_and_the_workers_agree_and_it_keeps_exports_on_its_volume() -> None:
    found = built("production")
    job = only(found, "CronJob")
    told, workers = environment(found, job, POD), environment(found, only(found, "StatefulSet"), POD)
    assert {name: workers[name] for name in told} == told
    (container,) = pod_of(job)["spec"]["containers"]
    command = typer.main.get_command(state).commands["export"]  # type: ignore[attr-defined]
    context = command.make_context("export", container["args"][2:])
    mounts = {Path(one["mountPath"]): one["name"] for one in container["volumeMounts"]}
    # The root of a volume belongs to root; what is below belongs to the user.
    assert mounts[context.params["to"].parent] == "backup"
    volume = only(objects("backup"), "PersistentVolumeClaim")["metadata"]["name"]
    claimed = {"name": "backup", "persistentVolumeClaim": {"claimName": volume}}
    assert claimed in pod_of(job)["spec"]["volumes"]


def test_probes_ask_what_the_worker_answers() -> None:
    (container,) = pod_of(_workers())["spec"]["containers"]
    asked = {name: probe["httpGet"]["path"] for name, probe in container.items() if name.endswith("Probe")}
    assert asked == {"startupProbe": "/health", "livenessProbe": "/health", "readinessProbe": "/ready"}


def test_a_restarted_worker_is_back_before_the_group_gives_its_partitions_away() -> None:
    settings = dict(
        line.split("=", 1)
        for line in (FOLDER / "base/settings.env").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    )
    grace_ms = 1000 * pod_of(_workers())["spec"]["terminationGracePeriodSeconds"]
    assert int(settings["STREAMSEG_SESSION_TIMEOUT_MS"]) > grace_ms


@pytest.mark.parametrize(
    "one", [one for one in PARTS if one["kind"] in WORKLOADS], ids=lambda one: one["kind"]
)
def test_a_pod_may_do_nothing_that_it_does_not_need(one: Object) -> None:
    pod = pod_of(one)["spec"]
    uids = re.findall(r"^USER (\d+):(\d+)$", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"), re.M)
    assert uids == [(str(pod["securityContext"]["runAsUser"]), str(pod["securityContext"]["runAsGroup"]))]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    # A Service named streamseg would set STREAMSEG_PORT and more.
    assert pod["enableServiceLinks"] is False
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]
        assert "cpu" not in container["resources"]["limits"]


def test_services_budget_and_policies_choose_the_workers_and_no_other_pod() -> None:
    found = objects("base")
    workers, job, backup = (pod_of(only(PARTS, kind))["metadata"]["labels"] for kind in WORKLOADS)
    chosen = {
        "streamseg": only(found, "Service", "streamseg")["spec"]["selector"],
        "streamseg-workers": only(found, "Service", "streamseg-workers")["spec"]["selector"],
        "budget": only(found, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        "policy": only(found, "NetworkPolicy", "streamseg-workers")["spec"]["podSelector"]["matchLabels"],
        "monitor": only(objects("monitoring"), "PodMonitor")["spec"]["selector"]["matchLabels"],
    }
    for selector in chosen.values():
        assert selector.items() <= workers.items()
        assert not selector.items() <= job.items()
        assert not selector.items() <= backup.items()
    outgoing = only(found, "NetworkPolicy", "streamseg-outgoing")["spec"]["podSelector"]["matchLabels"]
    assert outgoing.items() <= workers.items()
    assert outgoing.items() <= job.items()
    assert outgoing.items() <= backup.items()
    headless = only(found, "Service", _workers()["spec"]["serviceName"])["spec"]
    assert headless["clusterIP"] == "None"
    assert headless["publishNotReadyAddresses"] is True


def test_callers_from_outside_reach_the_api_and_the_console_by_tls_and_nothing_else() -> None:
    ingress = only(objects("ingress"), "Ingress")["spec"]
    (rule,), (tls,) = ingress["rules"], ingress["tls"]
    assert tls["hosts"] == [rule["host"]]
    assert f"create secret tls {tls['secretName']} " in (DEPLOY / "README.md").read_text(encoding="utf-8")
    paths = {(one["path"], one["pathType"]) for one in rule["http"]["paths"]}
    assert paths == {(BASE, "Prefix"), (CONSOLE, "Prefix"), ("/", "Exact")}
    service = only(objects("base"), "Service", "streamseg")
    (port,) = service["spec"]["ports"]
    for one in rule["http"]["paths"]:
        assert one["backend"]["service"] == {"name": "streamseg", "port": {"name": port["name"]}}


def test_both_prometheus_and_the_ingress_may_reach_the_workers() -> None:
    policy = only(built("production"), "NetworkPolicy", "streamseg-workers")["spec"]["ingress"][0]
    namespaces = [one["namespaceSelector"] for one in policy["from"] if "namespaceSelector" in one]
    names = [one["matchLabels"]["kubernetes.io/metadata.name"] for one in namespaces]
    assert sorted(names) == ["ingress-nginx", "monitoring"]
    base = only(objects("base"), "NetworkPolicy", "streamseg-workers")["spec"]["ingress"][0]
    assert not any("namespaceSelector" in one for one in base["from"])


@pytest.mark.parametrize(("overlay", "more"), [("production", set()), ("certificates", {"streamseg-http"})])
def test_the_page_says_how_to_make_each_secret_and_file(overlay: str, more: set[str]) -> None:
    page = (DEPLOY / "README.md").read_text(encoding="utf-8")
    found = built(overlay)
    text = "\n".join(yaml.safe_dump(one) for one in found if one["kind"] in WORKLOADS)
    wanted = set(re.findall(r"(?:secretName|secretKeyRef:\n\s+key: \w+\n\s+name): (\S+)", text))
    wanted |= set(re.findall(r"configMap:\n\s+name: (\S+)", text))
    kafka = {f"streamseg-kafka{end}" for end in ("", "-backup", "-ca", "-topics")}
    assert wanted == {"streamseg-api", *kafka, *more}
    for name in wanted:
        assert re.search(rf"create (?:secret generic|configmap) {name}\b", page), name


def test_the_operators_rules_are_those_of_prometheus() -> None:
    specification = importlib.util.spec_from_file_location("generate", FOLDER / "generate.py")
    assert specification is not None
    assert specification.loader is not None
    script: Any = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(script)
    assert script.TARGET.read_text(encoding="utf-8") == script.prometheus_rule(), "run `make pages`"
    rule = only(objects("monitoring"), "PrometheusRule")
    assert rule["spec"] == yaml.safe_load(script.RULES.read_text(encoding="utf-8"))


def test_the_workers_are_scraped_under_a_job_that_the_rules_know() -> None:
    (endpoint,) = only(objects("monitoring"), "PodMonitor")["spec"]["podMetricsEndpoints"]
    (job,) = [one["replacement"] for one in endpoint["relabelings"] if one["targetLabel"] == "job"]
    assert re.fullmatch("streamseg.*", job.replace("$1", "a-namespace"))
    assert endpoint["port"] == pod_of(_workers())["spec"]["containers"][0]["ports"][0]["name"]


def test_with_certificates_prometheus_and_the_ingress_come_by_tls_and_know_the_authority() -> None:
    found = built("certificates")
    (endpoint,) = only(found, "PodMonitor")["spec"]["podMetricsEndpoints"]
    assert endpoint["scheme"] == "https"
    mounted = [
        one["secret"]["secretName"]
        for one in pod_of(only(found, "StatefulSet"))["spec"]["volumes"]
        if "secret" in one
    ]
    assert endpoint["tlsConfig"]["ca"]["secret"]["name"] in mounted
    annotations = only(found, "Ingress")["metadata"]["annotations"]
    assert annotations["nginx.ingress.kubernetes.io/backend-protocol"] == "HTTPS"


def _workers() -> Object:
    return only(objects("base"), "StatefulSet")
