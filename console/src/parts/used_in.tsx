import { useTranslation } from "react-i18next";
import { useUses } from "../api/uses";
import { Lineage } from "./lineage";

/** What is said before a segment is changed: which others change with it. Nothing if there are none. */
export function UsedIn({ segmentId }: { segmentId: string }) {
  const { t } = useTranslation();
  const { data } = useUses(segmentId);
  if (!data || (data.users.length === 0 && data.hidden === 0)) return null;
  return (
    <section className="used-in">
      <h2>{t("segment.used_in")}</h2>
      <p className="quiet">{t("builder.used_in")}</p>
      <Lineage of={data} />
    </section>
  );
}
