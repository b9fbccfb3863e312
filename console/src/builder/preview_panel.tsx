/** What the draft means in words, whom it selects now, and what saving it would change. */

import type { UseQueryResult } from "@tanstack/react-query";
import { Button, Card, Modal, Skeleton, Spin, Statistic } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type Preview, type Side, useDraftExplanation } from "../api/preview";
import { Problem } from "../api/request";
import type { Definition } from "../definition/types";
import { durationText, Instant } from "../language/times";
import { Differences } from "../parts/differences";
import { Failure } from "../parts/failure";
import { MainSentence } from "../parts/sentence";
import { UsedIn } from "../parts/used_in";
import { ExplanationTree } from "../segment/explanation_tree";

interface Props {
  /** The definition that was asked about; undefined if it is not complete. */
  definition: Definition | undefined;
  preview: UseQueryResult<Preview>;
  /** Whether the present definition waits to be filled in; otherwise it is asked about in a moment. */
  incomplete: boolean;
  /** Whether the present definition is not asked about yet. */
  isBehind: boolean;
  /** The segment that is changed; undefined for a new one. */
  segmentId: string | undefined;
}

export function PreviewPanel({ definition, preview, incomplete, isBehind, segmentId }: Props) {
  const { t, i18n } = useTranslation();
  const [explained, setExplained] = useState<string>();
  const counting = preview.isFetching;
  const isOld = preview.isPlaceholderData || isBehind;
  const refused = preview.error instanceof Problem && preview.error.path !== undefined;
  return (
    <aside className="preview" aria-label={t("preview.title")}>
      <Card size="small" title={t("preview.title")} extra={counting && <Spin size="small" />}>
        {definition === undefined && incomplete && <p className="quiet">{t("preview.incomplete")}</p>}
        {definition === undefined && !incomplete && <Skeleton active />}
        {refused && <p>{t("preview.refused")}</p>}
        {preview.error && !refused && <Failure error={preview.error} retry={() => preview.refetch()} />}
        {definition && preview.isPending && !preview.error && <Skeleton active />}
        {definition && preview.data && !preview.error && (
          <div className={isOld ? "stale" : ""}>
            <div aria-live="polite" className="preview-count">
              <Statistic
                title={t("preview.contacts")}
                value={isOld ? t("preview.counting") : preview.data.contacts}
                formatter={(value) =>
                  typeof value === "number" ? value.toLocaleString(i18n.language) : value
                }
              />
              <span className="quiet">
                {t("preview.of_known", { known: preview.data.compared.known.toLocaleString(i18n.language) })}
              </span>
            </div>
            {!isOld && (
              <p className="quiet counted-at">
                {t("preview.at")} <Instant at={preview.data.compared.at} />{" "}
                {t("preview.took", { length: durationText(preview.data.took_ms, i18n.language) })}
              </p>
            )}
            {preview.data.words && <MainSentence words={preview.data.words} />}
            <Difference preview={preview.data} explain={setExplained} />
            <h2>{t("preview.sample")}</h2>
            <Contacts ids={preview.data.sample} explain={setExplained} />
          </div>
        )}
        {segmentId !== undefined && <UsedIn segmentId={segmentId} />}
      </Card>
      {explained && definition && (
        <DraftExplanation
          key={explained}
          definition={definition}
          contactId={explained}
          close={() => setExplained(undefined)}
        />
      )}
    </aside>
  );
}

type Explain = (contactId: string) => void;

function Difference({ preview, explain }: { preview: Preview; explain: Explain }) {
  const { t } = useTranslation();
  const { with_version: version, entering, leaving, staying, differences } = preview.compared;
  if (version === null) return null;
  return (
    <section className="difference">
      <h2>{t("preview.difference", { version })}</h2>
      <SideEntry sign="+" name={t("preview.entering")} side={entering} explain={explain} />
      <SideEntry sign="−" name={t("preview.leaving")} side={leaving} explain={explain} />
      <SideEntry sign="=" name={t("preview.staying")} side={staying} explain={explain} />
      {differences?.some((one) => one.change !== "same") && (
        <Differences title={t("preview.differences")} lines={differences} />
      )}
    </section>
  );
}

function SideEntry({
  sign,
  name,
  side,
  explain,
}: {
  sign: string;
  name: string;
  side: Side;
  explain: Explain;
}) {
  const { t, i18n } = useTranslation();
  const title = (
    <>
      <strong className="numeric">
        {sign} {side.contacts.toLocaleString(i18n.language)}
      </strong>{" "}
      {name}
    </>
  );
  if (side.contacts === 0) return <div className="side">{title}</div>;
  return (
    <details className="side">
      <summary>{title}</summary>
      {side.reasons && side.reasons.length > 0 && (
        <ul className="reasons">
          {side.reasons.map((reason, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: reasons have no names and come sorted
            <li key={index}>
              {t(`preview.reason_${reason.definition}`, { words: reason.words, count: reason.contacts })}
            </li>
          ))}
        </ul>
      )}
      <Contacts ids={side.sample} explain={explain} />
    </details>
  );
}

function Contacts({ ids, explain }: { ids: string[]; explain: Explain }) {
  const { t } = useTranslation();
  if (ids.length === 0) return <p className="quiet">{t("segment.no_contacts")}</p>;
  return (
    <div className="sample">
      {ids.map((id) => (
        <Button key={id} size="small" onClick={() => explain(id)}>
          {id}
        </Button>
      ))}
    </div>
  );
}

function DraftExplanation({
  definition,
  contactId,
  close,
}: {
  definition: Definition;
  contactId: string;
  close: () => void;
}) {
  const { t } = useTranslation();
  const asked = useDraftExplanation(definition, contactId);
  return (
    <Modal
      open
      width={760}
      title={t("preview.explain", { contact: contactId })}
      footer={null}
      onCancel={close}
    >
      {asked.error && <Failure error={asked.error} retry={() => asked.refetch()} />}
      {asked.isPending && <Skeleton active />}
      {asked.data && <ExplanationTree explanation={asked.data.explanation} />}
    </Modal>
  );
}
