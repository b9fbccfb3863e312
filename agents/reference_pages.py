"""Writes docs/settings.md and docs/metrics.md from the code: `python -m agents.reference_pages [--check]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Literal, NamedTuple, get_args, get_origin

from prometheus_client.metrics import MetricWrapperBase
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from agents.metrics import Metrics
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
    ),
    "The worker": (
        "data_dir",
        "checkpoint_",
        "commit_interval_ms",
        "live_lag_ms",
        "queued_records",
        "contact_cache",
        "block_cache_bytes",
        "stall_timeout_ms",
        "verify_",
    ),
    "Web server and API": (
        "http_",
        "advertised_url",
        "api_",
        "allowed_",
        "operators",
        "command_timeout_ms",
    ),
}
"""The headings of docs/settings.md, with the settings under each; a name that ends in `_` begins several."""


def settings_page() -> str:
    """docs/settings.md."""
    lines = [
        "# Settings",
        "",
        "Everything that can be set, by the environment variable of each. Times end in `_MS` and are",
        "milliseconds, sizes end in `_BYTES`. Lists and objects are JSON. A value that cannot be ends the",
        "command with the variable's name. This page is made from the code (`make pages`).",
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
        "What a worker shows at `/metrics`, in the OpenMetrics text format. Names and labels stay as they",
        "are within a major release. No contact, segment or value is ever in them. Beside them are",
        "`process_…` (memory, CPU, file descriptors) and `python_gc_…`, as with every Python process.",
        "This page is made from the code (`make pages`).",
        "",
        "| metric | type | labels | meaning |",
        "|---|---|---|---|",
    ]
    for family in families():
        labels = ", ".join(f"`{label}`" for label in family.labels) or "–"
        lines.append(f"| `{family.name}` | {family.kind} | {labels} | {_cell(family.meaning)} |")
    return "\n".join([*lines, ""])


PAGES: Final = {"settings.md": settings_page, "metrics.md": metrics_page}


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
