"""`streamseg reset`: delete the state of an installation on Kafka."""

from __future__ import annotations

from typing import Annotated

import typer

from agents.commands.frame import AsJson, Bootstrap, Timeout, errors_shown, settings_from
from agents.export.resetting import Found, look
from agents.export.resetting import reset as delete_all
from streamseg.cli.terminal import confirm, echo, echo_json
from streamseg.errors import ConfigurationError
from streamseg.settings import Settings


def reset(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be deleted and lost; delete nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without a question.")] = False,
    bootstrap: Bootstrap = None,
    timeout: Timeout = 30.0,
    as_json: AsJson = False,
) -> None:
    """Delete the state of an installation on Kafka: its own topics and its committed offsets.

    Topics of the contract, inputs and outputs, are never deleted. It is refused while a worker runs. After
    it, workers begin with the first record that the source topics still hold.

    With --json it asks no question, and needs --yes or --dry-run.

    The exit status is 1 if it is refused, fails, or is not confirmed.

    Example: streamseg reset --dry-run
    """
    with errors_shown():
        if as_json and not (yes or dry_run):
            raise ConfigurationError("--json asks no question: add --yes or --dry-run")
        settings = settings_from(bootstrap)
        found = look(settings, timeout=timeout)
        if not as_json:
            for line in _words(found, settings):
                echo(line)
        if not dry_run:
            if not yes:
                confirm("Delete all of it?")
            delete_all(settings, found, timeout=timeout)
        if as_json:
            echo_json({**found._asdict(), "deleted": not dry_run}, indented=True)
        if not dry_run:
            echo("deleted; next: remove the workers' data folders, then streamseg topics create", err=True)


def _words(found: Found, settings: Settings) -> list[str]:
    lines = [f"topic {name}: {records:,} records were written" for name, records in found.topics.items()]
    for group, offsets in found.offsets.items():
        lines.append(f"group {group}: {len(offsets)} committed offsets")
        lines += [f"  {place}: {offset:,}" for place, offset in offsets.items()]
    lines += [
        f"transactional id {found.transactional_id}: the brokers forget it by themselves, a week after its "
        "last use",
        "",
        "Lost: everything that is kept of contacts and is no longer in the source topics: attributes, "
        "events, lists, unsubscribes, sequence numbers. Members of before stay in segment-memberships until "
        "they change again.",
        f"Kept: all topics of the contract with the prefix {settings.topic_prefix!r}. To keep the state: "
        "streamseg state export --to DIR",
    ]
    return lines
