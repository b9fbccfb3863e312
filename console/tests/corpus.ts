/** Definitions: the examples of docs/segment-language.md, and generated ones if the Python tests run these
 * tests (tests/console/). */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Vocabulary } from "../src/api/vocabulary";
import type { Condition, Definition } from "../src/definition/types";

const PAGE = join(import.meta.dirname, "../../docs/segment-language.md");

function examples(): Definition[] {
  const found: Definition[] = [];
  const conditions: Condition[] = [];
  for (const [, block] of readFileSync(PAGE, "utf8").matchAll(/```json\n([\s\S]*?)```/g)) {
    const read = JSON.parse(block ?? "null");
    for (const one of Array.isArray(read) ? read : [read]) {
      if ("type" in one) found.push(one);
      else if ("conditions" in one && !("elements" in one)) conditions.push(...one.conditions);
      else if (["attribute", "event", "segment", "sequence", "sample"].some((key) => key in one)) {
        conditions.push(one);
      }
    }
  }
  found.push({ name: "all", type: "standard", clusters: [{ match: "any", conditions }] });
  return found;
}

/** The folder in which the Python tests left generated definitions and the API's vocabulary. */
const GIVEN = process.env.CONSOLE_TEST_DATA;

function given<Content>(name: string): Content | undefined {
  return GIVEN === undefined ? undefined : JSON.parse(readFileSync(join(GIVEN, name), "utf8"));
}

/** Leaves something there for the Python tests. */
export function leave(name: string, content: unknown): void {
  if (GIVEN !== undefined) writeFileSync(join(GIVEN, name), JSON.stringify(content));
}

export const DEFINITIONS = [...examples(), ...(given<Definition[]>("definitions.json") ?? [])].filter(
  ({ type }) => type !== "static",
);

/** undefined if these tests run by themselves. */
export const VOCABULARY = given<Vocabulary>("vocabulary.json");
