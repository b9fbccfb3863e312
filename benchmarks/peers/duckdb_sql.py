"""DuckDB: events and contacts in tables, and every membership computed anew by SQL, again and again.

    python -m benchmarks.peers --only duckdb_sql

The memberships come from one set-based query over tables of conditions, not from one query for each segment.
How often is counted in records, so that a run does not depend on the machine's speed; the report says what
one recomputation took, and so what a minute has room for.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.peers.evaluate import DAY_MS, Change, Json
from benchmarks.peers.job import Job, Result
from schemas.topics import BEHAVIOR_EVENTS, CONTACT_UPDATES
from streamseg.records.inputs import Record

NAME = "DuckDB, recomputing"
LIMITS = (
    "Nothing is known between two recomputations: changes carry the time of the one that found them, and "
    "who enters and leaves in between is never seen. What time alone changes is right at each "
    "recomputation. A repeated event counts twice. The query only finds who did something: a segment of "
    "contacts that did nothing at all would need the complement over all contacts."
)

RECOMPUTE_EVERY = 2_000
"""Records between two recomputations."""

_TYPES = {bool: "BOOLEAN", int: "BIGINT", str: "VARCHAR"}
_COMPARISONS = {"eq": "=", "ge": ">="}

_MEMBERS = """
CREATE OR REPLACE TEMP TABLE fresh AS
WITH holds(condition, contact_id) AS ({holds}),
found_clusters AS (
    SELECT cluster, contact_id FROM holds JOIN cluster_conditions USING (condition)
    GROUP BY cluster, contact_id, wanted
    HAVING count(*) FILTER (NOT absent) >= wanted AND count(*) FILTER (absent) = 0),
found_parts AS (
    SELECT part, contact_id FROM found_clusters JOIN clusters USING (cluster)
    GROUP BY part, contact_id, wanted HAVING count(*) = wanted)
