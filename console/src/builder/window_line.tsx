/** A window drawn on a line of time, and the exact instants between which it lies now. */

import { useTranslation } from "react-i18next";
import { useWindowBounds, type WindowBounds } from "../api/windows";
import type { Window } from "../definition/types";
import { Instant } from "../language/times";
import { useKnowledge } from "./context";
import { drawn } from "./drawn_window";

export function WindowLine({ window }: { window: Window }) {
  const { t } = useTranslation();
  const { timezone } = useKnowledge();
  const found = useWindowBounds(window, timezone);
  if (!found.data || found.error) return null;
  const { first, end, timezone: zone } = found.data;
  return (
    <figure className="window-line" aria-label={t("builder.window_line")}>
      <Drawing bounds={found.data} />
      <figcaption>
        {first === null ? t("builder.no_beginning") : <Instant at={first} zone={zone} milliseconds />}{" "}
        {t("builder.up_to")}{" "}
        {end === null ? (
          t("builder.no_end")
        ) : (
          <>
            <Instant at={end} zone={zone} milliseconds /> {t("builder.end_excluded")}
          </>
        )}{" "}
        <span className="quiet">{zone}</span>
      </figcaption>
    </figure>
  );
}

const WIDTH = 420;

/** What it shows is also said in words below it. */
function Drawing({ bounds }: { bounds: WindowBounds }) {
  const { t } = useTranslation();
  const { first, end, now } = drawn(bounds);
  return (
    <svg aria-hidden="true" viewBox={`0 0 ${WIDTH} 30`} width={WIDTH} height={30}>
      <line className="axis" x1={0} x2={WIDTH} y1={10} y2={10} />
      <rect className="window" x={first * WIDTH} width={(end - first) * WIDTH} y={4} height={12} />
      {bounds.first !== null && (
        <line className="bound" x1={first * WIDTH} x2={first * WIDTH} y1={1} y2={19} />
      )}
      {bounds.end !== null && <line className="bound" x1={end * WIDTH} x2={end * WIDTH} y1={1} y2={19} />}
      <line className="now" x1={now * WIDTH} x2={now * WIDTH} y1={0} y2={20} />
      <text x={now * WIDTH} y={29} textAnchor={now > 0.9 ? "end" : now < 0.1 ? "start" : "middle"}>
        {t("builder.now")}
      </text>
    </svg>
  );
}
