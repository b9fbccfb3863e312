"""The `streamseg` command."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, entry_points, version
from typing import Annotated, Any

import typer
from rich.text import Text
from typer.core import TyperGroup

from streamseg.build_form import BUILD_FORM
from streamseg.cli.contacts import contacts
from streamseg.cli.explain import explain
from streamseg.cli.groups import groups
from streamseg.cli.lists import lists
from streamseg.cli.replay import replay
from streamseg.cli.segments import segments
from streamseg.cli.session import chosen_language, describe
from streamseg.cli.terminal import TerminalConsole, echo
from streamseg.cli.words import ERROR
from streamseg.errors import StreamsegError


def _entries() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group="streamseg.commands")}


class _Commands(TyperGroup):
    """The commands of this package and those of other packages, which it never imports. The latter are found
    through entry points and loaded only when they are called, since loading Kafka's clients takes a
    second."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted({*super().list_commands(ctx), *_entries()})

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        entry = _entries().get(cmd_name)
        if entry is None:
            return super().get_command(ctx, cmd_name)
        loaded = entry.load()
        if not isinstance(loaded, typer.Typer):
            single = typer.Typer(add_completion=False)
            single.command()(loaded)
            loaded = single
        command = typer.main.get_command(loaded)
        command.name = cmd_name
        return command


app = typer.Typer(
    name="streamseg",
    cls=_Commands,
    help="Contact segments that are right all the time.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        echo(f"{version('streamseg')} ({BUILD_FORM})")
        raise typer.Exit


@app.callback()
def _root(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version and the form (compiled or plain), and end.",
            callback=_print_version,
            is_eager=True,
        ),
    ] = False,
) -> None:
    """Contact segments that are right all the time."""


app.command()(replay)
app.command()(explain)
app.add_typer(segments)
app.add_typer(groups)
app.add_typer(contacts)
app.add_typer(lists)


def main() -> None:
    """Run the command line. A StreamsegError ends it with its message and status 1."""
    try:
        app()
    except StreamsegError as error:
        language = chosen_language(None)
        line = Text(ERROR.of(language), "red").append(describe(error, language), "default")
        TerminalConsole(stderr=True).print(line, soft_wrap=True)
        sys.exit(1)
