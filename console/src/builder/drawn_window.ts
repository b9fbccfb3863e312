import type { WindowBounds } from "../api/windows";

/** Places on the line of time, from 0 at its left end to 1. */
export interface Drawn {
  first: number;
  end: number;
  now: number;
}

/** How much of the line lies before and after the instants that are drawn. */
const MARGIN = 0.08;

/** Returns the places of a window and of now. A bound that the window does not have is at the end of the line. */
export function drawn({ first, end, now }: WindowBounds): Drawn {
  const [from, to, at] = [first, end, now].map((one) => (one === null ? undefined : Date.parse(one)));
  const known = [from, to, at].filter((one): one is number => one !== undefined);
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const length = most - least || 1;
  const place = (instant: number) => MARGIN + ((instant - least) / length) * (1 - 2 * MARGIN);
  return {
    first: from === undefined ? 0 : place(from),
    end: to === undefined ? 1 : place(to),
    now: place(at ?? most),
  };
}
