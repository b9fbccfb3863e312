import { Select, Skeleton } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useVersion } from "../api/versions";
import { Differences } from "../parts/differences";
import { Failure } from "../parts/failure";
import { Sentence } from "../parts/sentence";

interface Props {
  segmentId: string;
  version: number;
  /** The other versions, the latest first. */
  others: number[];
}

/** A version of the conditions in words, and which lines of them differ from another version: from the one before it,
 * unless another is chosen. */
export function VersionInWords({ segmentId, version, others }: Props) {
  const { t } = useTranslation();
  const [chosen, setChosen] = useState<number>();
  const since = chosen ?? others.find((other) => other < version);
  const found = useVersion(segmentId, version, since);
  if (found.error && !found.data) return <Failure error={found.error} retry={() => found.refetch()} />;
  if (!found.data) return <Skeleton active />;
  const differences = found.data.differences ?? [];
  return (
    <>
      <Sentence words={found.data.words} />
      {since === undefined && <p className="quiet">{t("versions.first")}</p>}
      {others.length > 0 && (
        <Select
          size="small"
          className="compared"
          aria-label={t("versions.compare", { version })}
          placeholder={t("versions.compare_with")}
          value={since ?? null}
          onChange={(other) => setChosen(other ?? undefined)}
          options={others.map((other) => ({
            value: other,
            label: t("versions.differences", { version: other }),
          }))}
        />
      )}
      {since === undefined ? null : differences.every((one) => one.change === "same") ? (
        <p className="quiet">{t("versions.same_conditions", { version: since })}</p>
      ) : (
        <Differences title={t("versions.differences", { version: since })} lines={differences} />
      )}
    </>
  );
}
