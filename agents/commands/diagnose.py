"""`streamseg diagnose`: the condition of an installation, in one JSON document to read or to send."""

from __future__ import annotations

import os
import platform
import re
import ssl
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import requires, version
from pathlib import Path
from typing import Annotated

import httpx
import typer

from agents.api.shown_settings import shown_settings
from agents.commands.frame import Bootstrap, Timeout, errors_shown, settings_from
from agents.commands.topics import report
from agents.kafka.group_admin import GroupAdmin
from agents.kafka.rights import worker_groups
from agents.kafka.topics import required_topics, topic_name
from agents.kafka.topics_admin import TopicsAdmin
from schemas.topics import SEGMENT_COMMANDS, SOURCES
from streamseg.cli.session import Token
from streamseg.cli.terminal import echo, echo_json
from streamseg.contact.state_version import STATE_VERSION
from streamseg.environment import unknown_variables
from streamseg.errors import ConfigurationError, StreamsegError
from streamseg.json_text import Json, dumps
from streamseg.settings import Settings

_WORKER = "http://localhost:8080"
_ASKED = {"health": "health", "ready": "ready", "metrics": "metrics", "inside": "api/v1/diagnosis"}
"""What a worker is asked for, and where."""


def diagnose(
    bootstrap: Bootstrap = None,
    url: Annotated[
        list[str] | None,
        typer.Option(
            "--url",
            metavar="URL",
            help=f"A worker to ask, again for each one, e.g. --url http://worker-1:8080. Default: {_WORKER}.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="Where to write it, e.g. --out diagnosis.json; else stdout."
        ),
    ] = None,
    token: Token = None,
    timeout: Timeout = 10.0,
) -> None:
    """Collect what helps to find a fault: settings, versions, topics, groups, lag and workers.

    Only to administrators (--token) a worker gives its latest errors and its tasks' stacks.

    Prints one JSON object. It contains no passwords, tokens, contacts, segments or records. If a part does
    not answer, its error is noted; the rest is collected all the same, and the exit status is 0.

    Example: streamseg diagnose --bootstrap kafka-1:9092 --url http://worker-1:8080 --out diagnosis.json
    """
    with errors_shown():
        found = diagnosis(settings_from(bootstrap), url or [_WORKER], timeout, token=token)
        if out is None:
            echo_json(found, indented=True)
        else:
            _write(out, found)
            echo(f"Written to {out}.")


def _write(file: Path, found: Json) -> None:
    try:
        file.touch(mode=0o600)
        file.write_bytes(dumps(found) + b"\n")
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written ({error.strerror})") from error


def diagnosis(settings: Settings, urls: Sequence[str], timeout: float, *, token: str | None = None) -> Json:
    """Return the whole document. A part that does not answer within `timeout` seconds is `{"error": …}`.
    `token` is an operator's."""
    made = datetime.now(UTC)
    return {
        "made": made.isoformat(timespec="seconds"),
        "versions": _versions(),
        "settings": shown_settings(settings),
        "unknown_variables": list(unknown_variables(os.environ)),
        "topics": _part(lambda: _topics(settings, timeout)),
        "groups": _part(lambda: _groups(settings, timeout)),
        "workers": {url: _worker(url.rstrip("/"), timeout, token) for url in urls},
    }


def _part(gather: Callable[[], Json]) -> Json:
    try:
        return gather()
    except StreamsegError as error:
        return {"error": str(error)}


def _versions() -> Json:
    names = [re.split(r"[^\w.-]", one)[0] for one in requires("streamseg") or () if "extra ==" not in one]
    return {
        "streamseg": version("streamseg"),
        "layout": STATE_VERSION,
        "python": platform.python_version(),
        "system": platform.platform(),
        "libraries": {name: version(name) for name in sorted(names)},
    }


def _topics(settings: Settings, timeout: float) -> Json:
    return report(TopicsAdmin(settings, timeout=timeout).check(required_topics(settings)), settings)


def _groups(settings: Settings, timeout: float) -> Json:
    admin = GroupAdmin(settings, timeout=timeout)
    workers, catalogue = worker_groups(settings)
    sources = [topic_name(settings, topic) for topic in SOURCES]
    return {
        workers: admin.look(workers, dict.fromkeys(sources, settings.partitions)),
        catalogue: admin.look(catalogue, {topic_name(settings, SEGMENT_COMMANDS): 1}),
    }


def _worker(url: str, timeout: float, token: str | None) -> Json:
    found: Json = {}
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    with httpx.Client(timeout=timeout, headers=headers, verify=ssl.create_default_context()) as client:
        for part, path in _ASKED.items():
            try:
                answer = client.get(f"{url}/{path}")
            except httpx.HTTPError as error:
                found[part] = {"error": str(error) or type(error).__name__}
                continue
            found[part] = _samples(answer.text) if part == "metrics" else _body(answer)
    return found


def _body(answer: httpx.Response) -> Json:
    try:
        return {"status": answer.status_code, "body": answer.json()}
    except ValueError:
        return {"status": answer.status_code, "error": "the answer is not JSON; is this a worker's address?"}


def _samples(text: str) -> dict[str, float]:
    """Return sample -> value, without the buckets of histograms."""
    found = {}
    for line in text.splitlines():
        name, _, value = line.rpartition(" ")
        if re.match(r"(streamseg|process)_", line) and "_bucket{" not in line:
            found[name] = float(value)
    return found
