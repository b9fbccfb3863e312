"""Writes the pages of docs/ that follow from the code: `python -m agents.reference_pages [--check]`."""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, get_args, get_origin

from prometheus_client.metrics import MetricWrapperBase
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

import streamseg
from agents import asyncapi
from agents.metrics import Metrics
from streamseg.records.outputs import Emitter
from streamseg.settings import Settings

DOCS: Final = Path(__file__).parents[1] / "docs"

GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "Time, history and limits": (
        "timezone",
        "future_tolerance_ms",
        "record_tolerance_ms",
        "clock_tolerance_ms",
        "history_retention_ms",
        "history_cap",
        "change_cap",
        "email_window",
        "sms_window",
        "max_record_bytes",
        "max_conditions",
    ),
    "Kafka": (
        "bootstrap_servers",
        "application_id",
        "topic_prefix",
        "partitions",
        "replication_factor",
        "security_protocol",
        "ssl_",
        "sasl_",
        "instance_id",
        "session_timeout_ms",
        "start_timeout_ms",
        "accept_empty_state",
    ),
    "The worker": (
        "data_dir",
        "layout",
        "log_format",
        "checkpoint_",
        "commit_interval_ms",
        "live_lag_ms",
        "queued_records",
        "cache_bytes",
        "restoring_processes",
        "compaction_interval_ms",
        "stall_timeout_ms",
        "verify_",
    ),
    "Web server and API": (
        "http_",
        "advertised_url",
        "api_",
        "allowed_",
        "audit_",
        "console",
        "command_timeout_ms",
    ),
}
"""The headings of docs/settings.md, with the settings under each; a name that ends in `_` begins several."""


def settings_page() -> str:
    """docs/settings.md."""
    lines = [
        "# Settings",
        "",
        "Each setting is an environment variable. Names of times end in `_MS`, and their values are",
        "milliseconds. Names of sizes end in `_BYTES`. Lists and objects are JSON. A command ends at once if",
        "a value is wrong, and names the variable. This page is made from the code (`make pages`).",
        "",
    ]
    for heading, names in GROUPS.items():
        lines += [f"## {heading}", "", "| variable | default | meaning |", "|---|---|---|"]
        for name, field in _fields(names):
            meaning = _cell(field.description or "")
            bounds = _bounds(field)
            lines.append(
                f"| `STREAMSEG_{name.upper()}` | {_default(field)} | {meaning}{bounds and f' {bounds}'} |"
            )
        lines.append("")
    return "\n".join(lines)


def metrics_page() -> str:
    """docs/metrics.md."""
    lines = [
        "# Metrics",
        "",
        "A worker shows these metrics at `/metrics`, in the OpenMetrics text format. Names and labels do not",
        "change within a major release. No metric has a contact, a segment or a value of either in it. There",
        "are also `process_…` (memory, CPU, file descriptors) and `python_gc_…`, as in every Python process.",
        "This page is made from the code (`make pages`).",
        "",
        "| metric | type | labels | meaning |",
        "|---|---|---|---|",
    ]
    for family in families():
        labels = ", ".join(f"`{label}`" for label in family.labels) or "–"
        lines.append(f"| `{family.name}` | {family.kind} | {labels} | {_cell(family.meaning)} |")
    return "\n".join([*lines, ""])


def python_page() -> str:
    """docs/python.md."""
    lead, promise, example = inspect.cleandoc(streamseg.__doc__ or "").split("\n\n", 2)
    lines = [
        "# The Python package",
        "",
        f"{lead} {_flat(promise)} This page is made from the code (`make pages`).",
        "",
        "```python",
        *example.splitlines(),
        "```",
        "",
        "`streamseg.__version__` is the version as text.",
        "",
    ]
    for name in streamseg.__all__:
        if name != "__version__":
            lines += _described(name, getattr(streamseg, name))
    return "\n".join(lines)


