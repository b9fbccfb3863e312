"""`streamseg demo`: show memberships that start and end, with nothing installed besides this package."""

from __future__ import annotations

import contextlib
import itertools
import logging
import math
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from confluent_kafka import Consumer, Producer, TopicPartition
from rich.table import Table

from agents.api.auth import LOCAL_ACCOUNT
from agents.console.page import ConsolePage
from agents.demo.embedded import PARTITIONS, EmbeddedBroker, EmbeddedWorker
from agents.demo.workload import CASE, DEFINITIONS, Workload
from schemas.topics import BEHAVIOR_EVENTS, CONTACT_UPDATES, MEMBERSHIP_CHANGES, SEGMENT_DEFINITIONS
from streamseg.cli.terminal import TerminalConsole
from streamseg.settings import BatchWindow, Settings
from streamseg.wording.reasons import reason

_SHOWN = 6
_EMAIL_WINDOW = "PT10S"
_QUIET_SECONDS = 12
"""The silence after which the demonstration ends. It is longer than the e-mail window, so that every entry at
the window's close is seen."""
_DEADLINE_SECONDS = 90
_PAUSE_SECONDS = 0.15
"""Between two events, while the shop goes on."""
_EVENTS_FOR_A_CONTACT = 6
_EXPECTED = {(CASE, "exited", "time"), ("email-unsubscribed", "entered", "unsubscribe_window")}


def demo(
    contacts: Annotated[int, typer.Option(min=100, help="The number of contacts.")] = 2_000,
    events: Annotated[int, typer.Option(min=100, max=15_000, help="The number of behaviour events.")] = 6_000,
    seconds: Annotated[
        float | None,
        typer.Option(min=0, help="How long the shop goes on after that. On a terminal until Ctrl-C, else 0."),
    ] = None,
) -> None:
    """Run a whole worker on a broker inside this process, send it records, and show the membership changes.

    Needs no Java, Docker or network, and leaves no files behind. After about half a minute it goes on with a
    few records a second, so that the console, whose address it prints, has something to show.

    Example: streamseg demo --contacts 500 --events 2000
    """
    logging.disable(logging.WARNING)
    console = TerminalConsole(highlight=False)
    if seconds is None:
        seconds = math.inf if console.is_terminal and sys.stdin.isatty() else 0.0
    with tempfile.TemporaryDirectory(prefix="streamseg-demo-") as folder, EmbeddedBroker() as broker:
        settings = Settings.read(
            bootstrap_servers=broker.bootstrap,
            application_id="streamseg-demo",
            partitions=PARTITIONS,
            data_dir=Path(folder),
            email_window=BatchWindow(length=_EMAIL_WINDOW),
            http_port=0,
        )
        broker.create_topics(settings)
        producer = producer_for(broker.bootstrap)
        made = {"created_by": LOCAL_ACCOUNT, "created_at": _wall_ms(), "updated_at": _wall_ms()}
        owned = [{**definition, **made, "updated_by": LOCAL_ACCOUNT} for definition in DEFINITIONS]
        _send(producer, SEGMENT_DEFINITIONS, "segment_id", owned, partition=0)
        console.print(f"[bold]broker[/bold] in this process at {broker.bootstrap}, {PARTITIONS} partitions")
        for definition in DEFINITIONS:
            console.print(f"[bold]segment[/bold] {definition['segment_id']} ({definition['name']})")
        console.print(
            "[dim]for the demonstration the e-mail unsubscribe window is 10 s instead of a day[/dim]"
        )
        with EmbeddedWorker(settings) as worker:
            console.print("[bold]worker[/bold] started")
            _print_address(console, worker)
            workload = Workload(contacts=contacts, events=events, now_ms=_wall_ms())
            started = time.monotonic()
            _send(producer, CONTACT_UPDATES, "contact_id", workload.updates())
            _send(producer, BEHAVIOR_EVENTS, "contact_id", workload.events())
            console.print(f"[bold]fed[/bold] {contacts:,} contact updates and {events:,} behaviour events\n")
            changes = _watch(console, broker.bootstrap)
            console.print(_summary(changes))
            console.print(
                f"{contacts + events:,} records in, {sum(changes.values()):,} membership changes out, "
                f"{time.monotonic() - started:.0f} s watched; nothing was recomputed."
            )
            if seconds > 0:
                _print_address(console, worker)
                if math.isinf(seconds):
                    console.print("[dim]the shop goes on; Ctrl-C ends it[/dim]")
                with contextlib.suppress(KeyboardInterrupt):
                    _go_on(producer, workload, seconds)


