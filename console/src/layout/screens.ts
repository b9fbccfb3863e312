/** The screens that the header leads to. */

import type { Session } from "../api/session";

export interface Screen {
  path: string;
  label: "screens.segments" | "screens.contacts" | "screens.live" | "screens.health";
  /** The beginnings of other addresses that belong to the same screen. */
  also?: string[];
  /** Who has use for it; everybody if this is left out. */
  needs?: "contacts" | "admin";
}

export const HEALTH: Screen = { path: "/health", label: "screens.health", needs: "admin" };

export const SCREENS: Screen[] = [
  { path: "/segments", label: "screens.segments", also: ["/new", "/deleted"] },
  { path: "/contacts", label: "screens.contacts", needs: "contacts" },
  { path: "/live", label: "screens.live", needs: "contacts" },
  HEALTH,
];

/** Returns whether an address belongs to the screen. */
export function isWithin(screen: Screen, address: string): boolean {
  return [screen.path, ...(screen.also ?? [])].some(
    (begin) => address === begin || address.startsWith(`${begin}/`),
  );
}

/** Returns whether the user has use for the screen. */
export function isOffered(screen: Screen, session: Session | undefined): boolean {
  if (screen.needs === "admin") return session?.role === "admin";
  return screen.needs === undefined || session?.contacts !== false;
}
