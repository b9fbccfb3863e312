/** What the answers of all workers say together. */

import type { PartitionCondition, RefusedRecord, Worker } from "../api/workers";

export interface OwnedPartition {
  partition: number;
  /** The address of the worker that has it; undefined if no worker that answers has it. */
  owner: string | undefined;
  condition: PartitionCondition | undefined;
}

/** Returns one row for each worker that has a partition, and one for each partition that nobody has. */
export function partitionsOf(workers: Worker[]): OwnedPartition[] {
  const found: OwnedPartition[] = workers.flatMap((worker) =>
    (worker.condition?.partitions ?? []).map((condition) => ({
      partition: condition.partition,
      owner: worker.url,
      condition,
    })),
  );
  const owned = new Set(found.map((one) => one.partition));
  const total = Math.max(0, ...workers.map((one) => Number(one.condition?.settings.partitions ?? 0)));
  for (let partition = 0; partition < total; partition += 1) {
    if (!owned.has(partition)) found.push({ partition, owner: undefined, condition: undefined });
  }
  return found.sort((one, other) => one.partition - other.partition);
}

/** Returns the number of dead letters by code, the greatest first. */
export function refusedByCode(workers: Worker[]): [string, number][] {
  const sums = new Map<string, number>();
  for (const worker of workers) {
    for (const [code, count] of Object.entries(worker.condition?.dead_letters.counts ?? {})) {
      sums.set(code, (sums.get(code) ?? 0) + count);
    }
  }
  return [...sums].sort(([, one], [, other]) => other - one);
}

/** Returns the last dead letters of all workers, the latest first. */
export function lastRefused(workers: Worker[]): RefusedRecord[] {
  const all = workers.flatMap((worker) => worker.condition?.dead_letters.latest ?? []);
  return all.sort((one, other) => (one.at < other.at ? 1 : -1));
}

export interface SettingRow {
  name: string;
  /** The values as text, each with the workers that have it. Most settings have one value. */
  values: { text: string; workers: string[] }[];
}

/** Returns all settings, with those in front that the workers do not agree on. */
export function settingsOf(workers: Worker[]): SettingRow[] {
  const rows = new Map<string, Map<string, string[]>>();
  for (const { url, condition } of workers) {
    for (const [name, value] of Object.entries(condition?.settings ?? {})) {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      const values = rows.get(name) ?? new Map<string, string[]>();
      values.set(text, [...(values.get(text) ?? []), url]);
      rows.set(name, values);
    }
  }
  return [...rows]
    .map(([name, values]) => ({
      name,
      values: [...values].map(([text, having]) => ({ text, workers: having })),
    }))
    .sort((one, other) => Number(mayDiffer(one)) - Number(mayDiffer(other)));
}

/** Settings that belong to one worker. */
const OWN = ["http_host", "http_port", "advertised_url", "data_dir", "instance_id", "log_format"];

function mayDiffer(row: SettingRow): boolean {
  return row.values.length < 2 || OWN.includes(row.name);
}

export function disagrees(row: SettingRow): boolean {
  return !mayDiffer(row);
}
