import { useEffect } from "react";
import { isTyped } from "../parts/typing";

interface Shortcuts {
  save: () => void;
  undo: () => void;
  redo: () => void;
  count: () => void;
  showKeys: () => void;
}

/** Ctrl+S saves, Ctrl+Z takes a change back, Ctrl+Y or Ctrl+Shift+Z makes it again, Ctrl+Enter counts; on a Mac with
 * Cmd. "?" shows the keys, where no text is typed. */
export function useShortcuts({ save, undo, redo, count, showKeys }: Shortcuts): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.key === "?" && !isTyped(event.target)) {
        event.preventDefault();
        showKeys();
        return;
      }
      if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
      const key = event.key.toLowerCase();
      const act =
        key === "s"
          ? save
          : key === "enter"
            ? count
            : key === "y" || (key === "z" && event.shiftKey)
              ? redo
              : key === "z"
                ? undo
                : undefined;
      if (act === undefined) return;
      // A text field has its own undo, of letters.
      if ((act === undo || act === redo) && event.target instanceof HTMLTextAreaElement) return;
      event.preventDefault();
      act();
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, [save, undo, redo, count, showKeys]);
}
