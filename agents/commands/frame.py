"""What the commands on Kafka have in common: options, settings, and how errors are shown."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from streamseg.cli.terminal import echo
from streamseg.environment import unknown_variables
from streamseg.errors import StreamsegError
from streamseg.settings import Settings

Bootstrap = Annotated[
    str | None,
    typer.Option(
        "--bootstrap",
        metavar="HOST:PORT",
        help="The brokers, e.g. --bootstrap kafka-1:9092,kafka-2:9092. "
        "Default: STREAMSEG_BOOTSTRAP_SERVERS, else localhost:9092.",
        show_default=False,
    ),
]
Timeout = Annotated[
    float,
    typer.Option(
        "--timeout", min=1.0, metavar="SECONDS", help="Longest wait for an answer, e.g. --timeout 5."
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print the result as one JSON object, e.g. --json | jq.")
]


def settings_from(bootstrap: str | None) -> Settings:
    """Return the environment's settings, with other brokers if `bootstrap` is given. Warns of unknown
    variables. Raises ConfigurationError for an invalid value."""
    settings = Settings.read()
    for sentence in unknown_variables(os.environ):
        echo(f"Warning: {sentence}", err=True)
    return settings.model_copy(update={"bootstrap_servers": bootstrap}) if bootstrap else settings


@contextmanager
def errors_shown(beginning: str = "Error") -> Iterator[None]:
    """Print an error that an operator can correct in one line on stderr, without a traceback; the exit status
    is 1. `beginning` stands before it."""
    try:
        yield
    except StreamsegError as error:
        echo(f"{beginning}: {error}", err=True)
        raise typer.Exit(1) from error


def only_subcommand() -> None:
    """Keep the subcommand although it is the only one."""
