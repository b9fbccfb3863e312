/** What would change a membership is read from its explanation. */

import { expect, test } from "vitest";
import type { ExplainedCluster, ExplainedPart, Explanation } from "../src/api/contacts";
import { waysToChange } from "../src/segment/what_would_change";

function cluster(match: "all" | "any", holding: Record<string, boolean>): ExplainedCluster {
  const conditions = Object.entries(holding).map(([words, holds]) => ({
    words,
    holds,
    condition: { attribute: words, operator: "is_set" },
    since: null,
    may_change_at: null,
  }));
  const holds = match === "all" ? conditions.every((one) => one.holds) : conditions.some((one) => one.holds);
  return { match, holds, conditions };
}

function part(relation: "include" | "exclude", ...clusters: ExplainedCluster[]): ExplainedPart {
  return { name: null, relation, holds: clusters.every((one) => one.holds), clusters };
}

function ways(...parts: ExplainedPart[]) {
  const member =
    parts.some((one) => one.relation === "include" && one.holds) &&
    !parts.some((one) => one.relation === "exclude" && one.holds);
  const found = waysToChange({ member, parts } as Explanation);
  return found.map((way) =>
    way.steps.map(({ must, match, conditions }) => [must, match, ...conditions.map((one) => one.words)]),
  );
}

test("who is not in lacks everything that does not hold", () => {
  const found = ways(
    part("include", cluster("all", { a: true, b: false, c: false }), cluster("any", { d: false })),
  );
  expect(found).toEqual([
    [
      ["hold", "all", "b", "c"],
      ["hold", "any", "d"],
    ],
  ]);
});

test("who is in leaves with any condition that alone carries a cluster", () => {
  const alone = cluster("any", { c: true, d: false });
  const doubly = cluster("any", { e: true, f: true });
  expect(ways(part("include", cluster("all", { a: true, b: true }), alone, doubly))).toEqual([
    [["cease", "any", "a", "b", "c"]],
  ]);
});

test("who is in by two parts leaves by no single condition", () => {
  const one = part("include", cluster("all", { a: true }));
  const other = part("include", cluster("all", { b: true }));
  expect(ways(one, other)).toEqual([]);
});

test("an excluding part that holds must end, and one that does not would begin", () => {
  const included = part("include", cluster("all", { a: true }));
  expect(ways(included, part("exclude", cluster("all", { x: true })))).toEqual([[["cease", "any", "x"]]]);
  expect(ways(included, part("exclude", cluster("all", { x: false })))).toEqual([
    [["cease", "any", "a"]],
    [["hold", "all", "x"]],
  ]);
  const out = part("include", cluster("all", { a: false }));
  expect(ways(out, part("exclude", cluster("all", { x: true })))).toEqual([
    [
      ["hold", "all", "a"],
      ["cease", "any", "x"],
    ],
  ]);
});
