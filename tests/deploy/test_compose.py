"""docker-compose.yml and deploy/Dockerfile fit the programs that they start."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from agents.api.roles import Role
from agents.api.tokens import Tokens
from agents.kafka.topics import required_topics
from streamseg.settings import Settings

ROOT = Path(__file__).parents[2]
WORKERS = ("worker-1", "worker-2")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (ROOT / "deploy" / "Dockerfile").read_text()


def test_workers_start_once_kafka_answers_and_the_topics_are_made(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert services["kafka"]["healthcheck"]["test"]
    assert services["topics"]["command"] == ["topics", "create"]
    assert services["topics"]["depends_on"] == {"kafka": {"condition": "service_healthy"}}
    for worker in WORKERS:
        assert services[worker]["command"] == ["worker"]
        assert services[worker]["depends_on"] == {
            "kafka": {"condition": "service_healthy"},
            "topics": {"condition": "service_completed_successfully"},
        }


def test_the_backup_is_an_export_to_its_volume_that_runs_when_it_is_called(compose: dict[str, Any]) -> None:
    backup = compose["services"]["backup"]
    assert backup["profiles"] == ["backup"]
    assert backup["command"][:2] == ["state", "export"]
    (volume,) = backup["volumes"]
    name, folder = volume.split(":")
    assert name in compose["volumes"]
    assert Path(backup["command"][backup["command"].index("--to") + 1]).parent == Path(folder)


def test_each_worker_has_its_own_volume_address_and_port(compose: dict[str, Any]) -> None:
    workers = [compose["services"][name] for name in WORKERS]
    volumes = [volume for worker in workers for volume in worker["volumes"] if not volume.endswith(":ro")]
    assert len(set(volumes)) == len(workers)
    assert {volume.split(":")[0] for volume in volumes} <= set(compose["volumes"])
    assert len({worker["hostname"] for worker in workers}) == len(workers)
    assert len({port for worker in workers for port in worker["ports"]}) == len(workers)


def test_everything_is_published_on_this_machine_alone(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_topics_and_workers_agree_on_names_and_partitions(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name, value in services["topics"]["environment"].items():
        assert all(services[worker]["environment"][name] == value for worker in WORKERS)


@pytest.mark.parametrize(
    "file", ["docker-compose.yml", "deploy/compose.tls.yml", "deploy/Dockerfile", "deploy/README.md"]
)
def test_every_variable_is_one_that_is_read(file: str) -> None:
    named = set(re.findall(r"STREAMSEG_[A-Z_]*[A-Z]", (ROOT / file).read_text()))
    settings = {f"STREAMSEG_{name}".upper() for name in Settings.model_fields}
    # The command line reads the first, compose the second, setup.py the last.
    assert named - settings <= {"STREAMSEG_API_TOKEN", "STREAMSEG_TOKENS_DIR", "STREAMSEG_COMPILE"}


@pytest.mark.parametrize(
    ("given", "folder"), [({}, "./deploy/tokens"), ({"STREAMSEG_TOKENS_DIR": "/t"}, "/t")]
)
def test_a_worker_answers_where_its_port_is_published_and_has_a_file_of_tokens(
    compose: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    given: dict[str, str],
    folder: str,
) -> None:
    for worker in (compose["services"][name] for name in WORKERS):
        with monkeypatch.context() as patch:
            for name, value in worker["environment"].items():
                patch.setenv(name, interpolated(value, given))
            settings = Settings.read()
        assert settings.api_tokens_file is not None
        assert f"{folder}:{settings.api_tokens_file.parent}:ro" in [
            interpolated(volume, given) for volume in worker["volumes"]
        ]
        assert [int(port.rpartition(":")[2]) for port in worker["ports"]] == [settings.http_port]


class _Merging(yaml.SafeLoader):
    """Reads compose's own tags, which say how a file changes the one before it."""


_Merging.add_multi_constructor("!", lambda loader, _, node: loader.construct_mapping(node, deep=True))


