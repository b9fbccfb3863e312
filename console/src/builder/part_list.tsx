/** 高级分群: up to 20 parts on the left, each included or excluded; the conditions of the chosen one on the right. */

import { DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { App, Button, Input, Segmented, Space } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ask, segmentPath } from "../api/request";
import type { Segment } from "../api/types";
import { blankPart } from "../definition/blank";
import { duplicate, keyOf, removeAt, replaceAt, withField } from "../definition/changes";
import { hasLongNumber } from "../definition/long_numbers";
import type { Part } from "../definition/types";
import { SegmentSelect } from "../parts/segment_select";
import { ClusterList } from "./cluster_list";
import { type EditorProps, useKnowledge } from "./context";
import { PlaceCount } from "./place_count";
import { PlaceProblem } from "./place_problem";
import { Tool } from "./row_frame";

const MOST_PARTS = 20;

export function PartList({ value: parts, change }: EditorProps<Part[]>) {
  const { t } = useTranslation();
  const [chosen, setChosen] = useState(0);
  const index = Math.min(chosen, parts.length - 1);
  const part = parts[index];
  const add = (made: Part[]) => {
    change([...parts, ...made]);
    setChosen(parts.length);
  };
  return (
    <div className="parts">
      <nav aria-label={t("builder.parts")}>
        <ul>
          {parts.map((one, place) => (
            <li key={keyOf(one)} className={place === index ? "chosen" : ""}>
              <button
                type="button"
                aria-current={place === index ? "true" : undefined}
                onClick={() => setChosen(place)}
              >
                <span>
                  {t(`relations.${one.relation}`)} {one.name ?? t("builder.part", { number: place + 1 })}
                </span>
                <PlaceCount place={`parts[${place}]`} />
              </button>
              <Tool
                label={t("builder.remove", { name: one.name ?? t("builder.part", { number: place + 1 }) })}
                disabled={parts.length === 1}
                act={() => change(removeAt(parts, place))}
              >
                <DeleteOutlined />
              </Tool>
            </li>
          ))}
        </ul>
        <AddPart room={MOST_PARTS - parts.length} add={add} />
        <PlaceProblem place="parts" />
      </nav>
      {part && (
        <div>
          <Space wrap className="part-head">
            <Segmented<Part["relation"]>
              aria-label={t("builder.relation")}
              value={part.relation}
              options={[
                { value: "include", label: t("relations.include") },
                { value: "exclude", label: t("relations.exclude") },
              ]}
              onChange={(relation) => change(replaceAt(parts, index, { ...part, relation }))}
            />
            <Input
              aria-label={t("builder.part_name")}
              placeholder={t("builder.part_name")}
              value={part.name ?? ""}
              onChange={(event) =>
                change(replaceAt(parts, index, withField(part, "name", event.target.value || undefined)))
              }
            />
          </Space>
          <ClusterList
            key={keyOf(part)}
            place={`parts[${index}].clusters`}
            value={part.clusters}
            change={(clusters) => change(replaceAt(parts, index, { ...part, clusters }))}
          />
          <PlaceProblem place={`parts[${index}]`} />
        </div>
      )}
    </div>
  );
}

interface AddProps {
  /** How many parts may still be added. */
  room: number;
  add: (made: Part[]) => void;
}

function AddPart({ room, add }: AddProps) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const { segmentId } = useKnowledge();
  const full = t("builder.most_parts", { count: MOST_PARTS });
  const copy = async (from: string) => {
    try {
      const { name, definition } = await ask<Segment>(segmentPath(from));
      if (hasLongNumber(definition)) void message.error(t("builder.long_numbers"));
      else if (definition?.parts && definition.parts.length > room) void message.error(full);
      else if (definition?.parts) add(duplicate(definition.parts));
      else if (definition?.clusters) {
        add([{ name, relation: "include", clusters: duplicate(definition.clusters) }]);
      } else {
        const reference = { segment: from };
        add([{ name, relation: "include", clusters: [{ match: "all", conditions: [reference] }] }]);
      }
    } catch (error) {
      void message.error(String(error instanceof Error ? error.message : error));
    }
  };
  return (
    <Space orientation="vertical" className="add-part">
      <Button
        block
        type="dashed"
        icon={<PlusOutlined />}
        disabled={room <= 0}
        onClick={() => add([blankPart()])}
      >
        {t("builder.add_part")}
      </Button>
      <SegmentSelect
        label={t("builder.copy_from")}
        value={undefined}
        without={segmentId}
        disabled={room <= 0}
        choose={copy}
      />
      {room <= 0 && <span className="quiet">{full}</span>}
    </Space>
  );
}
