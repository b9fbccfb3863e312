/** How the page looks: light or dark, as the system asks for unless the user chose, and without movement where the
 * system asks for that. */

import { useSyncExternalStore } from "react";

const STORED = "streamseg.appearance";
const SYSTEM = window.matchMedia("(prefers-color-scheme: dark)");
const STILL = window.matchMedia("(prefers-reduced-motion: reduce)");
const listeners = new Set<() => void>();

function isDark(): boolean {
  const chosen = localStorage.getItem(STORED);
  return chosen === null ? SYSTEM.matches : chosen === "dark";
}

function subscribe(changed: () => void): () => void {
  listeners.add(changed);
  SYSTEM.addEventListener("change", changed);
  STILL.addEventListener("change", changed);
  return () => {
    listeners.delete(changed);
    SYSTEM.removeEventListener("change", changed);
    STILL.removeEventListener("change", changed);
  };
}

export function chooseAppearance(dark: boolean): void {
  localStorage.setItem(STORED, dark ? "dark" : "light");
  for (const changed of listeners) changed();
}

export function useAppearance(): { dark: boolean; still: boolean } {
  const dark = useSyncExternalStore(subscribe, isDark);
  const still = useSyncExternalStore(subscribe, () => STILL.matches);
  document.documentElement.style.colorScheme = dark ? "dark" : "light";
  return { dark, still };
}
