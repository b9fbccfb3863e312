/** Every definition can be drawn, and drawing alone changes nothing. */

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import i18next from "i18next";
import { renderToString } from "react-dom/server";
import { initReactI18next } from "react-i18next";
import { expect, test, vi } from "vitest";
import { ClusterList } from "../src/builder/cluster_list";
import { Knowledge } from "../src/builder/context";
import { PartList } from "../src/builder/part_list";
import type { Definition } from "../src/definition/types";
import { DEFINITIONS, VOCABULARY } from "./corpus";

void i18next.use(initReactI18next).init({ lng: "zh", resources: {} });

/** Drawing one takes about 30 ms, so not all of the thousands are drawn; the examples of the page come first. */
const MOST = 300;

function drawn(definition: Definition, change: () => void): string {
  if (VOCABULARY === undefined) throw new Error("no vocabulary");
  const knowledge = {
    vocabulary: VOCABULARY,
    problem: undefined,
    counts: new Map(),
    segmentId: undefined,
    timezone: undefined,
  };
  return renderToString(
    <QueryClientProvider client={new QueryClient()}>
      <Knowledge value={knowledge}>
        {definition.parts ? (
          <PartList value={definition.parts} change={change} />
        ) : (
          <ClusterList place="clusters" value={definition.clusters ?? []} change={change} />
        )}
      </Knowledge>
    </QueryClientProvider>,
  );
}

test.skipIf(VOCABULARY === undefined)("every definition is drawn with all its conditions", () => {
  const change = vi.fn();
  for (const definition of DEFINITIONS.slice(0, MOST)) {
    const before = JSON.stringify(definition);
    const shown = definition.clusters ?? definition.parts?.[0]?.clusters ?? [];
    const rows = drawn(definition, change).match(/<fieldset class="row"/g)?.length ?? 0;
    expect(rows).toBeGreaterThanOrEqual(shown.reduce((sum, one) => sum + one.conditions.length, 0));
    expect(JSON.stringify(definition)).toBe(before);
  }
  expect(change).not.toHaveBeenCalled();
});
