/** Membership changes as they happen. */

import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { withQuery } from "./request";

export interface Change {
  change_id: string;
  segment_id: string;
  contact_id: string;
  change: "entered" | "exited";
  effective_at: string;
  words?: string;
}

export interface Changes {
  /** The latest first. */
  changes: Change[];
  connected: boolean;
  /** Whether some were left out because they came too fast. */
  skipped: boolean;
}

const KEPT = 200;
const SHOWN_EVERY_MS = 400;
const REFUSED_PAUSE_MS = 3_000;
const NONE: Changes = { changes: [], connected: false, skipped: false };

/** Which changes to show; an empty text stands for all. */
export interface ChangeFilter {
  segment: string;
  contact: string;
  change: string;
}

/** Follows the changes that pass the filter. While `paused` nothing is followed, and what came so far stays, as far as
 * it passes. */
export function useChanges(filter: ChangeFilter, paused: boolean): Changes {
  const { segment, contact, change } = filter;
  const { i18n } = useTranslation();
  const [shown, setShown] = useState(NONE);
  const followed = useRef("");

  useEffect(() => {
    if (paused) return;
    const address = withQuery("/api/v1/changes", {
      segment_id: segment,
      contact_id: contact,
      recent: 100,
      words: i18n.language,
    });
    const asked = `${address} ${change}`;
    if (followed.current !== asked) setShown(NONE);
    followed.current = asked;
    let waiting: Change[] = [];
    let stream: EventSource;
    let again: ReturnType<typeof setTimeout> | undefined;
    const follow = () => {
      stream = new EventSource(address);
      stream.onopen = () => setShown((before) => ({ ...before, connected: true }));
      // The browser connects again by itself, but not after a refusal, such as that of a worker that starts. After
      // a new connection the last changes come once more.
      stream.onerror = () => {
        setShown((before) => ({ ...before, connected: false }));
        if (stream.readyState === EventSource.CLOSED) again = setTimeout(follow, REFUSED_PAUSE_MS);
      };
      stream.addEventListener("change", ({ data }: MessageEvent<string>) => waiting.push(JSON.parse(data)));
      stream.addEventListener("skipped", () => setShown((before) => ({ ...before, skipped: true })));
    };
    follow();
    // Many changes at a time are drawn once.
    const timer = setInterval(() => {
      if (waiting.length === 0) return;
      // The API does not filter by the kind of change. What does not pass takes no place from what does.
      const come = waiting.filter((one) => passes(one, { segment: "", contact: "", change }));
      waiting = [];
      setShown((before) => ({ ...before, changes: joined(come, before.changes) }));
    }, SHOWN_EVERY_MS);
    return () => {
      clearInterval(timer);
      clearTimeout(again);
      stream.close();
    };
  }, [segment, contact, change, paused, i18n.language]);
  return { ...shown, changes: shown.changes.filter((one) => passes(one, filter)) };
}

/** Whether a filter lets a change pass. */
export function passes(one: Change, { segment, contact, change }: ChangeFilter): boolean {
  return (
    (segment === "" || one.segment_id === segment) &&
    (contact === "" || one.contact_id === contact) &&
    (change === "" || one.change === change)
  );
}

/** Returns the changes with new ones in front; each once. */
export function joined(come: Change[], before: Change[]): Change[] {
  const known = new Set(before.map((one) => one.change_id));
  const news: Change[] = [];
  for (const one of come) {
    if (known.has(one.change_id)) continue;
    known.add(one.change_id);
    news.unshift(one);
  }
  return [...news, ...before].slice(0, KEPT);
}
