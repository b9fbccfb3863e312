import { Empty, Table } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { contactAddress, explainAddress } from "../addresses";
import { useMembers, type Which } from "../api/segments";
import type { Member, Segment } from "../api/types";
import { Instant } from "../language/times";
import { Failure } from "../parts/failure";
import { PageButtons } from "../parts/page_buttons";
import { SearchInput } from "../parts/search_input";
import { MemberDownload } from "./member_download";
import { WhichMembers } from "./which_members";

/** 分群联系人: who is in the segment, and since when. */
export function Contacts({ segment }: { segment: Segment }) {
  const { t } = useTranslation();
  const [cursors, setCursors] = useState<string[]>([]);
  const [when, setWhen] = useState<Which>({});
  const [begin, setBegin] = useState("");
  const which = { ...when, q: begin };
  const members = useMembers(segment.segment_id, cursors.at(-1), which);
  const next = members.data?.next_cursor;
  return (
    <>
      <WhichMembers
        choose={(chosen) => {
          setCursors([]);
          setWhen(chosen);
        }}
      >
        <SearchInput
          label={t("contact.search")}
          value={begin}
          change={(text) => {
            setCursors([]);
            setBegin(text);
          }}
        />
        <span className="push" />
        <MemberDownload segmentId={segment.segment_id} which={which} />
      </WhichMembers>
      {members.error && <Failure error={members.error} retry={() => members.refetch()} />}
      <Table<Member>
        size="middle"
        rowKey="contact_id"
        loading={members.isPending}
        pagination={false}
        dataSource={members.data?.contacts ?? []}
        locale={{ emptyText: <Empty description={t("segment.no_contacts")} /> }}
        columns={[
          {
            key: "contact_id",
            title: t("contact.id"),
            render: (_, one) => <Link to={contactAddress(one.contact_id)}>{one.contact_id}</Link>,
          },
          {
            key: "entered_at",
            title: t("contact.entered_at"),
            render: (_, one) => <Instant at={one.entered_at} />,
          },
          ...(which.at !== undefined
            ? []
            : which.left_since === undefined
              ? [
                  {
                    key: "until",
                    title: t("members.until"),
                    render: (_: unknown, one: Member) =>
                      one.next_change_at === undefined ? (
                        <span className="quiet">{t("explain.never")}</span>
                      ) : (
                        <Instant at={one.next_change_at} />
                      ),
                  },
                ]
              : [
                  {
                    key: "left_at",
                    title: t("members.left_at"),
                    render: (_: unknown, one: Member) => <Instant at={one.left_at} />,
                  },
                ]),
          { key: "sequence", title: t("contact.sequence"), render: (_, one) => one.sequence },
          {
            key: "explain",
            title: t("segments.operations"),
            render: (_, one) => (
              <Link to={explainAddress(segment.segment_id, one.contact_id)}>{t("segment.why")}</Link>
            ),
          },
        ]}
      />
      <PageButtons
        total={which.at || which.left_since || begin ? undefined : segment.contacts}
        number={cursors.length}
        back={cursors.length > 0 ? () => setCursors(cursors.slice(0, -1)) : undefined}
        forth={next ? () => setCursors([...cursors, next]) : undefined}
      />
    </>
  );
}
