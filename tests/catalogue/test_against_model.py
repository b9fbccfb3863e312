"""Random commands by random accounts, against a plain model of the rules."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from streamseg.catalogue import calculation, versions
from streamseg.catalogue.references import references_of
from streamseg.errors import RejectedError
from streamseg.times import DAY_MS
from tests.catalogue.catalogues import ANN, BEN, EVE, Desk, Json, advanced, member_of, standard, static

BUILT_IN_IDS = {"global-unsubscribed", "email-unsubscribed", "mobile-unsubscribed"}
VIEWS = {"all", "mine", "channel-unsubscribed"}

accounts = st.sampled_from((ANN, BEN, EVE))
names = st.sampled_from(("s1", "s2", "s3", "s1-copy", "s4"))
ids = st.one_of(names, names, names, st.sampled_from((*BUILT_IN_IDS, "s1-copy-2")))
group_names = st.sampled_from(("default", "g1", "g1", "g2", "g2", "all", "g3"))
some_ids = st.lists(ids, min_size=1, max_size=3)


class RefusedError(Exception):
    """By the model."""


def need(condition: object, code: str) -> None:
    if not condition:
        raise RefusedError(code)


def all_versions(one: Json) -> dict[int, tuple[set[str], str]]:
    return {**one["before"], one["version"]: (one["refs"], one["ask"])}


def all_references(one: Json) -> set[str]:
    found: set[str] = one["refs"] | one["live_refs"] | (one["force"] or set())
    return found


class Model:
    """Segments as {owner, version, type, refs, ask, group, shared, status, live, live_refs, force, before},
    `force` being the references of what is on the definitions topic or None and `before` being (refs, ask) by
    earlier version; groups as {name: creator}; deleted segments as [id, when, segment], the oldest first."""

    def __init__(self) -> None:
        self.segments: dict[str, Json] = {}
        self.groups: dict[str, str] = {}
        self.deleted: list[tuple[str, int, Json]] = []
        self.days = 0

    def own(self, account: str, segment_id: str) -> Json:
        need(segment_id not in BUILT_IN_IDS, "not_permitted")
        need(segment_id in self.segments, "unknown_reference")
        need(self.segments[segment_id]["owner"] == account, "not_permitted")
        return self.segments[segment_id]

    def own_group(self, account: str, group: str) -> None:
        need(group not in VIEWS | {"default"}, "not_permitted")
        need(group in self.groups, "unknown_reference")
        need(self.groups[group] == account, "not_permitted")

    def new_id(self, segment_id: str) -> None:
        need(segment_id not in BUILT_IN_IDS, "not_permitted")
        need(segment_id not in self.segments, "conflict")

    def group(self, group: str) -> None:
        need(group not in VIEWS, "not_permitted")
        need(group == "default" or group in self.groups, "unknown_reference")

    def new_group(self, group: str) -> None:
        need(group not in VIEWS | {"default"}, "not_permitted")
        need(group not in self.groups, "conflict")

    def references(self, account: str, segment_id: str, refs: set[str]) -> None:
        need(refs <= self.segments.keys() | BUILT_IN_IDS | {segment_id}, "unknown_reference")
        reached, todo = set(), set(refs)
        while todo:
            one = todo.pop()
            reached.add(one)
            if one in self.segments and one != segment_id:
                todo |= all_references(self.segments[one]) - reached
        need(segment_id not in reached, "reference_cycle")
        known = all_references(self.segments[segment_id]) if segment_id in self.segments else set()
        for one in refs - BUILT_IN_IDS - known:
            need(account in {self.segments[one]["owner"]} | self.segments[one]["shared"], "not_permitted")

    def in_force(self, refs: set[str]) -> None:
        for one in refs - BUILT_IN_IDS:
            need(self.segments[one]["force"] is not None, "unknown_reference")

    def saved(self, account: str, kind: str, refs: set[str], ask: str, group: str) -> Json:
        return {
            "owner": account,
            "version": 1,
            "type": kind,
            "refs": refs,
            "ask": ask,
            "group": group,
            "shared": set(),
            "status": {"standard": "calculating", "advanced": "not_calculated", "static": "completed"}[kind],
            "live": 1 if kind == "static" else None,
            "live_refs": set(),
            "force": None if kind == "advanced" else refs,
            "before": {},
        }

    def create(self, account: str, definition: Json, refs: set[str], ask: str) -> None:
        segment_id = definition["segment_id"]
        self.new_id(segment_id)
        group = definition.get("group", "default")
        self.group(group)
        self.references(account, segment_id, refs)
        if definition["type"] != "advanced":
            self.in_force(refs)
        self.segments[segment_id] = self.saved(account, definition["type"], refs, ask, group)

    def update(self, account: str, definition: Json, refs: set[str], ask: str) -> None:
        segment_id = definition["segment_id"]
        one = self.own(account, segment_id)
        need(definition.get("version", one["version"]) == one["version"], "conflict")
        need(definition["type"] == one["type"], "invalid_schema")
        group: str = definition["group"] if "group" in definition else one["group"]
        self.group(group)
        self._replace(account, segment_id, refs, ask, group)

    def _replace(self, account: str, segment_id: str, refs: set[str], ask: str, group: str) -> None:
        one = self.segments[segment_id]
        self.references(account, segment_id, refs)
        stands = one["live"] == one["version"]
        if one["type"] == "static" or (one["ask"], one["refs"]) == (ask, refs):
            live = one["version"] + 1 if stands else one["live"]
            one.update(live=live)
        else:
            one.update(
                status="calculating" if one["type"] == "standard" else "not_calculated",
                live_refs=one["refs"] if stands else one["live_refs"],
            )
        if one["status"] != "not_calculated":
            self.in_force(refs)
            one["force"] = refs
        before = dict(sorted(all_versions(one).items())[-49:])
        one.update(version=one["version"] + 1, refs=refs, ask=ask, group=group, before=before)

    def revert(self, account: str, segment_id: str, version: int) -> None:
        one = self.own(account, segment_id)
        need(version in one["before"], "unknown_reference")
        refs, ask = one["before"][version]
        self._replace(account, segment_id, refs, ask, one["group"])

    def copy(self, account: str, targets: list[str], new: str | None) -> None:
        there = dict(self.segments)
        for target in dict.fromkeys(targets):
            need(target not in BUILT_IN_IDS, "not_permitted")
            need(target in there, "unknown_reference")
            one = there[target]
            need(account == one["owner"] or account in one["shared"], "not_permitted")
            if new is not None:
                self.new_id(new)
            number, made = 1, new or f"{target}-copy"
            while made in self.segments:
                number += 1
                made = f"{target}-copy-{number}"
            group = one["group"] if account == one["owner"] else "default"
            self.segments[made] = self.saved(account, one["type"], one["refs"], one["ask"], group)

    def delete(self, account: str, targets: list[str]) -> None:
        for target in targets:
            self.own(account, target)
        doomed = set(targets)
        for key, one in self.segments.items():
            need(key in doomed or not all_references(one) & doomed, "in_use")
        for target in sorted(doomed, reverse=True):
            self.deleted.append((target, self.days, self.segments.pop(target)))

    def restore(self, account: str, segment_id: str, new: str | None) -> None:
        found = [
            one
            for one in self.deleted
            if one[0] == segment_id and one[2]["owner"] == account and self.days < one[1] + 30
        ]
        need(found, "unknown_reference")
        gone = found[-1]
        was = gone[2]
        made = segment_id if new is None else new
        self.new_id(made)
        group = was["group"] if was["group"] in self.groups else "default"
        self.references(account, made, was["refs"])
        if was["type"] != "advanced":
            self.in_force(was["refs"])
        again = self.saved(account, was["type"], was["refs"], was["ask"], group)
        again.update(version=was["version"] + 1, shared=was["shared"])
        again.update(live=again["live"] and again["version"])
        self.segments[made] = again
        self.deleted.remove(gone)

    def move(self, account: str, targets: list[str], group: str) -> None:
        self.group(group)
        for target in targets:
            self.own(account, target)["group"] = group

    def share(self, account: str, targets: list[str], others: list[str]) -> None:
        for target in targets:
            self.own(account, target)["shared"] |= set(others) - {account}

    def calculate(self, account: str, targets: list[str]) -> None:
        for target in targets:
            one = self.own(account, target)
            need(one["type"] != "static", "not_permitted")
            one["status"] = "calculating"
        drafts = [self.segments[target] for target in targets if self.segments[target]["force"] is None]
        drafts += [self.segments[target] for target in targets if self.segments[target]["force"] is not None]
        for _ in drafts:
            for one in drafts:
                refs = one["refs"] - BUILT_IN_IDS
                if all(self.segments[ref]["force"] is not None for ref in refs):
                    one["force"] = one["refs"]
        need(all(one["force"] == one["refs"] for one in drafts), "unknown_reference")

    def create_group(self, account: str, group: str) -> None:
        self.new_group(group)
        self.groups[group] = account

    def rename_group(self, account: str, group: str, new_group: str) -> None:
        self.own_group(account, group)
        self.new_group(new_group)
        self.groups[new_group] = self.groups.pop(group)
        self._file_all(group, new_group)

    def delete_group(self, account: str, group: str) -> None:
        self.own_group(account, group)
        del self.groups[group]
        self._file_all(group, "default")

    def _file_all(self, old: str, new: str) -> None:
        for one in self.segments.values():
            if one["group"] == old:
                one["group"] = new

    def finish(self, segment_id: str) -> None:
        one = self.segments[segment_id]
        one.update(status="completed", live=one["version"], live_refs=set())


class Commands(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()
        self.model = Model()
        self.last: tuple[str, str, Json] | None = None
        self.versions: dict[str, int] = {}

    def give(self, account: str, command: str, fields: Json, *model: Any) -> None:
        before, modelled = self.desk.reloaded(), deepcopy(self.model)
        expected = accepted = "accepted"
        try:
            getattr(modelled, command)(account, *model)
        except RefusedError as refused:
            expected = str(refused)
        try:
            decision = self.desk.ask(account, command, **fields)
        except RejectedError as error:
            accepted = error.code.value
            assert self.desk.catalogue == before
        else:
            assert decision
            before.apply(decision)
            assert before == self.desk.catalogue
            self.model, self.last = modelled, (account, command, fields)
            for segment_id in [key for key, value in decision.rows if value is None]:
                self.versions.pop(segment_id, None)
        # Over several targets at fault in several ways, either may be named.
        assert (accepted == "accepted") == (expected == "accepted"), (accepted, expected)
        if len(fields.get("segment_ids", ())) < 2:
            assert accepted == expected

    @rule(
        account=accounts,
        command=st.sampled_from(("create", "create", "update")),
        segment_id=ids,
        kind=st.sampled_from(("standard", "standard", "advanced", "static")),
        refs=st.sets(ids, max_size=2),
        ask=st.sampled_from(("email", "mobile")),
        group=st.one_of(st.none(), group_names),
        version=st.one_of(st.none(), st.none(), st.integers(1, 4)),
    )
    def save(
        self,
        account: str,
        command: str,
        segment_id: str,
        kind: str,
        refs: set[str],
        ask: str,
        group: str | None,
        version: int | None,
    ) -> None:
        more = {key: value for key, value in (("group", group), ("version", version)) if value is not None}
        if kind == "static":
            refs, definition = set(), static(segment_id, **more)
        else:
            asked = {"attribute": ask, "operator": "is_set"}
            make = standard if kind == "standard" else advanced
            definition = make(segment_id, asked, *map(member_of, sorted(refs)), **more)
        self.give(account, command, {"definition": definition}, definition, refs, ask)

    @rule(account=accounts, wanted=some_ids, new=st.one_of(st.none(), ids))
    def copy(self, account: str, wanted: list[str], new: str | None) -> None:
        if new is not None:
            wanted = wanted[:1]
            fields: Json = {"segment_id": wanted[0], "new_segment_id": new}
        else:
            fields = {"segment_ids": wanted}
        self.give(account, "copy", fields, wanted, new)

    @rule(account=accounts, wanted=some_ids)
    def delete(self, account: str, wanted: list[str]) -> None:
        self.give(account, "delete", {"segment_ids": wanted}, wanted)

    @rule(account=accounts, segment_id=ids, version=st.integers(1, 6))
    def revert(self, account: str, segment_id: str, version: int) -> None:
        self.give(account, "revert", {"segment_id": segment_id, "version": version}, segment_id, version)

    @rule(account=accounts, segment_id=names, new=st.one_of(st.none(), st.none(), ids))
    def restore(self, account: str, segment_id: str, new: str | None) -> None:
        self.give(account, "restore", {"segment_id": segment_id, "new_segment_id": new}, segment_id, new)

    @rule(days=st.integers(1, 20), looks=st.booleans())
    def time_passes(self, days: int, looks: bool) -> None:
        self.model.days += days
        self.desk.now_ms += days * DAY_MS
        if looks:
            self.desk.publish(versions.expire(self.desk.catalogue, now_ms=self.desk.now_ms))
            kept = [one for one in self.model.deleted if self.model.days < one[1] + 30]
            assert len(self.desk.catalogue.deletions) == len(kept)

    @rule(account=accounts, wanted=some_ids)
    def calculate(self, account: str, wanted: list[str]) -> None:
        self.give(account, "calculate", {"segment_ids": wanted}, wanted)

    @rule(account=accounts, wanted=some_ids, group=group_names)
    def move(self, account: str, wanted: list[str], group: str) -> None:
        self.give(account, "move", {"segment_ids": wanted, "group": group}, wanted, group)

    @rule(account=accounts, wanted=some_ids, others=st.lists(accounts, min_size=1, max_size=2))
    def share(self, account: str, wanted: list[str], others: list[str]) -> None:
        self.give(account, "share", {"segment_ids": wanted, "accounts": others}, wanted, others)

    @rule(account=accounts, group=group_names)
    def create_group(self, account: str, group: str) -> None:
        self.give(account, "create_group", {"group": group}, group)

    @rule(account=accounts, group=group_names, new_group=group_names)
    def rename_group(self, account: str, group: str, new_group: str) -> None:
        self.give(account, "rename_group", {"group": group, "new_group": new_group}, group, new_group)

    @rule(account=accounts, group=group_names)
    def delete_group(self, account: str, group: str) -> None:
        self.give(account, "delete_group", {"group": group}, group)

    @rule(segment_id=names, generation=st.integers(0, 3))
    def finish(self, segment_id: str, generation: int) -> None:
        if self.model.segments.get(segment_id, {}).get("status") == "calculating":
            self.desk.publish(calculation.begin(self.desk.catalogue, segment_id, generation=generation))
            self.desk.finish(segment_id, generation=generation)
            self.model.finish(segment_id)

    @precondition(lambda self: self.last is not None)
    @rule(back=st.integers(0, 3))
    def read_again(self, back: int) -> None:
        assert self.last is not None
        account, command, fields = self.last
        self.desk.catalogue = self.desk.reloaded()
        offset = max(0, self.desk.catalogue.command_offset - back)
        assert not self.desk.ask(account, command, offset=offset, **fields)

    @invariant()
    def what_is_on_the_topics_is_the_catalogue(self) -> None:
        assert self.desk.reloaded() == self.desk.catalogue

    @invariant()
    def the_catalogue_is_as_the_model_says(self) -> None:
        catalogue = self.desk.catalogue
        assert {key: one.created_by for key, one in catalogue.groups.items()} == self.model.groups
        shown = {key: entry for key, entry in catalogue.segments.items() if not entry.built_in}
        assert shown.keys() == self.model.segments.keys()
        for key, entry in shown.items():
            one, row = self.model.segments[key], entry.row
            assert (row.created_by, row.version, row.type) == (one["owner"], one["version"], one["type"])
            assert (row.group, set(row.shared_with)) == (one["group"], one["shared"])
            assert (row.status, row.live_version) == (one["status"], one["live"])
            assert entry.references == all_references(one)
            assert (entry.in_force is None) == (one["force"] is None)
            assert (row.draft is not None) == (row.type == "advanced" and row.status == "not_calculated")

    @invariant()
    def versions_and_deleted_segments_are_as_the_model_says(self) -> None:
        catalogue = self.desk.catalogue
        assert set(catalogue.with_versions) == {
            key for key, one in self.model.segments.items() if one["before"]
        }
        for key, one in self.model.segments.items():
            listed = list(versions.versions(catalogue, key))
            assert [version.version for version in listed] == sorted(all_versions(one), reverse=True)
            for version in listed:
                refs, ask = all_versions(one)[version.version]
                assert {ref for ref, _ in references_of(version.definition)} == refs
                assert one["type"] == "static" or ask in str(version.definition)
                assert not {"group", "shared_with", "version"} & version.definition.keys()
        for account in (ANN, BEN, EVE):
            found = versions.restorable(catalogue, account, now_ms=self.desk.now_ms)
            expected = [
                (key, one["version"])
                for key, since, one in self.model.deleted
                if one["owner"] == account and self.model.days < since + 30
            ]
            assert sorted((one.segment_id, one.definition["version"]) for one in found) == sorted(expected)

    @invariant()
    def segments_are_sound(self) -> None:
        catalogue = self.desk.catalogue
        for key, entry in catalogue.segments.items():
            row = entry.row
            assert entry.references <= catalogue.segments.keys()
            assert (row.live_definition is not None) == (row.live_version not in (None, row.version))
            if row.live_definition is not None:
                assert row.live_definition["version"] == row.live_version
            if entry.built_in:
                continue
            assert catalogue.can_file_in(row.group)
            for field in ("segment_id", "name", "type", "group", "version", "created_by", "shared_with"):
                assert entry.definition[field] == getattr(row, field)
            assert row.version >= self.versions.get(key, 1)
            self.versions[key] = row.version


TestCommands = Commands.TestCase
TestCommands.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
