"""`streamseg diagnose` gathers what answers, says what does not, and gives no secret away."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer
from typer.testing import CliRunner

from agents.api.shown_settings import HIDDEN
from agents.commands.diagnose import diagnose
from agents.demo.embedded import EmbeddedBroker, EmbeddedWorker
from streamseg.contact.state_version import STATE_VERSION
from streamseg.settings import Settings
from tests.agents.installation import installed

NOBODY = "127.0.0.1:1"


def run(*arguments: str, **environment: str) -> tuple[int, str]:
    """Exit status and output."""
    single = typer.Typer(add_completion=False)
    single.command()(diagnose)
    given = ["--timeout", "1", "--bootstrap", NOBODY, *arguments]
    done = CliRunner().invoke(single, given, env=environment)
    return done.exit_code, done.output


def gathered(*arguments: str, **environment: str) -> dict[str, Any]:
    status, output = run(*arguments, **environment)
    assert status == 0, output
    found: dict[str, Any] = orjson.loads(output)
    return found


def test_what_does_not_answer_is_noted_and_the_rest_is_gathered() -> None:
    found = gathered("--url", f"http://{NOBODY}")
    assert NOBODY in found["topics"]["error"]
    assert found["groups"]["error"]
    (worker,) = found["workers"].values()
    assert worker.keys() == {"health", "ready", "metrics", "inside"}
    assert all(part["error"] for part in worker.values())
    assert found["versions"]["layout"] == STATE_VERSION
    assert {"aiokafka", "rocksdict"} <= found["versions"]["libraries"].keys()
    assert "pytest" not in found["versions"]["libraries"]
    assert found["settings"].keys() == Settings.model_fields.keys()
    assert found["settings"]["bootstrap_servers"] == NOBODY


def test_no_secret_is_in_it() -> None:
    found = gathered(
        "--url",
        f"http://{NOBODY}",
        STREAMSEG_SASL_PASSWORD="hunter2",  # noqa: S106
    )
    assert {found["settings"][name] for name in HIDDEN} == {"set"}
    assert b"hunter2" not in orjson.dumps(found)


def test_every_setting_that_may_be_a_secret_is_hidden() -> None:
    """A new one has to be thought about here."""
    suspicious = {name for name in Settings.model_fields if re.search("password|token|secret|key", name)}
    assert suspicious - set(HIDDEN) == {
        "api_tokens_file",
        "sasl_password_file",
        "ssl_key_file",
        "http_key_file",
    }


def test_a_file_is_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    status, output = run("--url", f"http://{NOBODY}", "--out", str(file))
    assert status == 0, output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert orjson.loads(file.read_bytes())["versions"]
    status, output = run("--url", f"http://{NOBODY}", "--out", str(tmp_path / "no" / "found.json"))
    assert status == 1
    assert "cannot be written" in output


def test_a_value_that_cannot_be_is_told() -> None:
    status, output = run(STREAMSEG_PARTITIONS="none")
    assert status == 1
    assert "STREAMSEG_PARTITIONS" in output


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[str]:
    """Its address."""
    with EmbeddedBroker() as broker:
        settings = installed(broker, tmp_path)
        with EmbeddedWorker(settings) as worker:
            assert worker.app is not None
            yield worker.app.api.peer.url


def test_a_worker_is_asked_how_it_stands(worker: str) -> None:
    found = gathered("--url", worker, "--timeout", "20")["workers"][worker]
    assert found["health"] == {"status": 200, "body": {"status": "ok"}}
    assert found["ready"]["status"] in (200, 503)
    assert found["metrics"]["streamseg_partitions"] == 4
    assert found["metrics"]["process_resident_memory_bytes"] > 0
    assert found["inside"]["status"] == 200
    assert any("agents/worker/" in place for one in found["inside"]["body"]["tasks"] for place in one["at"])
    assert not any("_bucket" in sample for sample in found["metrics"])
