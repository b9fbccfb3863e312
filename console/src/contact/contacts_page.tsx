/** Finds a contact by the beginning of its id. */

import { Empty, Table, Typography } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import { contactAddress } from "../addresses";
import { type ContactPage, useContacts } from "../api/contacts";
import { Instant } from "../language/times";
import { Failure } from "../parts/failure";
import { PageButtons } from "../parts/page_buttons";
import { SearchInput } from "../parts/search_input";

type Row = ContactPage["contacts"][number];

export function ContactsPage() {
  const { t } = useTranslation();
  const [address, setAddress] = useSearchParams();
  const [cursors, setCursors] = useState<string[]>([]);
  const begin = address.get("q") ?? "";
  const page = useContacts(begin, cursors.at(-1));
  const next = page.data?.next_cursor;
  const search = (text: string) => {
    setCursors([]);
    setAddress(text === "" ? {} : { q: text }, { replace: true });
  };
  return (
    <div className="screen">
      <title>{t("screens.contacts")}</title>
      <div className="screen-head">
        <Typography.Title level={1}>{t("screens.contacts")}</Typography.Title>
      </div>
      <search className="toolbar">
        <SearchInput label={t("contact.search")} value={begin} change={search} />
      </search>
      {page.error && !page.data ? (
        <Failure error={page.error} retry={() => page.refetch()} />
      ) : (
        <>
          <Table<Row>
            size="middle"
            rowKey="contact_id"
            loading={page.isPending}
            pagination={false}
            dataSource={page.data?.contacts ?? []}
            locale={{ emptyText: <Empty description={t("contact.none_found")} /> }}
            columns={[
              {
                key: "contact_id",
                title: t("contact.id"),
                render: (_, one) => <Link to={contactAddress(one.contact_id)}>{one.contact_id}</Link>,
              },
              { key: "name", title: t("contact.name"), render: (_, one) => one.name ?? "–" },
              {
                key: "known_since",
                title: t("contact.known_since"),
                render: (_, one) => <Instant at={one.known_since} />,
              },
            ]}
          />
          <PageButtons
            number={cursors.length}
            back={cursors.length > 0 ? () => setCursors(cursors.slice(0, -1)) : undefined}
            forth={next ? () => setCursors([...cursors, next]) : undefined}
          />
        </>
      )}
    </div>
  );
}
