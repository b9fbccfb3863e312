/** Makes or changes a segment: the addresses `/new/standard`, `/new/advanced` and `/segments/ID/edit`. */

import { Button, Result, Skeleton } from "antd";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { segmentAddress } from "../addresses";
import { useSegment } from "../api/segments";
import { useVocabulary, type Vocabulary } from "../api/vocabulary";
import { blankDefinition, editable } from "../definition/blank";
import { hasLongNumber } from "../definition/long_numbers";
import type { Definition } from "../definition/types";
import { NoSuchPage } from "../layout/no_such_page";
import { Failure } from "../parts/failure";
import { Builder } from "./builder";

export function NewSegmentPage() {
  const { type = "" } = useParams();
  const vocabulary = useVocabulary();
  if (type !== "standard" && type !== "advanced") return <NoSuchPage />;
  if (vocabulary.error) return <Failure error={vocabulary.error} retry={() => vocabulary.refetch()} />;
  if (!vocabulary.data) return <Skeleton className="screen" active />;
  return <NewSegment key={type} type={type} vocabulary={vocabulary.data} />;
}

function NewSegment({ type, vocabulary }: { type: "standard" | "advanced"; vocabulary: Vocabulary }) {
  const stored = useMemo(() => blankDefinition(type), [type]);
  return <Builder draftName={`new.${type}`} stored={stored} version={undefined} vocabulary={vocabulary} />;
}

export function EditSegmentPage() {
  const { segmentId = "" } = useParams();
  const segment = useSegment(segmentId);
  const vocabulary = useVocabulary();
  // The version that is edited is the one that was there first: later ones are found when it is saved.
  const [first, setFirst] = useState<{ version: number; definition: Definition }>();
  const found = segment.data;
  if (!first && found?.definition) {
    setFirst({ version: found.version, definition: editable(found.definition) });
  }
  const error = segment.error ?? vocabulary.error;
  if (error && !first) return <Failure error={error} retry={() => segment.refetch()} />;
  if (found && !found.definition) return <NoSuchPage />;
  if (first && hasLongNumber(first.definition)) return <LongNumbers segmentId={segmentId} />;
  if (!first || !vocabulary.data) return <Skeleton className="screen" active />;
  return (
    <Builder
      key={segmentId}
      draftName={segmentId}
      stored={first.definition}
      version={first.version}
      vocabulary={vocabulary.data}
    />
  );
}

/** The form would save other numbers than those that are stored. */
function LongNumbers({ segmentId }: { segmentId: string }) {
  const { t } = useTranslation();
  return (
    <Result
      status="warning"
      title={<h1 className="result-title">{t("builder.long_numbers")}</h1>}
      subTitle={t("builder.long_numbers_text")}
      extra={
        <Link to={segmentAddress(segmentId)}>
          <Button>{t("explain.segment")}</Button>
        </Link>
      }
    />
  );
}
