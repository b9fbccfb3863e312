/** 回收站: the segments that the account deleted, as long as they can be restored. */

import { Typography } from "antd";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { groupAddress } from "../addresses";
import { DeletedTable } from "./deleted_table";
import { GroupList } from "./group_list";

export function DeletedPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  return (
    <div className="screen">
      <title>{t("deleted.title")}</title>
      <div className="screen-head">
        <Typography.Title level={1}>{t("deleted.title")}</Typography.Title>
        <span className="quiet">{t("deleted.text")}</span>
      </div>
      <div className="segments">
        <GroupList chosen={undefined} choose={(group) => navigate(groupAddress(group))} />
        <DeletedTable />
      </div>
    </div>
  );
}
