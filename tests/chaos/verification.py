"""The differences that the installation under test finds in its own state, by `streamseg verify` if it has
that command."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson

from tests.chaos.checks import Difference
from tests.kafka.live import Worker

OPERATOR = "chaos"
_SECONDS = 300


def differences(
    programs: Path, workers: Sequence[Worker], environment: Mapping[str, str]
) -> list[Difference]:
    """Return what the command prints, or that it failed; nothing if there is no such command."""
    command: list[str | Path] = [programs / "streamseg", "verify"]
    if subprocess.run([*command, "--help"], capture_output=True, check=False).returncode != 0:
        return []
    ports = [worker.port for worker in workers if worker.port is not None]
    if not ports:
        return [Difference("verify", "worker", "none that serves the API")]
    asked = subprocess.run(
        [*command, "--json", "--url", f"http://127.0.0.1:{ports[0]}", "--account", OPERATOR],
        env=environment,
        capture_output=True,
        check=False,
        timeout=_SECONDS,
    )
    try:
        found = orjson.loads(asked.stdout)["differences"]
    except (ValueError, KeyError):
        said = (asked.stdout + asked.stderr).decode(errors="replace")
        return [Difference("verify", f"exit status {asked.returncode}", said)]
    return [
        Difference("verify", f"{one['segment_id']}|{one['contact_id']}", orjson.dumps(one).decode())
        for one in found
    ]
