/** What administrators ask: the condition of all workers. */

import { useQuery } from "@tanstack/react-query";
import { ask } from "./request";

export interface Share {
  done: number;
  total: number;
}

export interface PartitionCondition {
  partition: number;
  state: "assigned" | "restoring" | "at_work" | "releasing" | "gone";
  restored: Share | null;
  /** Topic -> records that have not been applied yet; null while the end of the topic is not known. */
  lag: Record<string, number | null>;
  clock: string | null;
  behind_ms: number | null;
  swept: Share | null;
}

export interface RefusedRecord {
  at: string;
  code: string;
  message: string;
  path: string;
  topic: string;
  partition: number;
  offset: number;
  applied: "no" | "partly";
}

export interface WorkerCondition {
  version: string;
  form: "compiled" | "plain";
  ready: boolean;
  reasons: string[];
  since: string;
  leader: boolean;
  clock: string;
  clock_doubt: string | null;
  partitions: PartitionCondition[];
  dead_letters: { counts: Record<string, number>; latest: RefusedRecord[] };
  settings: Record<string, unknown>;
}

export interface Worker {
  url: string;
  /** Why there is no answer of this worker; null if there is one. */
  problem: string | null;
  condition: WorkerCondition | null;
}

export interface Workers {
  /** The address of the worker that gathered the answers. */
  asked: string;
  workers: Worker[];
}

const AGAIN_MS = 5_000;

export function useWorkers() {
  return useQuery({
    queryKey: ["workers"],
    queryFn: ({ signal }) => ask<Workers>("/workers", { signal }),
    refetchInterval: AGAIN_MS,
  });
}
