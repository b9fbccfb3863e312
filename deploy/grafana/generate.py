"""Writes the Grafana dashboards beside this file (`make pages`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, NamedTuple

FOLDER: Final = Path(__file__).parent

Json = dict[str, Any]

_WIDTH, _HEIGHT = 12, 8
_JOB = 'job="$job"'
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


class Panel(NamedTuple):
    """A graph: its title, its unit as Grafana names it, one line for each query, and an explanation."""

    title: str
    unit: str
    queries: dict[str, str]
    """The queries by their legends."""
    meaning: str


class Row(NamedTuple):
    """A row of the dashboard: panels that belong together."""

    title: str
    panels: list[Panel]


def _sum(metric: str, *, by: str = "") -> str:
    return f"sum{f' by ({by})' if by else ''} ({metric}{{{_JOB}}})"


def _rate(metric: str, *, by: str = "") -> str:
    return f"sum{f' by ({by})' if by else ''} (rate({metric}{{{_JOB}}}[$__rate_interval]))"


def _quantiles(metric: str) -> dict[str, str]:
    """Return queries for the quantiles 0.5, 0.9 and 0.99, by their legends."""
    buckets = f"sum by (le) (rate({metric}_bucket{{{_JOB}}}[$__rate_interval]))"
    return {f"p{int(share * 100)}": f"histogram_quantile({share}, {buckets})" for share in (0.5, 0.9, 0.99)}


USERS: Final = [
    Row(
        "Are memberships right and in time?",
        [
            Panel(
                "Behind the clock",
                "s",
                {"partition {{partition}}": f"time() - streamseg_clock_seconds{{{_JOB}}}"},
                "How far stream time is behind: a second or less. More than five minutes is an alert.",
            ),
            Panel(
                "From a record to its changes",
                "s",
                _quantiles("streamseg_change_latency_seconds"),
                "From the timestamp of a record to its acknowledged outputs; only when the partition is read "
                "to its end.",
            ),
            Panel(
                "Changes by time alone: how late",
                "s",
                _quantiles("streamseg_due_lateness_seconds"),
                "How long after the moment at which a condition ended its changes were acknowledged.",
            ),
            Panel(
                "Membership changes",
                "ops",
                {"changes": _rate("streamseg_membership_changes_total")},
                "Contacts that entered or left a segment, a second.",
            ),
        ],
    ),
    Row(
        "What comes in",
        [
            Panel(
                "Records",
                "ops",
                {"{{result}}": _rate("streamseg_records_total", by="result")},
                "Records of contacts and events, a second, by what became of them.",
            ),
            Panel(
                "Refused records",
                "ops",
                {"{{code}}": _rate("streamseg_dead_letters_total", by="code")},
                "Dead letters, a second, by the reason. Their producers have to be mended.",
            ),
        ],
    ),
    Row(
        "Segments and their API",
        [
            Panel(
                "Calculations under way",
                "percentunit",
                {"done": f"{_sum('streamseg_sweep_done')} / ({_sum('streamseg_sweep_total')} > 0)"},
                "How much of the contacts was evaluated for changed definitions; empty where none has.",
            ),
            Panel(
                "Commands",
                "s",
                _quantiles("streamseg_command_seconds"),
                "How long it took to make, change or delete segments and groups.",
            ),
            Panel(
                "Requests to the API",
                "ops",
                {"{{status}}": _rate("streamseg_api_requests_total", by="status")},
                "Requests a second, by the status of their answers.",
            ),
            Panel(
                "How long the API takes",
                "s",
                _quantiles("streamseg_api_request_seconds"),
                "Of all requests, previews included.",
            ),
        ],
    ),
    Row(
        "The workers",
        [
            Panel(
                "Workers ready",
                "none",
                {"ready": _sum("streamseg_ready"), "there": f"count(up{{{_JOB}}})"},
                "Both are the same while all is well.",
            ),
            Panel(
                "Partitions at work",
                "none",
                {
                    "at work": _sum("streamseg_partitions"),
                    "restoring": _sum("streamseg_restoring_partitions"),
                    "all": f"max(streamseg_topic_partitions{{{_JOB}}})",
                },
                "All of them are at work while all is well.",
            ),
        ],
    ),
]

DEVELOPERS: Final = [
    Row(
        "The process",
        [
            Panel(
                "Release, form and layout of state",
                "none",
                {
                    "{{version}} {{form}}, layout {{layout}}": _sum(
                        "streamseg_build_info", by="version, form, layout"
                    )
                },
                "How many workers run which release.",
            ),
            Panel(
                "CPU",
                "percentunit",
                {"{{instance}}": f"rate(process_cpu_seconds_total{{{_JOB}}}[$__rate_interval])"},
                "1 is a whole core. A worker works in one thread, with others for Kafka and RocksDB.",
            ),
            Panel(
                "Memory",
                "bytes",
                {"{{instance}}": f"process_resident_memory_bytes{{{_JOB}}}"},
                "Resident. It must not creep.",
            ),
            Panel(
                "Lateness of the event loop",
                "s",
                _quantiles("streamseg_loop_lag_seconds"),
                "What waits for the worker's thread waits so long.",
            ),
            Panel(
                "File descriptors",
                "none",
                {"{{instance}}": f"process_open_fds{{{_JOB}}}"},
                "It must not creep.",
            ),
            Panel(
                "Garbage collections",
                "ops",
                {
                    "generation {{generation}}": _rate("python_gc_collections_total", by="generation"),
                },
                "Those of generation 2 stop the thread for longest.",
            ),
        ],
    ),
    Row(
        "Towards the brokers",
        [
            Panel(
                "Checkpoints",
                "s",
                _quantiles("streamseg_checkpoint_seconds"),
                "Outputs and changelog acknowledged, state written.",
            ),
            Panel(
                "Oldest output on its way",
                "s",
                {"{{instance}}": f"streamseg_unacknowledged_seconds{{{_JOB}}}"},
                "Grows while a broker does not acknowledge.",
            ),
            Panel(
                "Errors and retries",
                "ops",
                {
                    "errors": _rate("streamseg_produce_errors_total"),
                    "retries": _rate("streamseg_produce_retries_total"),
                },
                "Both are 0 while the brokers are well.",
            ),
            Panel(
                "Lag",
                "none",
                {"{{topic}}": _sum("streamseg_lag_records", by="topic")},
                "Offsets that have not been applied yet.",
            ),
            Panel(
                "Rebalances and new beginnings",
                "none",
                {
                    "rebalances": f"sum (increase(streamseg_rebalances_total{{{_JOB}}}[15m]))",
                    "started again": f"sum (increase(streamseg_restarts_total{{{_JOB}}}[15m]))",
                },
                "In 15 minutes.",
            ),
            Panel(
                "Brokers away, clock in doubt, leader",
                "none",
                {
                    "brokers away": _sum("streamseg_broker_trouble"),
                    "clock in doubt": _sum("streamseg_clock_doubted"),
                    "leaders": _sum("streamseg_leader"),
                },
                "How many workers; there is one leader.",
            ),
        ],
    ),
    Row(
        "State",
        [
            Panel(
                "State on disk",
                "bytes",
                {"{{instance}}": f"streamseg_state_bytes{{{_JOB}}}"},
                "RocksDB's tables.",
            ),
            Panel(
                "Keys",
                "none",
                {"{{instance}}": f"streamseg_state_keys{{{_JOB}}}"},
                "Of contacts, events and all else, as RocksDB estimates them.",
            ),
            Panel(
                "Block cache",
                "ops",
                {
                    "found": _rate("streamseg_block_cache_hits_total"),
                    "read": _rate("streamseg_block_cache_misses_total"),
                },
                "Blocks of RocksDB's tables, a second. Many are read: raise STREAMSEG_CACHE_BYTES.",
            ),
            Panel(
                "Since the last compaction of all data",
                "s",
                {"{{instance}}": f"time() - streamseg_compacted_timestamp_seconds{{{_JOB}}}"},
                "Erased values are gone from the disk within STREAMSEG_COMPACTION_INTERVAL_MS.",
            ),
            Panel(
                "Pending compaction",
                "bytes",
                {"{{instance}}": f"streamseg_compaction_pending_bytes{{{_JOB}}}"},
                "Where it grows all the time, the disk is too slow.",
            ),
            Panel(
                "Partitions with stalled writes",
                "none",
                {"{{instance}}": f"streamseg_write_stalled_partitions{{{_JOB}}}"},
                "0 while the disk keeps up.",
            ),
            Panel(
                "Changelog still to be read",
                "none",
                {"{{instance}}": f"streamseg_restore_remaining_records{{{_JOB}}}"},
                "Falls while partitions are restored.",
            ),
            Panel(
                "Free disk",
                "bytes",
                {
                    "{{instance}} free": f"streamseg_disk_free_bytes{{{_JOB}}}",
                    "{{instance}} all": f"streamseg_disk_size_bytes{{{_JOB}}}",
                },
                "Less than 15 % is an alert.",
            ),
        ],
    ),
    Row(
        "Work",
        [
            Panel(
                "Contacts settled because time passed",
                "ops",
                {"contacts": _rate("streamseg_due_total")},
                "A second.",
            ),
            Panel(
                "Questions running",
                "none",
                {"{{kind}}": _sum("streamseg_api_questions_running", by="kind")},
                "Long ones look at all contacts.",
            ),
            Panel(
                "Requests by address",
                "ops",
                {"{{method}} {{route}}": _rate("streamseg_api_requests_total", by="method, route")},
                "A second.",
            ),
            Panel(
                "Background check",
                "ops",
                {
                    "contacts": _rate("streamseg_verified_contacts_total"),
                    "differences": _rate("streamseg_differences_total"),
                },
                "Differences stay 0.",
            ),
        ],
    ),
]


def dashboard(title: str, uid: str, rows: list[Row]) -> Json:
    """Return one dashboard, in the format that Grafana imports."""
    panels: list[Json] = []
    top = 0
    for row in rows:
        panels.append(
            {
                "id": len(panels) + 1,
                "type": "row",
                "title": row.title,
                "collapsed": False,
                "gridPos": {"x": 0, "y": top, "w": 2 * _WIDTH, "h": 1},
                "panels": [],
            }
        )
        top += 1
        for index, panel in enumerate(row.panels):
            place = {"x": index % 2 * _WIDTH, "y": top + index // 2 * _HEIGHT, "w": _WIDTH, "h": _HEIGHT}
            panels.append({"id": len(panels) + 1, "gridPos": place, **_graph(panel)})
        top += (len(row.panels) + 1) // 2 * _HEIGHT
    return {
        "title": title,
        "uid": uid,
        "tags": ["streamseg"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": _variables()},
        "panels": panels,
    }


def _graph(panel: Panel) -> Json:
    return {
        "type": "timeseries",
        "title": panel.title,
        "description": panel.meaning,
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": chr(ord("A") + index), "datasource": _SOURCE, "expr": query, "legendFormat": legend}
            for index, (legend, query) in enumerate(panel.queries.items())
        ],
    }


def _variables() -> list[Json]:
    return [
        {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"},
        {
            "name": "job",
            "label": "Installation",
            "type": "query",
            "datasource": _SOURCE,
            "query": "label_values(streamseg_build_info, job)",
            "refresh": 2,
        },
    ]


def dashboards() -> dict[str, str]:
    """Return the texts of the files, by file name."""
    made = {
        "users.json": dashboard("Streamseg: segments in time", "streamseg-users", USERS),
        "developers.json": dashboard("Streamseg: inside the workers", "streamseg-developers", DEVELOPERS),
    }
    return {name: json.dumps(one, indent=2) + "\n" for name, one in made.items()}


if __name__ == "__main__":
    for name, text in dashboards().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
