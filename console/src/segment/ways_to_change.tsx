/** 怎样会改变: what would let the contact enter the segment, or leave it. */

import { useTranslation } from "react-i18next";
import type { Explanation } from "../api/contacts";
import { Instant } from "../language/times";
import { type Step, waysToChange } from "./what_would_change";

export function WaysToChange({ explanation }: { explanation: Explanation }) {
  const { t } = useTranslation();
  const ways = waysToChange(explanation);
  const { member, next_change_at: next } = explanation;
  return (
    <section className="ways" aria-label={t("ways.title")}>
      <h2>{member ? t("ways.leaves") : t("ways.enters")}</h2>
      <ul>
        {next && (
          <li>
            {t("ways.time")} <Instant at={next} />
          </li>
        )}
        {ways.map((way, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: ways keep their order
          <li key={index}>
            {way.part !== null && <strong>{way.part} </strong>}
            {way.steps.map((step, place) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: steps keep their order
              <StepText key={place} step={step} />
            ))}
          </li>
        ))}
        {!next && ways.length === 0 && <li>{t("ways.none")}</li>}
      </ul>
    </section>
  );
}

function StepText({ step }: { step: Step }) {
  const { t } = useTranslation();
  if (step.conditions.length === 0) return null;
  const several = step.conditions.length > 1 ? `_${step.match}` : "";
  return (
    <div>
      {t(`ways.${step.must}${several}` as "ways.hold")}
      <ul>
        {step.conditions.map((one, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: conditions keep their order
          <li key={index}>
            {one.words}
            {one.notes?.map((note) => (
              <span key={note} className="quiet">
                {" · "}
                {note}
              </span>
            ))}
          </li>
        ))}
      </ul>
    </div>
  );
}
