import type { Difference } from "../api/types";

interface Props {
  title: string;
  lines: Difference[];
}

/** The lines of two definitions in words: those that only one of them has are marked. */
export function Differences({ title, lines }: Props) {
  return (
    <>
      <h2 className="differences-title">{title}</h2>
      <ul className="differences" aria-label={title}>
        {lines.map((one, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines have no names, and keep their order
          <Line key={place} line={one} />
        ))}
      </ul>
    </>
  );
}

const SIGNS: Record<Difference["change"], string> = { same: "", removed: "−", added: "+" };

function Line({ line }: { line: Difference }) {
  return (
    <li className={line.change}>
      <span className="difference-sign" aria-hidden>
        {SIGNS[line.change]}
      </span>
      {line.change === "removed" && <del>{line.text}</del>}
      {line.change === "added" && <ins>{line.text}</ins>}
      {line.change === "same" && line.text}
    </li>
  );
}
