/** 联系人分群: groups on the left, the list on the right. */

import { Typography } from "antd";
import { useTranslation } from "react-i18next";
import { CreateButton } from "./create_button";
import { GroupList } from "./group_list";
import { useListState } from "./list_state";
import { SegmentTable } from "./segment_table";

export function SegmentsPage() {
  const { t } = useTranslation();
  const [state, change] = useListState();
  return (
    <div className="screen">
      <title>{t("screens.segments")}</title>
      <div className="screen-head">
        <Typography.Title level={1}>{t("screens.segments")}</Typography.Title>
        <span className="push" />
        <CreateButton />
      </div>
      <div className="segments">
        <GroupList chosen={state.group ?? "all"} choose={(group) => change({ group })} />
        <SegmentTable state={state} change={change} />
      </div>
    </div>
  );
}
