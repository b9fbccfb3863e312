import { Skeleton } from "antd";
import { useTranslation } from "react-i18next";
import { useVersion } from "../api/versions";
import { Differences } from "../parts/differences";
import { Failure } from "../parts/failure";
import { Sentence } from "../parts/sentence";

interface Props {
  segmentId: string;
  version: number;
  /** The version before it; undefined for the first one that is kept. */
  since: number | undefined;
}

/** A version of the conditions in words, and which lines of them differ from the version before. */
export function VersionInWords({ segmentId, version, since }: Props) {
  const { t } = useTranslation();
  const found = useVersion(segmentId, version, since);
  if (found.error && !found.data) return <Failure error={found.error} retry={() => found.refetch()} />;
  if (!found.data) return <Skeleton active />;
  const differences = found.data.differences ?? [];
  return (
    <>
      <Sentence words={found.data.words} />
      {since === undefined ? (
        <p className="quiet">{t("versions.first")}</p>
      ) : differences.every((one) => one.change === "same") ? (
        <p className="quiet">{t("versions.same_conditions", { version: since })}</p>
      ) : (
        <Differences title={t("versions.differences", { version: since })} lines={differences} />
      )}
    </>
  );
}
