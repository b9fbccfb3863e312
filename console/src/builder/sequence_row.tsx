/** 行为顺序: events in an order, each after the one before; the last one may be one that did not happen. */

import { PlusOutlined } from "@ant-design/icons";
import { Button, Checkbox, Space } from "antd";
import { useTranslation } from "react-i18next";
import { useLabel } from "../api/vocabulary";
import { blankStep, blankWhere } from "../definition/blank";
import { keyOf, withField, without } from "../definition/changes";
import { isAbsent } from "../definition/kinds";
import type { SequenceCondition, SequenceStep, Step } from "../definition/types";
import { type EditorProps, useKnowledge } from "./context";
import { DurationEditor } from "./duration_editor";
import { insertAt, listPlace, replaceAt } from "./entries";
import { useProperties } from "./event_row";
import { NameSelect } from "./name_select";
import { useEventOptions } from "./names";
import { type ListPlace, RowFrame } from "./row_frame";
import { useNotOption } from "./test_options";
import { WhereEditor } from "./where_editor";
import { WindowEditor } from "./window_editor";

const MOST_STEPS = 8;

interface Props extends EditorProps<SequenceCondition> {
  place: string;
  list: ListPlace;
}

export function SequenceRow({ value, change, place, list }: Props) {
  const { t } = useTranslation();
  const setSteps = (sequence: Step[]) =>
    sequence.length === 0 ? list.remove() : change({ ...value, sequence });
  return (
    <RowFrame
      name={t("builder.sequence")}
      place={place}
      entry={value}
      list={list}
      options={[useNotOption(value, change)]}
    >
      <StepLine steps={value.sequence} />
      <div className="sequence">
        {value.sequence.map((step, index) => (
          <StepRow
            key={keyOf(step)}
            place={`${place}.sequence[${index}]`}
            value={step}
            list={listPlace(value.sequence, index, setSteps)}
            change={(next) => setSteps(replaceAt(value.sequence, index, next))}
          />
        ))}
        {value.sequence.length < MOST_STEPS && (
          <Button
            type="link"
            size="small"
            icon={<PlusOutlined />}
            onClick={() => setSteps(insertAt(value.sequence, value.sequence.length, blankStep()))}
          >
            {t("builder.add_step")}
          </Button>
        )}
      </div>
      <Space wrap>
        <span>{t("builder.within")}</span>
        <DurationEditor
          label={t("builder.within")}
          value={value.within}
          change={(within) => change({ ...value, within })}
        />
        <Checkbox
          checked={value.step_within !== undefined}
          onChange={(event) =>
            change(withField(value, "step_within", event.target.checked ? "PT1H" : undefined))
          }
        >
          {t("builder.step_within")}
        </Checkbox>
        {value.step_within !== undefined && (
          <DurationEditor
            label={t("builder.step_within")}
            value={value.step_within}
            change={(step_within) => change({ ...value, step_within })}
          />
        )}
        <span>{t("builder.last_step")}</span>
        <WindowEditor value={value.window} change={(window) => change(withField(value, "window", window))} />
      </Space>
    </RowFrame>
  );
}

/** The steps drawn from left to right. The rows below say the same. */
function StepLine({ steps }: { steps: Step[] }) {
  const { t } = useTranslation();
  const { vocabulary } = useKnowledge();
  const label = useLabel();
  return (
    <ol className="step-line" aria-hidden="true">
      {steps.map((one) => {
        const { event } = isAbsent(one) ? one.absent : one;
        const known = vocabulary.events.find((seen) => seen.name === event);
        return (
          <li key={keyOf(one)} className={isAbsent(one) ? "absent" : ""}>
            {label(known, event) || t("builder.event")} {isAbsent(one) && t("builder.absent")}
          </li>
        );
      })}
    </ol>
  );
}

interface StepProps extends EditorProps<Step> {
  place: string;
  list: ListPlace;
}

function StepRow({ value, change, place, list }: StepProps) {
  const { t } = useTranslation();
  const { vocabulary } = useKnowledge();
  const absent = isAbsent(value);
  const step = absent ? value.absent : value;
  const inner = absent ? `${place}.absent` : place;
  const write = (next: SequenceStep) => change(absent ? { absent: next } : next);
  const fields = useProperties(step.event);
  const isLast = list.index === list.total - 1 && list.index > 0;
  const absentOption = {
    key: "absent",
    label: t("builder.absent"),
    on: absent,
    toggle: () => change(absent ? step : { absent: step }),
  };
  return (
    <RowFrame
      name={t("builder.step")}
      place={inner}
      entry={value}
      list={list}
      options={isLast || absent ? [absentOption] : []}
    >
      <span className="step-number">{list.index + 1}</span>
      <NameSelect
        label={t("builder.event")}
        value={step.event}
        options={useEventOptions(vocabulary)}
        choose={(event) => write({ ...step, event })}
      />
      {step.where ? (
        <WhereEditor
          title={t("builder.where")}
          place={`${inner}.where`}
          value={step.where}
          fields={fields}
          change={(where) => write({ ...step, where })}
          empty={() => write(without(step, "where"))}
        />
      ) : (
        <Button type="link" size="small" onClick={() => write({ ...step, where: blankWhere() })}>
          {t("builder.add_where")}
        </Button>
      )}
    </RowFrame>
  );
}
