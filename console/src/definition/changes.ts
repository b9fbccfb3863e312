/** Changes of immutable lists and objects. An entry keeps its key when it is replaced, so that the form keeps
 * its fields: a key never depends on the place in the list. */

import type { Cluster } from "./types";

const keys = new WeakMap<object, string>();
const added = new WeakSet<object>();
let latest = 0;

/** Returns the key of an entry; the same for the same entry, however often it was replaced. */
export function keyOf(entry: object): string {
  const known = keys.get(entry);
  if (known !== undefined) return known;
  latest += 1;
  const made = `k${latest}`;
  keys.set(entry, made);
  return made;
}

export function replaceAt<Entry extends object>(list: readonly Entry[], index: number, next: Entry): Entry[] {
  const before = list[index];
  if (before !== undefined && before !== next) keys.set(next, keyOf(before));
  return list.map((entry, place) => (place === index ? next : entry));
}

export function removeAt<Entry>(list: readonly Entry[], index: number): Entry[] {
  return list.filter((_, place) => place !== index);
}

/** Inserts an entry that takes the focus when it is first shown. */
export function insertAt<Entry extends object>(list: readonly Entry[], index: number, entry: Entry): Entry[] {
  added.add(entry);
  return [...list.slice(0, index), entry, ...list.slice(index)];
}

/** Returns whether the entry was just inserted; true only once. */
export function wasInserted(entry: object): boolean {
  return added.delete(entry);
}

/** Moves an entry by some places; does nothing beyond the ends. */
export function moveBy<Entry>(list: readonly Entry[], index: number, places: number): Entry[] {
  const target = index + places;
  const entry = list[index];
  if (entry === undefined || target < 0 || target >= list.length) return [...list];
  const rest = removeAt(list, index);
  return [...rest.slice(0, target), entry, ...rest.slice(target)];
}

/** Moves a condition to the end of another cluster, where it takes the focus. A cluster that is left without
 * conditions is removed. */
export function moveBetween(
  clusters: readonly Cluster[],
  from: number,
  place: number,
  to: number,
): Cluster[] {
  const [source, target] = [clusters[from], clusters[to]];
  const condition = source?.conditions[place];
  if (source === undefined || target === undefined || condition === undefined || from === to) {
    return [...clusters];
  }
  const conditions = insertAt(target.conditions, target.conditions.length, condition);
  const filled = replaceAt(clusters, to, { ...target, conditions });
  const rest = removeAt(source.conditions, place);
  if (rest.length === 0) return removeAt(filled, from);
  return replaceAt(filled, from, { ...source, conditions: rest });
}

/** Returns a copy that shares nothing with the entry, and so has a key of its own. */
export function duplicate<Entry>(entry: Entry): Entry {
  return structuredClone(entry);
}

/** Returns the object without some keys. */
export function without<Given extends object, Key extends keyof Given>(
  given: Given,
  ...names: Key[]
): Omit<Given, Key> {
  const rest: Partial<Given> = { ...given };
  for (const name of names) delete rest[name];
  return rest as Omit<Given, Key>;
}

/** Returns the object with a key set, or without it if the value is undefined. */
export function withField<Given extends object, Key extends keyof Given>(
  given: Given,
  name: Key,
  value: Given[Key] | undefined,
): Given {
  if (value === undefined) return without(given, name) as Given;
  return { ...given, [name]: value };
}
