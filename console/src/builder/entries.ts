/** What can be done with the entry of a list at its place. */

import { duplicate, insertAt, moveBy, removeAt, replaceAt } from "../definition/changes";
import type { ListPlace } from "./row_frame";

export function listPlace<Entry extends object>(
  list: readonly Entry[],
  index: number,
  change: (next: Entry[]) => void,
): ListPlace {
  return {
    index,
    total: list.length,
    move: (places) => change(moveBy(list, index, places)),
    duplicate: () => change(insertAt(list, index + 1, duplicate(list[index] as Entry))),
    remove: () => change(removeAt(list, index)),
  };
}

export { insertAt, replaceAt };
