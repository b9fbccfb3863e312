/** The groups in which attributes and events are offered, as in the product document. */

import { useTranslation } from "react-i18next";
import { type Field, useLabel, type Vocabulary } from "../api/vocabulary";
import type { NameOption } from "./name_select";

const ATTRIBUTE_GROUPS: Record<string, string[]> = {
  basic: [
    "email",
    "mobile",
    "name",
    "wechat_unionid",
    "contact_id",
    "gender",
    "location",
    "created_at",
    "imported_at",
    "known_since",
    "subscribed",
  ],
  member: ["member_points", "member_id", "member_day"],
  tags: ["tags"],
  consumption: ["order_count", "order_amount", "first_purchase_at", "last_purchase_at"],
  advanced: [
    "overall_rating",
    "activity_index",
    "consumption_index",
    "email_interaction",
    "wechat_interaction",
    "sms_interaction",
  ],
};

const EVENT_GROUPS: [RegExp, string][] = [
  [/^email_/, "email"],
  [/^sms_/, "sms"],
  [/^wechat_/, "wechat"],
  [/^form_/, "form"],
  [/^(fan_)?tag_/, "tag"],
  [/^(attribute_changed|global_unsubscribe)$/, "attribute"],
];

const ATTRIBUTE_ORDER = [...Object.keys(ATTRIBUTE_GROUPS), "custom"];
const EVENT_ORDER = [...EVENT_GROUPS.map(([, group]) => group), "custom"];

function attributeGroup(name: string): string {
  return Object.entries(ATTRIBUTE_GROUPS).find(([, names]) => names.includes(name))?.[0] ?? "custom";
}

function eventGroup(name: string, standard: boolean): string {
  return (standard && EVENT_GROUPS.find(([names]) => names.test(name))?.[1]) || "custom";
}

export function useAttributeOptions(vocabulary: Vocabulary): NameOption[] {
  const { t } = useTranslation();
  const label = useLabel();
  return vocabulary.attributes
    .map((one) => ({ one, group: attributeGroup(one.name) }))
    .sort((a, b) => ATTRIBUTE_ORDER.indexOf(a.group) - ATTRIBUTE_ORDER.indexOf(b.group))
    .map(({ one, group }) => ({
      value: one.name,
      label: label(one),
      group: t(`attribute_groups.${group}`),
    }));
}

export function useEventOptions(vocabulary: Vocabulary): NameOption[] {
  const { t } = useTranslation();
  const label = useLabel();
  return vocabulary.events
    .map((one) => ({ one, group: eventGroup(one.name, one.standard) }))
    .sort((a, b) => EVENT_ORDER.indexOf(a.group) - EVENT_ORDER.indexOf(b.group))
    .map(({ one, group }) => ({ value: one.name, label: label(one), group: t(`event_groups.${group}`) }));
}

export function useFieldOptions(fields: Field[]): NameOption[] {
  const { t } = useTranslation();
  const label = useLabel();
  return fields.map((one) => ({ value: one.name, label: label(one), group: t("builder.properties") }));
}
