/** What happened to a contact, one below the other or by day. */

import { Card, Tabs } from "antd";
import { useTranslation } from "react-i18next";
import { EventCalendar } from "./event_calendar";
import { Timeline } from "./timeline";

export function Happenings({ contactId }: { contactId: string }) {
  const { t } = useTranslation();
  return (
    <Card size="small">
      <Tabs
        destroyOnHidden
        items={[
          {
            key: "timeline",
            label: t("timeline.title"),
            children: <Timeline contactId={contactId} />,
          },
          {
            key: "calendar",
            label: t("calendar.title"),
            children: <EventCalendar contactId={contactId} />,
          },
        ]}
      />
    </Card>
  );
}
