import { useTranslation } from "react-i18next";
import type { Growth } from "../api/growth";
import { sumOf } from "./growth_sums";

const WIDTH = 900;
const LINE = 120;
const BARS = 50;
const MIDDLE = LINE + 14 + BARS;
const HEIGHT = MIDDLE + BARS;

/** The size as a line; below it who entered, upwards, and who left, downwards. A broken line marks a new version. The
 * table says the same. */
export function GrowthDrawing({ growth: { buckets, versions } }: { growth: Growth }) {
  const { t, i18n } = useTranslation();
  const most = Math.max(1, ...buckets.map((one) => one.contacts));
  const moved = Math.max(1, ...buckets.flatMap((one) => [sumOf(one.entered), sumOf(one.left)]));
  const step = WIDTH / buckets.length;
  const center = (place: number) => (place + 0.5) * step;
  const size = (contacts: number) => LINE - (contacts / most) * (LINE - 8);
  const isRight = (place: number) => place > buckets.length / 2;
  const bar = (counts: Record<string, number>) => (sumOf(counts) / moved) * BARS;
  return (
    <svg className="growth-drawing" aria-hidden="true" viewBox={`0 0 ${WIDTH} ${HEIGHT}`}>
      <polyline
        className="size"
        points={buckets.map((one, place) => `${center(place)},${size(one.contacts)}`).join(" ")}
      />
      {buckets.map((one, place) => (
        <g key={one.start} className={one.complete ? "" : "partly"}>
          <circle className="size" cx={center(place)} cy={size(one.contacts)} r={3} />
          <rect
            className="entered"
            x={place * step + step * 0.2}
            width={step * 0.6}
            y={MIDDLE - bar(one.entered)}
            height={bar(one.entered)}
          />
          <rect
            className="left"
            x={place * step + step * 0.2}
            width={step * 0.6}
            y={MIDDLE}
            height={bar(one.left)}
          />
        </g>
      ))}
      <line className="axis" x1={0} x2={WIDTH} y1={MIDDLE} y2={MIDDLE} />
      <text x={2} y={12}>
        {most.toLocaleString(i18n.language)}
      </text>
      {versions.map((one, index) => (
        <g key={one.version}>
          <line className="version" x1={center(one.bucket)} x2={center(one.bucket)} y1={0} y2={HEIGHT} />
          <text
            x={center(one.bucket) + (isRight(one.bucket) ? -4 : 4)}
            y={12 + (index % 3) * 14}
            textAnchor={isRight(one.bucket) ? "end" : "start"}
          >
            {t("growth.version_mark", { version: one.version })}
          </text>
        </g>
      ))}
    </svg>
  );
}