@pytest.mark.parametrize("service", ["topics", "backup", *WORKERS])
def test_the_variant_with_tls_has_each_file_in_the_folder_that_is_mounted(
    compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    text = (ROOT / "deploy" / "compose.tls.yml").read_text(encoding="utf-8")
    changed = yaml.load(text, _Merging)["services"][service]  # noqa: S506 - it is a safe loader
    base = compose["services"][service]
    given = {"STREAMSEG_BOOTSTRAP_SERVERS": "kafka-1:9093", "STREAMSEG_TOKENS_DIR": "/t"}
    for name, value in {**base["environment"], **changed["environment"]}.items():
        monkeypatch.setenv(name, interpolated(value, given))
    settings = Settings.read()
    assert (settings.security_protocol, settings.bootstrap_servers) == ("SASL_SSL", "kafka-1:9093")
    named = [getattr(settings, name) for name in Settings.model_fields if name.endswith("_file")]
    assert {str(file.parent) for file in named if file is not None} == {"/etc/streamseg"}
    for file in named:
        assert file is None or file.name in text.partition("x-brokers")[0]
    volumes = base.get("volumes", []) + changed.get("volumes", [])
    assert "/t:/etc/streamseg:ro" in [interpolated(volume, given) for volume in volumes]
    if service in WORKERS:
        assert settings.advertised_url == f"https://{base['hostname']}:{settings.http_port}"
        assert set(changed["depends_on"]) == {"topics"}


def test_the_token_that_the_page_names_is_in_the_file() -> None:
    readme = (ROOT / "deploy" / "README.md").read_text()
    (token,) = set(re.findall(r"streamseg_development_\w+", readme))
    found = Tokens(ROOT / "deploy" / "tokens" / "tokens.yaml").find(token.encode())
    assert found is not None
    assert (found.account, found.role) == ("developer", Role.ADMIN)


def interpolated(text: str, given: dict[str, str]) -> str:
    """As compose does it: `${NAME:-default}`, and `${NAME:?what is missing}`."""
    return re.sub(r"\$\{(\w+):[-?]([^}]*)\}", lambda found: given.get(found[1]) or found[2], text)


def test_the_image_has_the_port_that_is_published_and_the_default_one(
    compose: dict[str, Any], dockerfile: str
) -> None:
    port = str(Settings.model_fields["http_port"].default)
    assert re.findall(r"STREAMSEG_HTTP_PORT=(\d+)", dockerfile) == [port]
    assert re.findall(r"^EXPOSE (\d+)$", dockerfile, re.MULTILINE) == [port]
    readme = (ROOT / "deploy" / "README.md").read_text()
    published = [entry.split(":")[1] for name in WORKERS for entry in compose["services"][name]["ports"]]
    assert f"the workers at `localhost:{published[0]}` and `:{published[1]}`" in readme


def test_the_page_tells_every_topic() -> None:
    readme = (ROOT / "deploy" / "README.md").read_text()
    table = readme.partition("## Topics")[2].partition("`STREAMSEG_TOPIC_PREFIX` stands")[0]
    told = {
        (name, partitions.replace("`STREAMSEG_PARTITIONS`", "7"), cleanup, largest)
        for names, partitions, cleanup, largest in re.findall(
            r"^\| (`.+?`) \| (\S+) \| (\w+) \| .+ \| (\d+) MiB \|$", table, re.MULTILINE
        )
        for name in re.findall(r"`([^`]+)`", names)
    }
    assert told == {
        (
            topic.name,
            str(topic.partitions),
            topic.config["cleanup.policy"],
            str(int(topic.config["max.message.bytes"]) >> 20),
        )
        for topic in required_topics(Settings(partitions=7))
    }


def test_the_broker_is_the_version_that_the_tests_run_against(compose: dict[str, Any]) -> None:
    pom = (ROOT / "deploy" / "kafka" / "pom.xml").read_text()
    version = re.search(r"<kafka\.version>(.+)</kafka\.version>", pom)
    assert version is not None
    assert compose["services"]["kafka"]["image"] == f"apache/kafka:{version.group(1)}"


def test_the_image_holds_every_room_that_is_packaged(dockerfile: str) -> None:
    ignored = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text().split()
    for room in ("schemas", "streamseg", "agents"):
        assert f"COPY {room} {room}" in dockerfile
        assert f"!{room}" in ignored


def test_the_image_does_not_run_as_root(dockerfile: str) -> None:
    ((uid, gid),) = re.findall(r"^USER (\d+):(\d+)$", dockerfile, re.MULTILINE)
    assert f"--gid {gid} streamseg" in dockerfile
    assert f"--uid {uid} --gid streamseg" in dockerfile


def test_hadolint_finds_nothing_wrong_with_the_image() -> None:
    hadolint = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if hadolint is None:
        pytest.skip("hadolint is not installed: the Dockerfile was not checked")
    done = subprocess.run(
        [hadolint, ROOT / "deploy" / "Dockerfile"], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == ""
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_health_check_follows_what_the_worker_says(dockerfile: str, status: int, healthy: bool) -> None:
    check = re.search(r"^HEALTHCHECK .*\\\n\s+CMD (\[.*\])$", dockerfile, re.MULTILINE)
    assert check is not None
    program, *arguments = json.loads(check.group(1))
    assert program == "python"
    asked: list[str] = []

    class Worker(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """The test reads what was asked, not the access log."""

    with HTTPServer(("127.0.0.1", 0), Worker) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        done = subprocess.run(
            [sys.executable, *arguments],
            env={"STREAMSEG_HTTP_PORT": str(server.server_port)},
            capture_output=True,
            timeout=60,
        )
    assert asked == ["/ready"]
    assert (done.returncode == 0) is healthy