def _described(name: str, thing: Any) -> list[str]:
    """The section of one public name: a class, or a function."""
    lines = [f"## {name}", ""]
    doc = _paragraphs(thing)
    if not isinstance(thing, type):
        return [*lines, *_code(f"{name}{_signature(thing)}"), *doc, ""]
    if issubclass(thing, BaseModel):
        return [*lines, *doc, "", "Its fields are in [settings.md](settings.md).", ""]
    if issubclass(thing, StrEnum):
        return [*lines, *doc, "", f"Its values: {', '.join(f'`{one}`' for one in thing)}.", ""]
    if not issubclass(thing, Exception):
        lines += _code(f"{name}{_signature(thing)}")
    members = [
        f"- `{member if isinstance(given, property) else member + _signature(function)}`: {_flat(told)}"
        for member, given in vars(thing).items()
        if inspect.isfunction(function := given.fget if isinstance(given, property) else given)
        and (told := function.__doc__)
        and not member.startswith("_")
        and not hasattr(Emitter, member)
    ]
    return [*lines, *doc, "", *members, *([""] if members else [])]


def _paragraphs(thing: Any) -> list[str]:
    """The docstring as Markdown: a table of fields, `name  meaning`, becomes a list."""
    lines: list[str] = []
    for line in inspect.cleandoc(thing.__doc__ or "").splitlines():
        field = re.match(r"(\w+)  +(\S.*)", line)
        if field:
            lines.append(f"- `{field[1]}`: {field[2]}")
        elif line.startswith(" ") and lines:
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line)
    return lines


def _code(text: str) -> list[str]:
    return ["```python", text, "```", ""]


def _signature(thing: Any) -> str:
    signature = inspect.signature(thing)
    without_self = [one for name, one in signature.parameters.items() if name != "self"]
    return str(signature.replace(parameters=without_self)).replace("'", "")


def _flat(text: str) -> str:
    return " ".join(text.split())


PAGES: Final = {
    "settings.md": settings_page,
    "metrics.md": metrics_page,
    "python.md": python_page,
    "asyncapi.json": asyncapi.render,
}


def stale(folder: Path = DOCS) -> list[str]:
    """The pages in the folder that are not what the code makes."""
    return [name for name, page in PAGES.items() if _read(folder / name) != page()]


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def _fields(names: tuple[str, ...]) -> Iterator[tuple[str, FieldInfo]]:
    for wanted in names:
        for name, field in Settings.model_fields.items():
            if name == wanted or (wanted.endswith("_") and name.startswith(wanted)):
                yield name, field


class Family(NamedTuple):
    """A metric as it is shown; `name` as in queries, without the ends of a histogram's."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str


def families() -> list[Family]:
    """All that a worker shows of its own, by their names."""
    found = []
    for collector in Metrics().registry._collector_to_names:
        if isinstance(collector, MetricWrapperBase):
            (family,) = collector.describe()
            name = f"{family.name}_total" if family.type == "counter" else family.name
            found.append(Family(name, family.type, tuple(collector._labelnames), family.documentation))
    return sorted(found)


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value is None or value is PydanticUndefined or value in ("", {}, [], frozenset()):
        return "none"
    if isinstance(value, BaseModel):
        return ", ".join(f"`{name}` {given}" for name, given in value.model_dump(exclude_none=True).items())
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"{value:,}" if isinstance(value, int | float) else f"`{value}`"


def _bounds(field: FieldInfo) -> str:
    """What values there are, as far as the type says it."""
    if get_origin(field.annotation) is Literal:
        return "One of " + ", ".join(f"`{one}`" for one in get_args(field.annotation)) + "."
    signs = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}
    told = [
        f"{words} {getattr(bound, sign):,}"
        for bound in field.metadata
        for sign, words in signs.items()
        if hasattr(bound, sign)
    ]
    return f"{' and '.join(told).capitalize()}." if told else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say which pages are stale")
    given = parser.parse_args(arguments)
    if given.check:
        names = stale()
        for name in names:
            sys.stdout.write(f"docs/{name} is stale; run `make pages`\n")
        return 1 if names else 0
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
