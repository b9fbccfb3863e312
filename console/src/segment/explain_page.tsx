/** Why one contact is in one segment, or not: each condition with what was found. */

import { Skeleton, Typography } from "antd";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { contactAddress, segmentAddress } from "../addresses";
import { useExplanation } from "../api/contacts";
import { useSegment } from "../api/segments";
import { Failure } from "../parts/failure";
import { InZoneOf, ZoneSign } from "../parts/in_zone";
import { ExplanationTree } from "./explanation_tree";

export function ExplainPage() {
  const { segmentId = "", contactId = "" } = useParams();
  const { t } = useTranslation();
  const segment = useSegment(segmentId);
  const explanation = useExplanation(segmentId, contactId);
  const name = segment.data?.name ?? segmentId;
  return (
    <div className="screen">
      <title>{t("explain.title", { contact: contactId, segment: name })}</title>
      <div className="screen-head">
        <Typography.Title level={1}>
          {t("explain.title", { contact: contactId, segment: name })}
        </Typography.Title>
        <InZoneOf segment={segment.data}>
          <ZoneSign />
        </InZoneOf>
        <span className="push" />
        <Link to={segmentAddress(segmentId)}>{t("explain.segment")}</Link>
        <Link to={contactAddress(contactId)}>{t("explain.contact")}</Link>
      </div>
      {explanation.error && !explanation.data && (
        <Failure error={explanation.error} retry={() => explanation.refetch()} />
      )}
      {explanation.isPending && <Skeleton active />}
      {explanation.data && (
        <InZoneOf segment={segment.data}>
          <ExplanationTree explanation={explanation.data} />
        </InZoneOf>
      )}
    </div>
  );
}
