/** The events of a contact by day, in the viewer's time zone. */

import { LeftOutlined, RightOutlined } from "@ant-design/icons";
import { Button, Empty, Skeleton } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type CountedEvent, useCalendar } from "../api/calendar";
import { VIEWERS_ZONE } from "../language/zones";
import { Failure } from "../parts/failure";
import { monthAfter, monthOf, weeksOf } from "./month";

const WEEKDAYS = [1, 2, 3, 4, 5, 6, 7];
const SHOWN = 3;

export function EventCalendar({ contactId }: { contactId: string }) {
  const { t, i18n } = useTranslation();
  const [chosen, setChosen] = useState<string>();
  const [day, setDay] = useState<string>();
  const month = chosen ?? monthOf(new Date());
  const found = useCalendar(contactId, month, VIEWERS_ZONE);
  if (found.error && !found.data) return <Failure error={found.error} retry={() => found.refetch()} />;
  if (!found.data) return <Skeleton active />;
  const events = new Map(found.data.days.map((one) => [one.day, one.events]));
  const { months } = found.data;
  const turn = (next: string) => {
    setChosen(next);
    setDay(undefined);
  };
  const title = new Intl.DateTimeFormat(i18n.language, { year: "numeric", month: "long" });
  const weekday = new Intl.DateTimeFormat(i18n.language, { weekday: "short" });
  return (
    <div className="calendar">
      <nav className="pages" aria-label={t("calendar.title")}>
        <Button
          icon={<LeftOutlined />}
          aria-label={t("calendar.back")}
          disabled={!months.some((one) => one < month)}
          onClick={() => turn(months.findLast((one) => one < month) ?? monthAfter(month, -1))}
        />
        <strong aria-live="polite">{title.format(new Date(`${month}-15`))}</strong>
        <Button
          icon={<RightOutlined />}
          aria-label={t("calendar.forth")}
          disabled={month >= monthOf(new Date())}
          onClick={() => turn(monthAfter(month, 1))}
        />
        <span className="quiet">{VIEWERS_ZONE}</span>
      </nav>
      {months.length === 0 && <Empty description={t("timeline.none")} />}
      <table>
        <thead>
          <tr>
            {WEEKDAYS.map((number) => (
              // 1 January 2024 was a Monday.
              <th key={number} scope="col">
                {weekday.format(new Date(2024, 0, number))}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {weeksOf(month).map((week) => (
            <tr key={week.find((one) => one !== undefined) ?? ""}>
              {week.map((one, place) => (
                <td key={one ?? `none ${place}`}>
                  {one && <Day day={one} events={events.get(one) ?? []} open={() => setDay(one)} />}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {day && <DayEvents day={day} events={events.get(day) ?? []} />}
    </div>
  );
}

interface DayProps {
  day: string;
  events: CountedEvent[];
}

function Day({ day, events, open }: DayProps & { open: () => void }) {
  const { t } = useTranslation();
  const number = Number(day.slice(-2));
  if (events.length === 0) return <span className="day-number quiet">{number}</span>;
  const total = events.reduce((sum, one) => sum + one.count, 0);
  return (
    <button type="button" onClick={open} aria-label={t("calendar.day", { day, count: total })}>
      <span className="day-number">{number}</span>
      {events.slice(0, SHOWN).map((one) => (
        <EventCount key={one.event} one={one} />
      ))}
      {events.length > SHOWN && <span className="quiet">{`+${events.length - SHOWN}`}</span>}
    </button>
  );
}

function DayEvents({ day, events }: DayProps) {
  return (
    <section aria-label={day} className="day-events" aria-live="polite">
      <h3>{day}</h3>
      <ul className="counts">
        {events.map((one) => (
          <li key={one.event}>
            <EventCount one={one} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function EventCount({ one }: { one: CountedEvent }) {
  return (
    <span className="event-count">
      {one.label ?? one.event} <span className="numeric">{`×${one.count}`}</span>
    </span>
  );
}
