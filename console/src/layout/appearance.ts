/** Light or dark: what the system asks for, unless the user chose. */

import { useSyncExternalStore } from "react";

const STORED = "streamseg.appearance";
const SYSTEM = window.matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

function isDark(): boolean {
  const chosen = localStorage.getItem(STORED);
  return chosen === null ? SYSTEM.matches : chosen === "dark";
}

function subscribe(changed: () => void): () => void {
  listeners.add(changed);
  SYSTEM.addEventListener("change", changed);
  return () => {
    listeners.delete(changed);
    SYSTEM.removeEventListener("change", changed);
  };
}

export function chooseAppearance(dark: boolean): void {
  localStorage.setItem(STORED, dark ? "dark" : "light");
  for (const changed of listeners) changed();
}

export function useAppearance(): { dark: boolean } {
  const dark = useSyncExternalStore(subscribe, isDark);
  document.documentElement.style.colorScheme = dark ? "dark" : "light";
  return { dark };
}
