"""A definition in lines, one line for each condition, for terminals and for comparisons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from schemas.definitions import Cluster, SegmentDefinition
from streamseg.catalogue.labels import Language
from streamseg.wording import terms
from streamseg.wording.conditions import condition
from streamseg.wording.tokens import filled, word, zone

_INDENT = "  "


def outline(one: SegmentDefinition, language: Language) -> list[str]:
    """Return a definition as lines. All clusters must hold; the conditions of a cluster are indented."""
    lines: list[str] = []
    if one.parts is not None:
        for part in one.parts:
            relation = terms.RELATIONS[part.relation].of(language)
            lines.append(relation if part.name is None else f"{relation} {word(part.name, language)}")
            lines += [_INDENT + line for line in _clusters(part.clusters, language)]
    elif one.clusters is not None:
        lines += _clusters(one.clusters, language)
    else:
        lines.append(terms.STATIC.of(language))
    if one.timezone is not None:
        lines.append(filled(terms.TIME_ZONE, language, zone=zone(one.timezone, language)))
    return lines


def _clusters(clusters: Sequence[Cluster], language: Language) -> Iterator[str]:
    for cluster in clusters:
        yield (terms.ALL_OF if cluster.match == "all" else terms.ANY_OF).of(language)
        for one in cluster.conditions:
            yield _INDENT + condition(one, language)
