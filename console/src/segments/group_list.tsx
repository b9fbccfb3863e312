/** The groups: built-in ones, and own ones that can be made, renamed and deleted. */

import { DeleteOutlined, EditOutlined, PlusOutlined } from "@ant-design/icons";
import { App, Button, Skeleton, Tooltip } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { DELETED_ADDRESS } from "../addresses";
import { useGroups } from "../api/groups";
import { useGroupChange } from "../api/segments";
import { useMayEdit } from "../api/session";
import type { Group } from "../api/types";
import { Failure } from "../parts/failure";
import { NameDialog } from "../parts/name_dialog";

interface Props {
  /** undefined on the page of the deleted segments, which are in no group. */
  chosen: string | undefined;
  choose: (group: string) => void;
}

type Asked = { what: "create" } | { what: "rename"; group: Group };

export function GroupList({ chosen, choose }: Props) {
  const { t } = useTranslation();
  const { modal, message } = App.useApp();
  const groups = useGroups();
  const change = useGroupChange();
  const mayEdit = useMayEdit();
  const [asked, setAsked] = useState<Asked>();

  if (groups.error) return <Failure error={groups.error} retry={() => groups.refetch()} />;

  const remove = (group: Group) =>
    modal.confirm({
      title: t("groups.delete_title", { name: group.label }),
      content: t("groups.delete_text"),
      okButtonProps: { danger: true },
      okText: t("common.delete"),
      onOk: async () => {
        await change.mutateAsync({ change: "delete", group: group.group });
        if (chosen === group.group) choose("");
      },
    });

  const submit = async (name: string) => {
    if (asked?.what === "rename") {
      await change.mutateAsync({ change: "rename", group: asked.group.group, new_name: name });
      if (chosen === asked.group.group) choose(name);
    } else {
      await change.mutateAsync({ change: "create", group: name });
    }
    setAsked(undefined);
    void message.success(t("common.done"));
  };

  return (
    <aside className="groups" aria-label={t("groups.title")}>
      <div className="groups-head">
        <h2>{t("groups.title")}</h2>
        {mayEdit && (
          <Tooltip title={t("groups.create")}>
            <Button
              type="text"
              size="small"
              icon={<PlusOutlined />}
              aria-label={t("groups.create")}
              onClick={() => setAsked({ what: "create" })}
            />
          </Tooltip>
        )}
      </div>
      {groups.data ? (
        <ul>
          {groups.data.groups.map((group) => (
            <li key={group.group} className={group.group === chosen ? "chosen" : ""}>
              <button
                type="button"
                aria-current={group.group === chosen ? "true" : undefined}
                onClick={() => choose(group.group === "all" ? "" : group.group)}
              >
                <span className="name">{group.label}</span>
                <span className="numeric quiet">{group.segments}</span>
              </button>
              {group.operations.includes("rename") && (
                <Button
                  type="text"
                  size="small"
                  icon={<EditOutlined />}
                  aria-label={t("groups.rename", { name: group.label })}
                  onClick={() => setAsked({ what: "rename", group })}
                />
              )}
              {group.operations.includes("delete") && (
                <Button
                  type="text"
                  size="small"
                  icon={<DeleteOutlined />}
                  aria-label={t("groups.delete", { name: group.label })}
                  onClick={() => remove(group)}
                />
              )}
            </li>
          ))}
        </ul>
      ) : (
        <Skeleton active />
      )}
      <Link
        className={chosen === undefined ? "recycle-bin chosen" : "recycle-bin"}
        aria-current={chosen === undefined ? "page" : undefined}
        to={DELETED_ADDRESS}
      >
        <DeleteOutlined aria-hidden /> {t("deleted.title")}
      </Link>
      {asked && (
        <NameDialog
          title={
            asked.what === "create" ? t("groups.create") : t("groups.rename", { name: asked.group.label })
          }
          label={t("groups.name")}
          initial={asked.what === "rename" ? asked.group.label : ""}
          submit={submit}
          cancel={() => setAsked(undefined)}
        />
      )}
    </aside>
  );
}
