"""Functions for every command over the API: connection options, language, and the output of errors and
results."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Concatenate, Final, ParamSpec

import httpx
import typer
from rich.console import Console

from streamseg.catalogue.labels import ERRORS, Label, Language
from streamseg.cli import words
from streamseg.cli.client import DEFAULT_URL, Api, ApiError, UnreachableError
from streamseg.cli.terminal import TerminalConsole, confirm, echo_json
from streamseg.errors import RejectedError, StreamsegError
from streamseg.wording.details import detail

_PIPED_WIDTH: Final = 240
"""The output width if the output is not a terminal. It is large so that whole rows can be searched."""
_PANEL: Final = "Connection and output"


class Lang(StrEnum):
    """The languages of the output."""

    ZH = "zh"
    EN = "en"


Url = Annotated[
    str,
    typer.Option(
        "--url", envvar="STREAMSEG_API_URL", help="The address of a worker's API.", rich_help_panel=_PANEL
    ),
]
Token = Annotated[
    str | None,
    typer.Option(
        "--token",
        envvar="STREAMSEG_API_TOKEN",
        help="The account's token; better in the environment than in the shell's history.",
        rich_help_panel=_PANEL,
    ),
]
Account = Annotated[
    str | None,
    typer.Option(
        "--account",
        envvar="STREAMSEG_ACCOUNT",
        help="Your account, for a worker on this machine that has no tokens.",
        rich_help_panel=_PANEL,
    ),
]
LangOption = Annotated[
    Lang | None,
    typer.Option(
        "--lang",
        envvar="STREAMSEG_LANG",
        help="Language of the output; default: that of the locale, else English.",
        rich_help_panel=_PANEL,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, errors too.", rich_help_panel=_PANEL)]


def _console(*, stderr: bool = False) -> Console:
    console = TerminalConsole(stderr=stderr, markup=False, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _PIPED_WIDTH
    return console


@dataclass(frozen=True, slots=True)
class Session:
    """One run of a command: the API, and how and where to show the results."""

    api: Api
    language: Language
    as_json: bool
    out: Console
    err: Console

    def word(self, label: Label, **values: object) -> str:
        """Return a phrase in the session's language, with its braces filled in."""
        return label.of(self.language).format(**values)

    def say(self, label: Label, **values: object) -> None:
        """Print a phrase on standard output."""
        self.out.print(self.word(label, **values), soft_wrap=True)

    def note(self, label: Label, **values: object) -> None:
        """Print a phrase on standard error, separate from the results."""
        self.err.print(self.word(label, **values), soft_wrap=True)

    def print_json(self, value: Any) -> None:
        """Print the only result, for `--json`."""
        echo_json(value, indented=True)

    def print_line(self, value: Any) -> None:
        """Print one of many results, as a line of NDJSON."""
        echo_json(value)

    def confirm(self, label: Label, **values: object) -> None:
        """Ask on standard error. End the command with status 1 unless the answer is yes."""
        confirm(self.word(label, **values))


P = ParamSpec("P")
Run = Callable[Concatenate[Session, P], None]


def connected(run: Run[P]) -> Callable[..., None]:
    """Return a function that takes a Session first as a command for typer, with the connection options beside
    its own. A httpx transport as the context's object replaces the network. A StreamsegError ends the command
    with a line on standard error and status 1."""

    def entry(ctx: typer.Context, **given: Any) -> None:
        language = chosen_language(given.pop("lang"))
        as_json = given.pop("as_json")
        url, token, account = given.pop("url"), given.pop("token"), given.pop("account")
        out, err = _console(), _console(stderr=True)
        transport = ctx.find_object(httpx.BaseTransport)
        with (
            _errors_shown(err, language, as_json=as_json),
            Api(url, token=token, account=account, language=language, transport=transport) as api,
        ):
            run(Session(api, language, as_json, out, err), **given)  # type: ignore[call-arg]

    own = list(inspect.signature(run, eval_str=True).parameters.values())[1:]
    shared = {
        "url": (Url, DEFAULT_URL),
        "token": (Token, None),
        "account": (Account, None),
        "lang": (LangOption, None),
        "as_json": (AsJson, False),
    }
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter("ctx", keyword, annotation=typer.Context),
        *(parameter.replace(kind=keyword) for parameter in own),
        *(
            inspect.Parameter(option, keyword, annotation=annotation, default=default)
            for option, (annotation, default) in shared.items()
        ),
    ]
    entry.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    entry.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    entry.__name__, entry.__doc__ = run.__name__, run.__doc__
    return entry


def chosen_language(chosen: Lang | None) -> Language:
    """Return the language of `--lang`, else that of the locale, else English."""
    if chosen is not None:
        return "zh" if chosen is Lang.ZH else "en"
    settings = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    locale = next((value for value in settings if value), "")
    return "zh" if locale.lower().startswith("zh") else "en"


@contextmanager
def _errors_shown(err: Console, language: Language, *, as_json: bool) -> Iterator[None]:
    try:
        yield
    except StreamsegError as error:
        sys.stdout.flush()
        if as_json:
            echo_json(as_problem(error, language), err=True)
        else:
            line = words.ERROR.of(language) + describe(error, language)
            err.print(line, style="red", soft_wrap=True)
        raise typer.Exit(1) from error


def describe(error: StreamsegError, language: Language) -> str:
    """Return an error in one line: its title, the path, the detail, and the remedy."""
    if isinstance(error, UnreachableError):
        return words.UNREACHABLE.of(language).format(url=error.url, problem=error.problem)
    if isinstance(error, RejectedError):
        return _joined(ERRORS[error.code].of(language), error.path, detail(error.message, language))
    if not isinstance(error, ApiError):
        return detail(str(error), language)
    line = _joined(error.title, error.path, error.detail)
    remedies = []
    if error.current_version is not None:
        remedies.append(words.CURRENT_VERSION.of(language).format(version=error.current_version))
    remedy = words.NOT_FOUND.get(error.path) if error.code == "not_found" else words.REMEDIES.get(error.code)
    if remedy is not None:
        remedies.append(remedy.of(language))
    return "; ".join([line, *remedies])


def as_problem(error: StreamsegError, language: Language) -> dict[str, Any]:
    """Return an error as problem+json, even if it did not come from the API."""
    if isinstance(error, ApiError):
        return error.wire()
    if isinstance(error, RejectedError):
        title = ERRORS[error.code].of(language)
        message = detail(error.message, language)
        problem = {"title": title, "detail": message, "code": error.code.value, "path": error.path}
        return {name: value for name, value in problem.items() if value}
    code = "unreachable" if isinstance(error, UnreachableError) else "configuration"
    return {"title": describe(error, language), "code": code}


def _joined(*parts: str) -> str:
    return ": ".join(" ".join(part.split()) for part in parts if part)
