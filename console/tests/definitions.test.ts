/** The form's state is the definition: nothing is lost and nothing is added. */

import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { blankDefinition, editable, isIncomplete } from "../src/definition/blank";
import {
  duplicate,
  insertAt,
  keyOf,
  moveBetween,
  moveBy,
  removeAt,
  replaceAt,
  wasInserted,
} from "../src/definition/changes";
import { readDuration, writeDuration } from "../src/definition/durations";
import { begin, changed, redone, undone } from "../src/definition/history";
import { belongsTo, withinDefinition } from "../src/definition/places";
import { hasShape } from "../src/definition/shape";
import type { Cluster, Definition, ElementsCondition, PropertyCondition } from "../src/definition/types";
import { DEFINITIONS } from "./corpus";

function clustersOf(definition: Definition): Cluster[] {
  return definition.clusters ?? definition.parts?.flatMap((part) => part.clusters) ?? [];
}

test("there is something to try", () => {
  expect(DEFINITIONS.length).toBeGreaterThan(20);
});

test("the form can show every definition, and waits for nothing in it", () => {
  for (const definition of DEFINITIONS) {
    expect(hasShape(definition), JSON.stringify(definition)).toBe(true);
    expect(isIncomplete(definition), JSON.stringify(definition)).toBe(false);
  }
});

test("the form refuses what it could not show", () => {
  const broken: unknown[] = [
    null,
    [],
    { type: "standard", name: "a" },
    { type: "standard", name: "a", clusters: [{ match: "all", conditions: [{}] }] },
    { type: "standard", name: "a", clusters: [{ match: "all", conditions: [{ event: 1 }] }] },
    {
      type: "standard",
      name: "a",
      clusters: [{ match: "all", conditions: [{ attribute: "a", operator: "between", value: 3 }] }],
    },
    { type: "advanced", name: "a", parts: [{ relation: "include" }] },
  ];
  for (const value of broken) expect(hasShape(value), JSON.stringify(value)).toBe(false);
});

test("a definition is the same after it was written as text and read", () => {
  for (const definition of DEFINITIONS) {
    expect(parse(stringify(definition, { lineWidth: 0 }))).toEqual(definition);
    // YAML contains JSON.
    expect(parse(JSON.stringify(definition, null, 2))).toEqual(definition);
  }
});

test("only the catalogue's fields are left out when a stored definition is edited", () => {
  for (const definition of DEFINITIONS) {
    const { version: _, ...rest } = definition;
    const stored = { ...definition, version: 3, created_by: "a", updated_at: 5, shared_with: ["b"] };
    expect(editable(stored)).toEqual(rest);
  }
});

test("moving there and back, duplicating and removing change nothing else", () => {
  for (const definition of DEFINITIONS) {
    for (const { conditions } of clustersOf(definition)) {
      expect(moveBy(moveBy(conditions, 0, 1), 1, -1)).toEqual(conditions);
      const more = insertAt(conditions, 1, duplicate(conditions[0] as object));
      expect(more[1]).toEqual(conditions[0]);
      expect(removeAt(more, 1)).toEqual(conditions);
    }
  }
});

test("an empty property is still to be filled in, but within a list it is the element itself", () => {
  const where = (one: PropertyCondition | ElementsCondition): Definition => ({
    name: "s",
    type: "standard",
    clusters: [
      { match: "all", conditions: [{ event: "visit", where: { match: "all", conditions: [one] } }] },
    ],
  });
  const empty: PropertyCondition = { property: "", operator: "eq", value: "a" };
  expect(isIncomplete(where(empty))).toBe(true);
  expect(isIncomplete(where({ ...empty, property: "page" }))).toBe(false);
  expect(isIncomplete(where({ elements: "pages", match: "any", conditions: [empty] }))).toBe(false);
});

test("a condition is moved to another cluster, and an empty cluster is removed", () => {
  const [a, b, c] = ["a", "b", "c"].map((attribute) => ({ attribute, operator: "is_set" }));
  const clusters = [
    { match: "all", conditions: [a, b] },
    { match: "any", conditions: [c] },
  ] as Cluster[];
  const keys = clusters.map(keyOf);
  const moved = moveBetween(clusters, 0, 0, 1);
  expect(moved.map((one) => one.conditions)).toEqual([[b], [c, a]]);
  expect(moved.map(keyOf)).toEqual(keys);
  expect(moveBetween(moved, 0, 0, 1)).toEqual([{ match: "any", conditions: [c, a, b] }]);
  expect(moveBetween(clusters, 1, 0, 0)).toEqual([{ match: "all", conditions: [a, b, c] }]);
  expect(moveBetween(clusters, 0, 5, 1)).toEqual(clusters);
});

test("an entry keeps its key when it is replaced, and a copy gets another", () => {
  const list = [{ event: "a" }, { event: "b" }];
  const [first, second] = list.map(keyOf);
  const next = replaceAt(list, 1, { event: "c" });
  expect(next.map(keyOf)).toEqual([first, second]);
  expect(moveBy(next, 1, -1).map(keyOf)).toEqual([second, first]);
  expect(keyOf(duplicate(next[1] as object))).not.toBe(second);
});

test("an inserted entry takes the focus once", () => {
  const entry = { event: "a" };
  insertAt([], 0, entry);
  expect([wasInserted(entry), wasInserted(entry)]).toEqual([true, false]);
});

test("durations of one unit are taken apart and written as they were", () => {
  for (const text of ["P7D", "P2W", "PT1H", "PT30M", "PT10S", "-P14D", "PT0S"]) {
    const length = readDuration(text);
    expect(length && writeDuration(length)).toBe(text);
  }
  for (const text of ["P1DT12H", "P07D", "", "7 days", "-PT0S", "P1M"]) {
    expect(readDuration(text), text).toBeUndefined();
  }
});

test("undo and redo go through all states; fast changes are one step", () => {
  const named = (name: string): Definition => ({ ...blankDefinition("standard"), name });
  let history = begin(named(""));
  history = changed(history, named("a"), 1_000);
  history = changed(history, named("ab"), 1_100);
  history = changed(history, named("abc"), 9_000);
  const names: string[] = [];
  for (let step = 0; step < 3; step++) {
    history = undone(history);
    names.push(history.present.name);
  }
  expect(names).toEqual(["ab", "", ""]);
  history = redone(redone(redone(history)));
  expect(history.present.name).toBe("abc");
});

test("a fault is shown at the innermost condition that has it", () => {
  const path = withinDefinition("definition.clusters[0].conditions[1].where.conditions[0].value");
  expect(path).toBe("clusters[0].conditions[1].where.conditions[0].value");
  expect(belongsTo(path, "clusters[0].conditions[1].where.conditions[0]")).toBe(true);
  expect(belongsTo(path, "clusters[0].conditions[1]")).toBe(false);
  expect(belongsTo("clusters[0].conditions[12].value", "clusters[0].conditions[1]")).toBe(false);
  expect(belongsTo("clusters[0].conditions[1].window.last", "clusters[0].conditions[1]")).toBe(true);
  expect(belongsTo("name", "name")).toBe(true);
});
