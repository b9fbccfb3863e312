/** 版本: who saved the segment when, what each version says and changes, and the way back to an earlier one. */

import { App, Button, Empty, Table, Tag } from "antd";
import { useTranslation } from "react-i18next";
import type { Segment, Version } from "../api/types";
import { useRevert, useVersions } from "../api/versions";
import { Instant } from "../language/times";
import { Failure } from "../parts/failure";
import { VersionInWords } from "./version_in_words";

export function Versions({ segment }: { segment: Segment }) {
  const { t } = useTranslation();
  const revert = useRevertQuestion(segment);
  const found = useVersions(segment.segment_id, segment.version);
  if (found.error && !found.data) return <Failure error={found.error} retry={() => found.refetch()} />;
  const versions = found.data?.versions ?? [];
  const others = (version: number) => versions.map((one) => one.version).filter((other) => other !== version);
  return (
    <Table<Version>
      key={segment.version}
      size="middle"
      rowKey="version"
      loading={found.isPending}
      pagination={false}
      dataSource={versions}
      locale={{ emptyText: <Empty description={t("versions.none")} /> }}
      expandable={{
        columnTitle: t("segment.conditions"),
        columnWidth: 110,
        defaultExpandedRowKeys: [segment.version],
        expandedRowRender: ({ version }) => (
          <VersionInWords segmentId={segment.segment_id} version={version} others={others(version)} />
        ),
      }}
      columns={[
        {
          key: "version",
          title: t("segment.version"),
          width: 140,
          render: (_, one) => (
            <>
              <span className="numeric">{one.version}</span>{" "}
              {one.version === segment.version && <Tag>{t("versions.current")}</Tag>}
            </>
          ),
        },
        { key: "name", title: t("segments.name"), render: (_, one) => one.name },
        { key: "saved_by", title: t("versions.saved_by"), render: (_, one) => one.saved_by ?? "–" },
        {
          key: "saved_at",
          title: t("versions.saved_at"),
          render: (_, one) => <Instant at={one.saved_at} />,
        },
        {
          key: "operations",
          title: t("segments.operations"),
          width: 150,
          render: (_, one) =>
            one.version !== segment.version &&
            segment.operations.includes("edit") && (
              <Button
                size="small"
                aria-label={t("versions.revert_to", { version: one.version })}
                onClick={() => revert(one)}
              >
                {t("versions.revert")}
              </Button>
            ),
        },
      ]}
    />
  );
}

/** Asks whether an earlier version shall be the latest one again, and carries it out. */
function useRevertQuestion(segment: Segment): (version: Version) => void {
  const { t } = useTranslation();
  const { message, modal } = App.useApp();
  const revert = useRevert();
  return ({ version }) =>
    void modal.confirm({
      title: t("versions.revert_title", { version }),
      content: t("versions.revert_text", { version }),
      okText: t("versions.revert"),
      onOk: async () => {
        const current = segment.version;
        try {
          const made = await revert.mutateAsync({ segmentId: segment.segment_id, version, current });
          void message.success(t("versions.reverted", { version, next: made.version }));
        } catch (error) {
          void message.error(error instanceof Error ? error.message : String(error));
        }
      },
    });
}