SELECT segment_id, contact_id FROM found_parts JOIN parts USING (part)
GROUP BY segment_id, contact_id HAVING bool_and(included)
"""
_DIFFERENCES = """
SELECT segment_id, contact_id, true FROM (FROM fresh ANTI JOIN members USING (segment_id, contact_id))
UNION ALL
SELECT segment_id, contact_id, false FROM (FROM members ANTI JOIN fresh USING (segment_id, contact_id))
"""


class Asked:
    """What the definitions ask for: rows of tables, and the query over them."""

    def __init__(self, definitions: list[Json]) -> None:
        self._conditions: dict[str, int] = {}
        self.types: dict[str, str] = {}
        self.attributes: dict[tuple[str, str], list[tuple[Any, ...]]] = defaultdict(list)
        self.events: dict[tuple[str, str, tuple[str, ...]], list[tuple[Any, ...]]] = defaultdict(list)
        self.cluster_conditions: list[tuple[Any, ...]] = []
        self.clusters: list[tuple[Any, ...]] = []
        self.parts: list[tuple[Any, ...]] = []
        for definition in definitions:
            self._add(definition)

    def _add(self, definition: Json) -> None:
        whole = [{"relation": "include", "clusters": definition.get("clusters")}]
        for part in definition.get("parts", whole):
            number = len(self.parts)
            self.parts.append((number, definition["segment_id"], part["relation"] == "include"))
            for cluster in part["clusters"]:
                self._add_cluster(number, len(part["clusters"]), cluster)

    def _add_cluster(self, part: int, of: int, cluster: Json) -> None:
        number = len(self.clusters)
        self.clusters.append((number, part, of))
        absent = [condition.get("count", {}).get("operator") == "lt" for condition in cluster["conditions"]]
        present = absent.count(False)
        if not present or (cluster["match"] == "any" and any(absent)):
            raise ValueError(f"nothing to look for: {cluster!r}")
        wanted = present if cluster["match"] == "all" else 1
        for condition, is_absent in zip(cluster["conditions"], absent, strict=True):
            self.cluster_conditions.append((self._condition(condition), number, wanted, is_absent))

    def _condition(self, condition: Json) -> int:
        """Its number; those that are alike have the same and are computed once."""
        known = self._conditions.get(repr(condition))
        if known is not None:
            return known
        number = self._conditions[repr(condition)] = len(self._conditions)
        if "attribute" in condition:
            name, value = condition["attribute"], condition["value"]
            self.types[name] = _TYPES[type(value)]
            self.attributes[name, condition["operator"]].append((number, value))
            return number
        tests = condition["where"]["conditions"]
        equal = next(test for test in tests if test["operator"] == "eq")
        filled = tuple(test["property"] for test in tests if test["operator"] == "is_set")
        span_ms = int(condition["window"]["last"][1:-1]) * DAY_MS
        row = number, equal["value"], span_ms, condition["count"]["value"]
        self.events[condition["event"], equal["property"], filled].append(row)
        return number

    @property
    def properties(self) -> list[str]:
        return sorted({name for _, equal, filled in self.events for name in (equal, *filled)})

    def tables(self) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
        """Statements that make the tables of what is asked, with their rows."""
        yield (
            "cluster_conditions(condition INT, cluster INT, wanted INT, absent BOOLEAN)",
            self.cluster_conditions,
        )
        yield "clusters(cluster INT, part INT, wanted INT)", self.clusters
        yield "parts(part INT, segment_id VARCHAR, included BOOLEAN)", self.parts
        for number, ((name, _), rows) in enumerate(self.attributes.items()):
            yield f"attributes_{number}(condition INT, value {self.types[name]})", rows
        for number, rows in enumerate(self.events.values()):
            yield f"events_{number}(condition INT, value VARCHAR, span_ms BIGINT, least INT)", rows

    def query(self) -> str:
        """Makes the table of all memberships at $now_ms."""
        holds = [
            f"SELECT condition, contact_id FROM contacts JOIN attributes_{number} asked "  # noqa: S608
            f'ON "{name}" {_COMPARISONS[operator]} asked.value'
            for number, (name, operator) in enumerate(self.attributes)
        ]
        for number, (event, equal, filled) in enumerate(self.events):
            tests = "".join(f" AND \"{name}\" <> ''" for name in filled)
            holds.append(
                f"SELECT condition, contact_id FROM events JOIN events_{number} asked "  # noqa: S608
                f"ON \"{equal}\" = asked.value WHERE event = '{event}'{tests} "
                f"AND occurred_ms > $now_ms - span_ms AND occurred_ms <= $now_ms "
                f"GROUP BY condition, contact_id, least HAVING count(*) >= least"
            )
        return _MEMBERS.format(holds="\nUNION ALL\n".join(holds))


class Database:
    """The tables in a file, filled in batches."""

    def __init__(self, file: Path, definitions: list[Json]) -> None:
        asked = Asked(definitions)
        self._query = asked.query()
        self._connection = duckdb.connect(file)
        self._append = {BEHAVIOR_EVENTS: _append_events(asked), CONTACT_UPDATES: _merge_contacts(asked)}
        self.recomputations: list[float] = []
        for table, rows in asked.tables():
            self._connection.execute(f"CREATE TABLE {table}")
            name, _, columns = table.partition("(")
            marks = ", ".join("?" * (columns.count(",") + 1))
            self._connection.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)  # noqa: S608
        texts = "".join(f', "{name}" VARCHAR' for name in asked.properties)
        typed = "".join(f', "{name}" {kind}' for name, kind in sorted(asked.types.items()))
        self._connection.execute(
            f"CREATE TABLE events(contact_id VARCHAR, event VARCHAR, occurred_ms BIGINT{texts})"
        )
        self._connection.execute(f"CREATE TABLE contacts(contact_id VARCHAR PRIMARY KEY{typed})")
        self._connection.execute("CREATE TABLE members(segment_id VARCHAR, contact_id VARCHAR)")

    def append(self, records: list[Record]) -> None:
        """In one transaction; DuckDB decodes the JSON."""
        self._connection.begin()
        for topic, statement in self._append.items():
            values = [(record.value or b"").decode() for record in records if record.topic == topic]
            if values:
                self._connection.execute(statement, {"bodies": values})
        self._connection.commit()

    def copy_contacts(self, copies: int, wanted: int) -> None:
        """Let there be `wanted` of each contact with its events, where there are `copies` now. The copies
        have other ids."""
        for number in range(copies, wanted):
            for name in ("events", "contacts"):
                self._connection.execute(
                    f"INSERT INTO {name} SELECT * REPLACE (contact_id || '-{number}' AS contact_id) "  # noqa: S608
                    f"FROM {name} WHERE contact_id NOT LIKE '%-%-%'"
                )

    def recompute(self, now_ms: int) -> list[Change]:
        """What has changed since the last time."""
        began = time.perf_counter()
        self._connection.begin()
        self._connection.execute(self._query, {"now_ms": now_ms})
        rows = self._connection.execute(_DIFFERENCES).fetchall()
        self._connection.execute("CREATE OR REPLACE TABLE members AS FROM fresh")
        self._connection.commit()
        self.recomputations.append(time.perf_counter() - began)
        return [Change(segment_id, contact_id, now_ms, entered) for segment_id, contact_id, entered in rows]

    def close(self) -> None:
        self._connection.close()


def _append_events(asked: Asked) -> str:
    read = "".join(f", body ->> '$.properties.{name}'" for name in asked.properties)
    return (
        "INSERT INTO events SELECT body ->> '$.contact_id', body ->> '$.event', "  # noqa: S608
        f"CAST(body ->> '$.occurred_at' AS BIGINT){read} FROM (SELECT unnest($bodies::JSON[]) AS body)"
    )


def _merge_contacts(asked: Asked) -> str:
    """The latest value of each attribute in the batch, over what was known; others stay."""
    names = sorted(asked.types)
    read = "".join(
        f", CAST(body ->> '$.attributes.{name}' AS {asked.types[name]}) AS \"{name}\"" for name in names
    )
    latest = "".join(f', arg_max("{name}", place)' for name in names)
    merged = ", ".join(f'"{name}" = coalesce(excluded."{name}", contacts."{name}")' for name in names)
    return (
        f"INSERT INTO contacts SELECT contact_id{latest} FROM ("  # noqa: S608
        f"SELECT place, body ->> '$.contact_id' AS contact_id{read} FROM ("
        "SELECT unnest($bodies::JSON[]) AS body, generate_subscripts($bodies, 1) AS place)"
        f") GROUP BY contact_id ON CONFLICT DO UPDATE SET {merged}"
    )


def run(job: Job, folder: Path) -> Result:
    result = Result()
    database = Database(folder / "segments.duckdb", job.segments)
    with result.measured():
        for begin in range(0, len(job.records), RECOMPUTE_EVERY):
            batch = job.records[begin : begin + RECOMPUTE_EVERY]
            database.append(batch)
            now_ms = batch[-1].timestamp_ms
            result.changes += database.recompute(now_ms)
            following = job.records[begin + RECOMPUTE_EVERY :][:1]
            if all(record.timestamp_ms > now_ms for record in following):
                result.instants.append(now_ms)
    database.close()
    median = statistics.median(database.recomputations)
    total = sum(database.recomputations)
    rate = (60 - median) * len(job.records) / max(result.seconds - total, 1e-9) / 60
    result.remark = (
        f"a recomputation every {RECOMPUTE_EVERY:,} records, median {median:.2f} s; one each minute at this "
        f"size would leave room for appending {max(rate, 0):,.0f} records/s"
    )
    return result
