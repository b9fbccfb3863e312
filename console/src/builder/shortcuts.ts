import { useEffect } from "react";

interface Shortcuts {
  save: () => void;
  undo: () => void;
  redo: () => void;
  showKeys: () => void;
}

/** Ctrl+S saves, Ctrl+Z takes a change back, Ctrl+Y or Ctrl+Shift+Z makes it again; on a Mac with Cmd. "?" shows the
 * keys, where no text is typed. */
export function useShortcuts({ save, undo, redo, showKeys }: Shortcuts): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.key === "?" && !isTyped(event.target)) {
        event.preventDefault();
        showKeys();
        return;
      }
      if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
      // A text field has its own undo, of letters.
      if (event.key !== "s" && event.target instanceof HTMLTextAreaElement) return;
      const key = event.key.toLowerCase();
      const act =
        key === "s"
          ? save
          : key === "y" || (key === "z" && event.shiftKey)
            ? redo
            : key === "z"
              ? undo
              : undefined;
      if (act === undefined) return;
      event.preventDefault();
      act();
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, [save, undo, redo, showKeys]);
}

function isTyped(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}
