import { Drawer, Skeleton } from "antd";
import { useTranslation } from "react-i18next";
import { useSegment } from "../api/segments";
import { Failure } from "../parts/failure";
import { MainSentence } from "../parts/sentence";

/** 查看分群条件: the conditions of a segment, in words, beside the list. */
export function ConditionsDrawer({ segmentId, close }: { segmentId: string | undefined; close: () => void }) {
  const { t } = useTranslation();
  const segment = useSegment(segmentId ?? "");
  return (
    <Drawer
      open={segmentId !== undefined}
      onClose={close}
      title={segment.data?.name ?? t("operations.view_conditions")}
      size={520}
    >
      {segment.error && <Failure error={segment.error} retry={() => segment.refetch()} />}
      {segment.isPending && <Skeleton active />}
      {segment.data && <MainSentence words={segment.data.words ?? t("segment.built_in_words")} />}
    </Drawer>
  );
}
