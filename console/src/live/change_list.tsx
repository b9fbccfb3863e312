import { LoginOutlined, LogoutOutlined } from "@ant-design/icons";
import { Alert, Empty, Table } from "antd";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { contactAddress, explainAddress, segmentAddress } from "../addresses";
import type { Change } from "../api/changes";
import { useSegmentNames } from "../api/segments";
import { Instant } from "../language/times";

interface Props {
  /** The latest first. */
  changes: Change[];
  skipped: boolean;
  /** Whether all are of one segment, which needs no column then. */
  ofOneSegment?: boolean;
}

/** Who entered and left which segment, and why. */
export function ChangeList({ changes, skipped, ofOneSegment = false }: Props) {
  const { t } = useTranslation();
  const names = useSegmentNames(ofOneSegment ? [] : changes.map((one) => one.segment_id));
  return (
    <>
      {skipped && <Alert type="warning" showIcon title={t("live.skipped")} />}
      <Table<Change>
        size="small"
        rowKey="change_id"
        pagination={false}
        dataSource={changes}
        locale={{ emptyText: <Empty description={t("live.none")} /> }}
        columns={[
          {
            key: "at",
            title: t("live.at"),
            width: 180,
            render: (_, one) => <Instant at={one.effective_at} />,
          },
          {
            key: "contact",
            title: t("contact.id"),
            render: (_, one) => <Link to={contactAddress(one.contact_id)}>{one.contact_id}</Link>,
          },
          {
            key: "change",
            title: t("live.change"),
            width: 130,
            render: (_, one) => (
              <span>
                {one.change === "entered" ? (
                  <LoginOutlined className="sign holds" aria-hidden />
                ) : (
                  <LogoutOutlined className="sign fails" aria-hidden />
                )}{" "}
                {t(`timeline.${one.change}`)}
              </span>
            ),
          },
          ...(ofOneSegment
            ? []
            : [
                {
                  key: "segment",
                  title: t("segments.name"),
                  render: (_: unknown, one: Change) => (
                    <Link to={segmentAddress(one.segment_id)}>
                      {names.get(one.segment_id) ?? one.segment_id}
                    </Link>
                  ),
                },
              ]),
          { key: "reason", title: t("live.reason"), render: (_, one) => one.words },
          {
            key: "why",
            title: t("segments.operations"),
            width: 90,
            render: (_, one) => (
              <Link to={explainAddress(one.segment_id, one.contact_id)}>{t("segment.why")}</Link>
            ),
          },
        ]}
      />
    </>
  );
}
