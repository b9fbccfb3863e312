"""`streamseg tokens`: make tokens for callers of the API."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from agents.api.roles import Role
from agents.api.tokens import new_token
from agents.commands.frame import AsJson, only_subcommand
from streamseg.cli.terminal import echo, echo_json
from streamseg.times import format_ms

tokens = typer.Typer(help="Make tokens for callers of the API.", no_args_is_help=True)


tokens.callback()(only_subcommand)


@tokens.command()
def new(
    account: Annotated[
        str,
        typer.Option("--account", metavar="ACCOUNT", help="The account of the caller, e.g. --account ann."),
    ],
    role: Annotated[
        Role,
        typer.Option(
            "--role",
            help="read: segments, definitions and numbers. edit: also changes them. admin: also verifies, "
            "diagnoses, and acts for any account.",
        ),
    ],
    contacts: Annotated[
        bool,
        typer.Option(
            "--contacts",
            help="Let the token read contacts too: who is in a segment, their attributes, events and "
            "explanations. An admin always may.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a token. Print it, which happens only once, and the line for STREAMSEG_API_TOKENS_FILE.

    The line does not tell the token. Workers read the file again within seconds, without a restart. An
    account may have several tokens: to replace one, add the line of a new one, let the caller use it, and
    remove the line of the old one. The text between the first two underscores of a token is the `id` of its
    line.

    Example: streamseg tokens new --account ann --role edit --contacts
    """
    if not account.strip():
        raise typer.BadParameter("must not be empty", param_hint="--account")
    made = new_token(account.strip(), role, contacts=contacts, created=format_ms(time.time_ns() // 1_000_000))
    if as_json:
        echo_json({"token": made.token, "line": made.line})
        return
    echo("The token, for the caller; it is not shown again:", err=True)
    echo(made.token)
    echo("The line for STREAMSEG_API_TOKENS_FILE of all workers:", err=True)
    echo(made.line)
