/** The properties of an event, by the names that marketers know. */

import { Tag } from "antd";
import { useLabel, useVocabulary } from "../api/vocabulary";
import { attributeText } from "./attribute_text";

interface Props {
  event: string;
  properties: Record<string, unknown>;
}

export function EventProperties({ event, properties }: Props) {
  const vocabulary = useVocabulary();
  const label = useLabel();
  if (event === "attribute_changed") return <ChangedAttribute properties={properties} />;
  const events = vocabulary.data?.events ?? [];
  const own = events.find((one) => one.name === event)?.properties ?? [];
  // A property that was not seen in this event yet is called as in others.
  const fields = [...own, ...events.flatMap((one) => one.properties)];
  return Object.entries(properties).map(([name, value]) => {
    const field = fields.find((one) => one.name === name);
    return (
      <Tag key={name}>
        {label(field, name)}: {attributeText(field?.type, value)}
      </Tag>
    );
  });
}

/** The event that streamseg derives from an update: an attribute with its value before and after. */
function ChangedAttribute({ properties }: { properties: Record<string, unknown> }) {
  const vocabulary = useVocabulary();
  const label = useLabel();
  const name = String(properties.attribute);
  const field = vocabulary.data?.attributes.find((one) => one.name === name);
  const text = (value: unknown) => (value == null ? "–" : attributeText(field?.type, value));
  return (
    <Tag>
      {label(field, name)}: {text(properties.old)} → {text(properties.new)}
    </Tag>
  );
}
