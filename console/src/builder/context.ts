/** What all parts of the builder know: the vocabulary, the problem of the last answer, and the counts. */

import { createContext, useContext } from "react";
import type { Vocabulary } from "../api/vocabulary";

export interface BuilderKnowledge {
  vocabulary: Vocabulary;
  /** The fault that the API found, and its place within the definition. */
  problem: { path: string; message: string } | undefined;
  /** The number of contacts by place, such as `clusters[0].conditions[1]`. */
  counts: Map<string, number>;
  /** The segment that is edited; undefined for a new one. */
  segmentId: string | undefined;
  /** The time zone of the definition; undefined: the configured one. */
  timezone: string | undefined;
}

export const Knowledge = createContext<BuilderKnowledge | undefined>(undefined);

export function useKnowledge(): BuilderKnowledge {
  const knowledge = useContext(Knowledge);
  if (knowledge === undefined) throw new Error("only inside the builder");
  return knowledge;
}

/** An editor of one value. It keeps all it does not show. */
export interface EditorProps<Value> {
  value: Value;
  change: (next: Value) => void;
}
