/** Undo and redo: the states before and after the present one. */

import type { Definition } from "./types";

export interface History {
  past: Definition[];
  present: Definition;
  future: Definition[];
  /** When the present state came, in ms. */
  at: number;
}

const STEPS = 100;
/** Changes that follow each other faster, such as letters, are one step. */
const SAME_STEP_MS = 700;

export function begin(present: Definition): History {
  return { past: [], present, future: [], at: 0 };
}

export function changed(history: History, present: Definition, at: number): History {
  if (present === history.present) return history;
  const sameStep = at - history.at < SAME_STEP_MS && history.past.length > 0;
  const past = sameStep ? history.past : [...history.past, history.present].slice(-STEPS);
  return { past, present, future: [], at };
}

export function undone(history: History): History {
  const present = history.past.at(-1);
  if (present === undefined) return history;
  return {
    past: history.past.slice(0, -1),
    present,
    future: [history.present, ...history.future],
    at: 0,
  };
}

export function redone(history: History): History {
  const [present, ...future] = history.future;
  if (present === undefined) return history;
  return { past: [...history.past, history.present], present, future, at: 0 };
}