def _print_address(console: TerminalConsole, worker: EmbeddedWorker) -> None:
    """Print the address of the console, or that it is not built."""
    if worker.app is None or not ConsolePage(worker.app.settings).served:
        console.print("[bold]console[/bold] not built: make console")
        return
    port = worker.app.web_server_service.port
    console.print(f"[bold]console[/bold] http://localhost:{port}/  [dim]the same in a browser[/dim]")


def _go_on(producer: Producer, workload: Workload, seconds: float) -> None:
    """Send a few records a second."""
    deadline = time.monotonic() + seconds
    for number in itertools.count():
        if time.monotonic() >= deadline:
            return
        if number % _EVENTS_FOR_A_CONTACT == 0:
            update = workload.arrival(number // _EVENTS_FOR_A_CONTACT, _wall_ms())
            _send(producer, CONTACT_UPDATES, "contact_id", [update])
        _send(producer, BEHAVIOR_EVENTS, "contact_id", [workload.occurrence(number, _wall_ms())])
        time.sleep(_PAUSE_SECONDS)


def producer_for(bootstrap: str) -> Producer:
    """Return a producer that puts each contact into the partition in which workers look for it."""
    settings = {"bootstrap.servers": bootstrap, "linger.ms": 5, "log_level": 0}
    return Producer({**settings, "partitioner": "murmur2_random"})


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def _send(
    producer: Producer, topic: str, key: str, values: Iterable[dict[str, Any]], partition: int | None = None
) -> None:
    place = -1 if partition is None else partition  # -1 lets the client choose the partition by the key
    for value in values:
        producer.produce(topic, orjson.dumps(value), key=value[key], partition=place)
        producer.poll(0)
    producer.flush(30)


def _watch(console: TerminalConsole, bootstrap: str) -> Counter[tuple[str, str, str]]:
    """Print changes as they come, the first few of each kind. Return (segment, change, reason) -> number of
    changes.

    Ends when no change came for longer than an unsubscribe window. Ends sooner if the changes that only time
    can cause were seen already.
    """
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "demo", "enable.auto.commit": False, "log_level": 0}
    )
    consumer.assign([TopicPartition(MEMBERSHIP_CHANGES, number, 0) for number in range(PARTITIONS)])
    seen: Counter[tuple[str, str, str]] = Counter()
    deadline = time.monotonic() + _DEADLINE_SECONDS
    quiet_since = time.monotonic()
    while time.monotonic() < deadline:
        messages = [message for message in consumer.consume(500, 0.5) if message.error() is None]
        for message in messages:
            change = orjson.loads(message.value() or b"{}")
            sort = (change["segment_id"], change["change"], change["reason"]["kind"])
            seen[sort] += 1
            if seen[sort] <= _SHOWN:
                _print_change(console, change)
            elif seen[sort] == _SHOWN + 1:
                console.print(
                    f"  [dim]… more of {change['segment_id']} {change['change']} by {sort[2]}[/dim]"
                )
        if messages:
            quiet_since = time.monotonic()
        complete = seen.keys() >= _EXPECTED
        if time.monotonic() - quiet_since > (4 if complete else _QUIET_SECONDS):
            break
    consumer.close()
    return seen


def _print_change(console: TerminalConsole, change: dict[str, Any]) -> None:
    entered = change["change"] == "entered"
    console.print(
        f"  {change['effective_at']}  {change['contact_id']}  "
        f"[{'green' if entered else 'red'}]{change['change']:<7}[/] "
        f"{change['segment_id']:<20} {reason(change['reason']['kind'], None, 'en')}"
    )


def _summary(changes: Counter[tuple[str, str, str]]) -> Table:
    table = Table(
        "segment",
        "entered",
        "exited",
        "members now",
        "by",
        title="\nmembership changes",
        title_justify="left",
    )
    for segment_id in sorted({segment_id for segment_id, _, _ in changes}):
        entered = sum(
            count for (one, change, _), count in changes.items() if (one, change) == (segment_id, "entered")
        )
        exited = sum(
            count for (one, change, _), count in changes.items() if (one, change) == (segment_id, "exited")
        )
        kinds = sorted({kind for one, _, kind in changes if one == segment_id})
        table.add_row(segment_id, f"{entered:,}", f"{exited:,}", f"{entered - exited:,}", ", ".join(kinds))
    return table
