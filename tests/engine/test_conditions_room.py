"""Nothing outside their package asks a condition for its class, neither a compiled one nor one as written, so
that a new kind needs no change there. A table keyed by class is allowed, and single dispatch: a class that is
not in it is an error at once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamseg.language.conditions.base import Condition
from streamseg.language.unsubscribe import GlobalCondition
from tests.engine.cases import case

REPOSITORY = Path(__file__).parents[2]
ROOM = Condition.__module__.rpartition(".")[0]
WRITTEN = ("schemas.definitions", "schemas.property_conditions")
"""The modules of conditions as written, with their parts: windows, steps and tests."""


def kinds(of: type[Condition]) -> Iterator[str]:
    for one in of.__subclasses__():
        yield f"{one.__module__}.{one.__qualname__}"
        yield from kinds(one)


CLASSES = frozenset(kinds(Condition))


def origins(tree: ast.AST, module: str) -> dict[str, str]:
    """What each name that the module imports or defines stands for, in full."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
        elif isinstance(node, ast.Import):
            found |= {one.asname: one.name for one in node.names if one.asname is not None}
        elif isinstance(node, ast.ClassDef):
            found[node.name] = f"{module}.{node.name}"
    return found


def asked_for(tree: ast.AST) -> Iterator[tuple[int, ast.expr]]:
    """Each place that asks a value for its class: its line, and the classes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("isinstance", "issubclass"):
            yield node.lineno, node.args[1]
        elif isinstance(node, ast.MatchClass):
            yield node.lineno, node.cls
        elif isinstance(node, ast.Compare) and any(
            sign in ast.unparse(node) for sign in ("type(", "__class__")
        ):
            yield node.lineno, node


def offences(source: str, module: str) -> list[int]:
    """The lines that ask for the class of a condition, or for another class of their packages."""
    tree = ast.parse(source)
    known = origins(tree, module)
    lines = []
    for line, classes in asked_for(tree):
        for one in ast.walk(classes):
            if isinstance(one, (ast.Name, ast.Attribute)):
                root, _, rest = ast.unparse(one).partition(".")
                full = ".".join(filter(None, (known.get(root, root), rest)))
                if full in CLASSES or full.startswith(tuple(f"{room}." for room in (ROOM, *WRITTEN))):
                    lines.append(line)
    return lines


def test_no_condition_is_asked_for_its_class_outside_their_package() -> None:
    found = []
    for package in ("streamseg", "agents"):
        for path in sorted((REPOSITORY / package).rglob("*.py")):
            module = ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)
            if not module.startswith(f"{ROOM}."):
                found += [f"{module}:{line}" for line in offences(path.read_text(), module)]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        case("by name", f"from {ROOM}.base import EventFed\nisinstance(a, EventFed)"),
        case("by another name", f"from {ROOM}.base import EventFed as Fed\nisinstance(a, (int, Fed))"),
        case("by its module", f"from {ROOM} import base\nissubclass(a, base.EventFed)"),
        case("by a pattern", f"from {ROOM}.base import EventFed\nmatch a:\n    case EventFed(): ..."),
        case("by its type", f"from {ROOM}.base import EventFed\ntype(a) is EventFed"),
        case(
            "one that is elsewhere",
            f"from {GlobalCondition.__module__} import GlobalCondition as G\nisinstance(a, G)",
        ),
        case("one as written", "from schemas import definitions as wire\nisinstance(a, wire.LastWindow)"),
        case("a part as written", "from schemas.property_conditions import Where\nisinstance(a, Where)"),
    ],
)
def test_every_way_of_asking_is_seen(source: str) -> None:
    assert offences(source, "streamseg.somewhere") != []


def test_other_classes_may_be_asked_for() -> None:
    source = "from schemas import commands as wire\nisinstance(a, wire.DefinitionCommand)"
    assert offences(source, "streamseg.somewhere") == []
