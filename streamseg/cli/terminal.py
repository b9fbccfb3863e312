"""Output to terminals. Text from other people must not control the terminal or reverse its reading direction.

Every command prints through this module. Text for people is always escaped. JSON and other output for
programs is escaped only if it goes to a terminal.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import IO, Any, BinaryIO, Final, cast

import orjson
import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from streamseg.json_text import dumps

_COMMANDS: Final = re.compile(
    # Control characters except tab and line feed; bidirectional marks, embeddings, overrides and isolates;
    # line and paragraph separators; invisible tag characters; halves of surrogate pairs.
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\U000e0000-\U000e007f\ud800-\udfff]"
)


def visible(text: str) -> str:
    """Return the text with an escape, such as `\\x1b` or `\\u202e`, for each character that a terminal would
    obey."""
    return _COMMANDS.sub(lambda found: _escape(ord(found[0])), text)


def visible_json(text: str) -> str:
    """Return JSON text of the same value, with JSON escapes for each character that a terminal would obey."""
    return _COMMANDS.sub(lambda found: _json_escape(found[0]), text)


def _escape(code: int) -> str:
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place : place + 2].hex()}" for place in range(0, len(units), 2))


class TerminalConsole(Console):
    """A console on which only rich's own styles have an effect, never control characters in the text."""

    def render_str(self, text: str, **options: Any) -> Text:
        # The text is escaped before it is measured, so that columns fit.
        return super().render_str(visible(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)


def echo(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Print a line for programs or people: escaped on a terminal, else unchanged."""
    # The line is written as bytes, since click removes some control characters from text.
    data = (visible(text) if _is_terminal(err) else text).encode("utf-8", "surrogateescape")
    typer.echo(data, err=err, nl=nl)


def echo_json(value: Any, *, indented: bool = False, err: bool = False) -> None:
    """Print a JSON value, on one line or several: escaped on a terminal, else the exact bytes of orjson."""
    data = dumps(value, option=orjson.OPT_INDENT_2 if indented else 0)
    typer.echo(visible_json(data.decode()) if _is_terminal(err) else data, err=err)


def confirm(question: str) -> None:
    """Ask on standard error, which is separate from the results. End the command with status 1 unless the
    answer is yes."""
    typer.confirm(visible(question), abort=True, err=True)


def json_output() -> BinaryIO:
    """Return standard output for many lines of JSON."""
    out = sys.stdout.buffer
    return cast(BinaryIO, _VisibleOutput(out)) if _is_terminal() else out


class _VisibleOutput:
    """Accepts bytes of JSON and writes them escaped for a terminal."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out

    def write(self, data: bytes) -> int:
        self._out.write(visible_json(data.decode()).encode())
        return len(data)

    def flush(self) -> None:
        self._out.flush()


def _is_terminal(err: bool = False) -> bool:
    stream = sys.stderr if err else sys.stdout
    return stream.isatty()
