"""The heading of a file with contact ids: the column that holds the ids, and the separator of the columns."""

from __future__ import annotations

import csv
import re
import shlex
from typing import Final, NamedTuple

from streamseg.errors import ConfigurationError
from streamseg.wording.terms import ATTRIBUTES

_COLUMN: Final = "contact_id"
_SEPARATORS: Final = (",", ";", "\t", "|")
_UNQUOTED: Final = re.compile(r"\w+")
_IGNORED: Final = re.compile(r"[\s_\-]+")


def _plain(name: str) -> str:
    """Return a name without differences in case, blanks, underscores and hyphens."""
    return _IGNORED.sub("", name).casefold()


_IDS: Final = frozenset(
    _plain(name)
    for name in (
        *(
            "contact_id",
            "id",
            "ids",
            "uid",
            "user_id",
            "customer_id",
            "member_id",
            "open_id",
            "contact",
            "contacts",
        ),
        *("联系人id", "联系人", "联系人编号", "会员id", "会员号", "会员编号", "客户id", "客户号", "客户编号"),
        *("用户id", "用户编号", "编号"),
    )
)
_HEADINGS: Final = _IDS | {
    _plain(name)
    for attribute, label in ATTRIBUTES.items()
    for name in (attribute, label.zh, label.en, "phone", "姓名", "手机", "电话", "邮件", "电子邮件")
}


class Columns(NamedTuple):
    """The place of the ids in a CSV file: the column's position, counted from 0, and the separator of the
    columns."""

    position: int
    separator: str


def columns_of(first_line: str, column: str | None, *, file: str) -> Columns | None:
    """Return the place of the ids, by the first line of a file and --column; None for a file with one id on
    each line.

    Raises ConfigurationError, with the --column to give, if the first line looks like a heading and no column
    was given; and if there is no such column.
    """
    if column is not None:
        return _named(first_line, column, file)
    names = _names(first_line, ",")
    if _COLUMN in names:
        return Columns(names.index(_COLUMN), ",")
    for separator in _SEPARATORS:
        names = _names(first_line, separator)
        if len(names) > 1:
            raise ConfigurationError(
                f"the first line of {file} has several columns: {_listed(names)}; give the one with the "
                f"contact ids, such as --column {_likeliest(names)}; a file without a heading must get one"
            )
    if _plain(first_line) in _HEADINGS:
        raise ConfigurationError(
            f"the first line of {file} is a heading: {_listed(names)}; give --column {_likeliest(names)}, or "
            "remove that line"
        )
    return None


def _named(first_line: str, column: str, file: str) -> Columns:
    for separator in _SEPARATORS:
        names = _names(first_line, separator)
        if column in names:
            return Columns(names.index(column), separator)
    names = max((_names(first_line, separator) for separator in _SEPARATORS), key=len)
    raise ConfigurationError(f"{file} has no column {column}; it has {_listed(names) or 'none'}")


def _names(first_line: str, separator: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([first_line], delimiter=separator), [])]
    except csv.Error:
        return [first_line.strip()]


def _listed(names: list[str]) -> str:
    return ", ".join(name for name in names if name)


def _likeliest(names: list[str]) -> str:
    """Return the name that most likely is the column of ids, quoted for a shell."""
    known = (name for name in names if _plain(name) in _IDS)
    ending = (name for name in names if _plain(name).endswith("id"))
    likeliest = next(known, None) or next(ending, None) or names[0]
    return likeliest if _UNQUOTED.fullmatch(likeliest) else shlex.quote(likeliest)
