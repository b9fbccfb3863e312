"""Clusters, parts and whole definitions as sentences."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.definitions import Cluster, Part, SegmentDefinition
from streamseg.catalogue.labels import Language
from streamseg.wording import terms
from streamseg.wording.conditions import condition
from streamseg.wording.tokens import bracketed, filled, joined, word, zone


def definition(one: SegmentDefinition, language: Language) -> str:
    """Return a definition's type, clusters, parts and timezone in one line."""
    return terms.LINE_END.of(language).join(definition_lines(one, language))


def definition_lines(one: SegmentDefinition, language: Language) -> list[str]:
    """Return a definition as lines: one for a standard definition, or one for each part of an advanced one;
    and one for the timezone, if it is given."""
    if one.parts is not None:
        lines = [part(each, language) for each in one.parts]
    elif one.clusters is not None:
        lines = [clusters(one.clusters, language)]
    else:
        lines = [terms.STATIC.of(language)]
    if one.timezone is not None:
        lines.append(filled(terms.TIME_ZONE, language, zone=zone(one.timezone, language)))
    return lines


def part(one: Part, language: Language) -> str:
    """Return a part of an advanced segment with its relation and name."""
    relation = terms.RELATIONS[one.relation].of(language)
    text = clusters(one.clusters, language)
    if one.name is None:
        return filled(terms.PART_UNNAMED, language, relation=relation, clusters=text)
    return filled(terms.PART, language, relation=relation, name=word(one.name, language), clusters=text)


def clusters(several: Sequence[Cluster], language: Language) -> str:
    """Return clusters joined by AND. If there are several, each has brackets."""
    if len(several) == 1:
        return cluster(several[0], language)
    return joined([bracketed(cluster(one, language), language) for one in several], True, language)


def cluster(one: Cluster, language: Language) -> str:
    """Return the conditions of a cluster (条件簇), joined by 且 or 或."""
    return joined([condition(each, language) for each in one.conditions], one.match == "all", language)
