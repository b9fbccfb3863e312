import { Button, Typography } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Segment } from "../api/types";
import { ShareDialog } from "../segments/batch_bar";

/** The accounts that may see and copy the segment. */
export function Sharing({ segment }: { segment: Segment }) {
  const { t } = useTranslation();
  const [asked, setAsked] = useState(false);
  const close = () => setAsked(false);
  return (
    <div className="narrow">
      {segment.shared_with.length === 0 && (
        <Typography.Paragraph>{t("segment.shared_none")}</Typography.Paragraph>
      )}
      <ul>
        {segment.shared_with.map((account) => (
          <li key={account}>{account}</li>
        ))}
      </ul>
      {segment.operations.includes("share") && (
        <Button onClick={() => setAsked(true)}>{t("operations.share")}</Button>
      )}
      {asked && <ShareDialog rows={[segment]} close={close} done={close} />}
    </div>
  );
}
