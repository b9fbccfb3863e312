"""`streamseg explain`: why one contact is in one segment or not, from a file of records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final

import typer
from rich.text import Text
from rich.tree import Tree

from streamseg.catalogue.labels import Language
from streamseg.cli import words
from streamseg.cli.inputs import (
    fail_unreadable,
    open_input,
    read_instant,
    read_settings,
    report_dead_letter,
)
from streamseg.cli.session import LangOption, chosen_language
from streamseg.cli.terminal import TerminalConsole, echo_json
from streamseg.errors import FileFormatError
from streamseg.json_text import dumps
from streamseg.replay import Replay
from streamseg.wording import terms
from streamseg.wording.evidence import notes
from streamseg.wording.explanations import condition_text, with_words

_SHOWN: Final = 10
"""The number of occurrences listed for one condition; the latest are listed."""


def explain(
    file: Annotated[str, typer.Argument(help="NDJSON records in arrival order; - reads standard input.")],
    contact: Annotated[str, typer.Option(help="The contact's id.")],
    segment: Annotated[str, typer.Option(help="The segment's id.")],
    at: Annotated[
        str | None,
        typer.Option(
            help="Explain as of this time, e.g. 2026-06-01T00:00:00Z; default: after the last line."
        ),
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(help="IANA time zone of naive timestamps and calendars; default Asia/Shanghai."),
    ] = None,
    lang: LangOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a tree.")] = False,
) -> None:
    """Show what decides whether CONTACT is in SEGMENT, since when, and when time alone will change it.

    With --json and --lang, each condition also has a sentence in that language.
    """
    settings = read_settings(timezone)
    at_ms = None if at is None else read_instant(at, settings, "--at")
    run = Replay(settings=settings, on_dead_letter=report_dead_letter)
    with open_input(file) as stream:
        try:
            for line in stream:
                if at_ms is not None and not run.starts_by(line, at_ms):
                    break
                run.line(line)
                run.changes.clear()
        except FileFormatError as error:
            fail_unreadable(file, error)
    run.settle_definitions()
    if at_ms is not None:
        run.run_to(at_ms)
    explanation = run.explain(segment, contact)
    if as_json:
        result = explanation if lang is None else with_words(explanation, chosen_language(lang))
        echo_json(result, indented=True)
    else:
        TerminalConsole().print(render(explanation, chosen_language(lang)))


def render(
    explanation: dict[str, Any], language: Language = "en", *, instant: Callable[[str], str] = str
) -> Tree:
    """Return the explanation as a tree for a terminal. `instant` formats times."""
    state = words.MEMBER if explanation["member"] else words.NOT_MEMBER
    head = _mark(explanation["member"]).append(
        f" {explanation['contact_id']} {state.of(language)} {explanation['segment_id']}", style="bold"
    )
    head.append(words.AT.of(language).format(at=instant(explanation["at"])))
    if explanation["since"] is not None:
        head.append(words.MEMBER_SINCE.of(language).format(at=instant(explanation["since"])))
    tree = Tree(head)
    next_change = explanation["next_change_at"]
    tree.add(
        Text(words.STAYS.of(language), style="dim")
        if next_change is None
        else Text(words.CHANGES.of(language).format(at=instant(next_change)), style="yellow")
    )
    for part in explanation["parts"]:
        named = f" {part['name']}" if part["name"] else ""
        relation = terms.RELATIONS[part["relation"]].of(language)
        branch = tree.add(_mark(part["holds"]).append(f" {relation}{named}"))
        for cluster in part["clusters"]:
            joined = terms.ALL_OF if cluster["match"] == "all" else terms.ANY_OF
            conditions = branch.add(_mark(cluster["holds"]).append(f" {joined.of(language)}"))
            for condition in cluster["conditions"]:
                _add_condition(conditions, condition, language, instant)
    return tree


def _add_condition(
    tree: Tree, condition: dict[str, Any], language: Language, instant: Callable[[str], str]
) -> None:
    written = condition["condition"]
    text = condition_text(condition, language) or dumps(written).decode()
    node = tree.add(_mark(condition["holds"]).append(f" {text}"))
    node.add(Text(words.SINCE.of(language).format(at=instant(condition["since"])), style="dim"))
    if "value" in condition:
        value = dumps(condition["value"]).decode()
        node.add(Text(words.VALUE.of(language).format(value=value), style="dim"))
    for note in notes(condition, language, instant):
        node.add(Text(note, style="dim"))
    occurrences = condition.get("occurrences", [])
    for occurrence in occurrences[-_SHOWN:]:
        at = instant(occurrence["occurred_at"])
        line = words.OCCURRENCE.of(language).format(id=occurrence["event_id"], at=at)
        node.add(Text(line, style="dim"))
    if len(occurrences) > _SHOWN:
        node.add(
            Text(words.MORE_OCCURRENCES.of(language).format(count=len(occurrences) - _SHOWN), style="dim")
        )
    may_change = condition["may_change_at"]
    if may_change is not None:
        node.add(Text(words.MAY_CHANGE.of(language).format(at=instant(may_change)), style="yellow"))


def _mark(holds: bool) -> Text:
    return Text("✓", style="green") if holds else Text("✗", style="red")
