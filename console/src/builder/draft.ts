/** Drafts survive a reload: the definition that is edited is kept in the browser until it is saved. */

import { useCallback, useEffect, useReducer } from "react";
import { begin, changed, type History, redone, undone } from "../definition/history";
import { hasShape } from "../definition/shape";
import type { Definition } from "../definition/types";

const PREFIX = "streamseg.draft.";

interface Kept {
  /** The version that the draft began with; 0 for a new segment. */
  version: number;
  definition: Definition;
}

function kept(name: string, version: number): Definition | undefined {
  try {
    const read = JSON.parse(localStorage.getItem(PREFIX + name) ?? "null") as Kept | null;
    return read?.version === version && hasShape(read.definition) ? read.definition : undefined;
  } catch {
    return undefined;
  }
}

/** Forgets all drafts, so that the next account in this browser does not see them. */
export function forgetDrafts(): void {
  for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) localStorage.removeItem(key);
}

type Action =
  | { what: "change"; definition: Definition; at: number }
  | { what: "undo" }
  | { what: "redo" }
  | { what: "begin"; definition: Definition };

function reduced(history: History, action: Action): History {
  switch (action.what) {
    case "change":
      return changed(history, action.definition, action.at);
    case "undo":
      return undone(history);
    case "redo":
      return redone(history);
    case "begin":
      return begin(action.definition);
  }
}

export interface Draft {
  definition: Definition;
  /** Whether the draft differs from what is stored. */
  isChanged: boolean;
  canUndo: boolean;
  canRedo: boolean;
  change: (definition: Definition) => void;
  undo: () => void;
  redo: () => void;
  /** Goes back to what is stored. */
  discard: () => void;
  /** Forgets the draft, because it was saved. */
  forget: () => void;
}

/** A draft of the stored definition. `name` and `version` say which draft it is. */
export function useDraft(name: string, version: number, stored: Definition): Draft {
  const [history, act] = useReducer(reduced, undefined, () => begin(kept(name, version) ?? stored));
  const definition = history.present;
  const isChanged = JSON.stringify(definition) !== JSON.stringify(stored);

  useEffect(() => {
    if (isChanged) localStorage.setItem(PREFIX + name, JSON.stringify({ version, definition }));
    else localStorage.removeItem(PREFIX + name);
  }, [name, version, definition, isChanged]);

  const forget = useCallback(() => localStorage.removeItem(PREFIX + name), [name]);
  return {
    definition,
    isChanged,
    canUndo: history.past.length > 0,
    canRedo: history.future.length > 0,
    change: (next) => act({ what: "change", definition: next, at: Date.now() }),
    undo: () => act({ what: "undo" }),
    redo: () => act({ what: "redo" }),
    discard: () => act({ what: "begin", definition: stored }),
    forget,
  };
}
