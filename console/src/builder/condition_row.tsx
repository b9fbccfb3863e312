import { isAttribute, isEvent, isSegment, isSequence } from "../definition/kinds";
import type { Condition } from "../definition/types";
import { AttributeRow } from "./attribute_row";
import type { EditorProps } from "./context";
import { EventRow } from "./event_row";
import type { ListPlace } from "./row_frame";
import { SampleRow } from "./sample_row";
import { SegmentRow } from "./segment_row";
import { SequenceRow } from "./sequence_row";

interface Props extends EditorProps<Condition> {
  place: string;
  list: ListPlace;
}

/** The row of a condition, by its kind. */
export function ConditionRow({ value, ...rest }: Props) {
  if (isAttribute(value)) return <AttributeRow value={value} {...rest} />;
  if (isEvent(value)) return <EventRow value={value} {...rest} />;
  if (isSegment(value)) return <SegmentRow value={value} {...rest} />;
  if (isSequence(value)) return <SequenceRow value={value} {...rest} />;
  return <SampleRow value={value} {...rest} />;
}
