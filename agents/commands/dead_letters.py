"""`streamseg dead-letters`: remove the dead letters about one contact."""

from __future__ import annotations

from typing import Annotated

import typer

from agents.commands.frame import (
    AsJson,
    Bootstrap,
    Timeout,
    errors_shown,
    only_subcommand,
    settings_from,
)
from agents.kafka.dead_letters import erase_dead_letters
from schemas.topics import DEAD_LETTERS
from streamseg.cli.terminal import echo, echo_json

dead_letters = typer.Typer(
    name=DEAD_LETTERS,
    help="Remove the dead letters about an erased contact.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


dead_letters.callback()(only_subcommand)


@dead_letters.command()
def erase(
    contact: Annotated[str, typer.Argument(metavar="CONTACT", help="The contact's id.")],
    bootstrap: Bootstrap = None,
    as_json: AsJson = False,
    timeout: Timeout = 30.0,
) -> None:
    """Remove the dead letters about a contact, from all partitions of the topic.

    Kafka can only delete the first records of a partition. So other letters before the last one about the
    contact are written again, unchanged, at the end; whoever reads the topic gets them twice.

    The exit status is 1 if Kafka cannot be reached or refuses.

    Example: streamseg dead-letters erase c1 --bootstrap kafka-1:9092
    """
    with errors_shown():
        found = erase_dead_letters(settings_from(bootstrap), contact, timeout_seconds=timeout)
        if as_json:
            echo_json(found._asdict())
        else:
            echo(f"{found.removed} dead letters removed, {found.written_again} others written again")
