/** One contact: what is known, and the segments it is in. */

import { Button, Card, Descriptions, Empty, Skeleton, Table, Tag, Typography } from "antd";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useParams } from "react-router";
import { explainAddress, segmentAddress } from "../addresses";
import { type Contact, type Membership, useContact } from "../api/contacts";
import { useSegmentNames } from "../api/segments";
import { useLabel, useVocabulary } from "../api/vocabulary";
import { Instant } from "../language/times";
import { Failure } from "../parts/failure";
import { SegmentSelect } from "../parts/segment_select";
import { attributeText } from "./attribute_text";
import { Happenings } from "./happenings";
import { MembershipChange } from "./membership_change";

/** A contact may be in thousands of segments. */
const MOST_ROWS = 20;

/** Built-in segments that say which channels a contact may not be reached by. */
const SUPPRESSIONS = ["global-unsubscribed", "email-unsubscribed", "mobile-unsubscribed"];

export function ContactPage() {
  const { contactId = "" } = useParams();
  const contact = useContact(contactId);
  if (contact.error && !contact.data)
    return <Failure error={contact.error} retry={() => contact.refetch()} />;
  if (!contact.data) return <Skeleton className="screen" active />;
  return (
    <div className="screen">
      <title>{contact.data.contact_id}</title>
      <Head contact={contact.data} />
      <div className="two-columns">
        <Attributes contact={contact.data} />
        <div className="stack">
          <Memberships contact={contact.data} />
          <Happenings contactId={contact.data.contact_id} />
        </div>
      </div>
    </div>
  );
}

function Head({ contact }: { contact: Contact }) {
  const { t } = useTranslation();
  const name = contact.attributes.name;
  const suppressed = contact.segments.filter((one) => SUPPRESSIONS.includes(one.segment_id));
  return (
    <div className="screen-head">
      <Typography.Title level={1}>{typeof name === "string" ? name : contact.contact_id}</Typography.Title>
      <span className="quiet">{contact.contact_id}</span>
      {suppressed.map((one) => (
        <Tag key={one.segment_id} color="error">
          {t(`suppressions.${one.segment_id}`)}
        </Tag>
      ))}
      {suppressed.length === 0 && <Tag color="success">{t("suppressions.none")}</Tag>}
      <span className="push" />
      <span className="quiet">
        {t("contact.known_since")} <Instant at={contact.known_since} />
      </span>
    </div>
  );
}

function Attributes({ contact }: { contact: Contact }) {
  const { t } = useTranslation();
  const entries = Object.entries(contact.attributes);
  const vocabulary = useVocabulary();
  const label = useLabel();
  const known = (name: string) => vocabulary.data?.attributes.find((one) => one.name === name);
  return (
    <Card title={t("contact.attributes")} size="small">
      <Descriptions
        size="small"
        column={1}
        items={[
          ...entries.map(([name, value]) => ({
            key: name,
            label: label(known(name), name),
            children: <SetAt at={contact.updated_at[name]}>{attributeText(known(name)?.type, value)}</SetAt>,
          })),
          {
            key: "tags",
            label: t("contact.tags"),
            children: (
              <SetAt at={contact.updated_at.tags}>
                {contact.tags.length === 0 ? "–" : contact.tags.map((tag) => <Tag key={tag}>{tag}</Tag>)}
              </SetAt>
            ),
          },
          {
            key: "lists",
            label: t("contact.lists"),
            children:
              contact.lists.length === 0
                ? "–"
                : contact.lists.map((list) => (
                    <Link key={list} to={segmentAddress(list)} className="listed">
                      {list}
                    </Link>
                  )),
          },
        ]}
      />
    </Card>
  );
}

/** A value, and when it was set. */
function SetAt({ at, children }: { at: string | undefined; children: ReactNode }) {
  const { t } = useTranslation();
  return (
    <div>
      <div>{children}</div>
      {at && (
        <div className="quiet set-at">
          {t("contact.updated_at")} <Instant at={at} />
        </div>
      )}
    </div>
  );
}

function Memberships({ contact }: { contact: Contact }) {
  const { t } = useTranslation();
  const names = useSegmentNames(contact.segments.map((one) => one.segment_id));
  return (
    <Card title={t("contact.segments")} size="small" extra={<ExplainAny contactId={contact.contact_id} />}>
      <Table<Membership>
        size="small"
        rowKey="segment_id"
        pagination={{ pageSize: MOST_ROWS, hideOnSinglePage: true, showSizeChanger: false }}
        dataSource={contact.segments}
        expandable={{
          columnTitle: <span className="unseen">{t("contact.change")}</span>,
          expandedRowRender: (one) => (
            <MembershipChange segmentId={one.segment_id} contactId={contact.contact_id} />
          ),
        }}
        locale={{ emptyText: <Empty description={t("contact.no_segments")} /> }}
        columns={[
          {
            key: "segment",
            title: t("segments.name"),
            render: (_, one) => (
              <Link to={segmentAddress(one.segment_id)}>{names.get(one.segment_id) ?? one.segment_id}</Link>
            ),
          },
          {
            key: "entered_at",
            title: t("contact.entered_at"),
            render: (_, one) => <Instant at={one.entered_at} />,
          },
          {
            key: "next",
            title: t("contact.next_change"),
            render: (_, one) => <Instant at={one.next_change_at} />,
          },
          {
            key: "why",
            title: t("segments.operations"),
            render: (_, one) => (
              <Link to={explainAddress(one.segment_id, contact.contact_id)}>{t("segment.why")}</Link>
            ),
          },
        ]}
      />
    </Card>
  );
}

/** Leads to the explanation for any segment, also one that the contact is not in. */
function ExplainAny({ contactId }: { contactId: string }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [segmentId, setSegmentId] = useState<string>();
  return (
    <span className="explain-any">
      <SegmentSelect label={t("contact.explain_for")} value={segmentId} choose={setSegmentId} />
      <Button
        disabled={segmentId === undefined}
        onClick={() => segmentId && navigate(explainAddress(segmentId, contactId))}
      >
        {t("segment.why")}
      </Button>
    </span>
  );
}
