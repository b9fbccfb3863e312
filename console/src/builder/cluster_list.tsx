/** 条件簇: boxes of conditions. Between boxes there is always 且; inside a box 且 or 或. */

import {
  ArrowDownOutlined,
  ArrowUpOutlined,
  CopyOutlined,
  DeleteOutlined,
  PlusOutlined,
} from "@ant-design/icons";
import { Button, Dropdown, Space } from "antd";
import { Fragment } from "react";
import { useTranslation } from "react-i18next";
import { useLabel } from "../api/vocabulary";
import { blankCluster, blankCondition } from "../definition/blank";
import { keyOf, moveBetween } from "../definition/changes";
import { isAttribute, isEvent, type Kind } from "../definition/kinds";
import type { Cluster, Condition } from "../definition/types";
import { ConditionRow } from "./condition_row";
import { type EditorProps, useKnowledge } from "./context";
import { insertAt, listPlace, replaceAt } from "./entries";
import { MatchSwitch } from "./match_switch";
import { PlaceCount } from "./place_count";
import { PlaceProblem } from "./place_problem";
import { type ListPlace, Tool } from "./row_frame";

interface Props extends EditorProps<Cluster[]> {
  /** The place of the list within the definition, such as `clusters` or `parts[0].clusters`. */
  place: string;
}

export function ClusterList({ value: clusters, change, place }: Props) {
  const { t } = useTranslation();
  return (
    <div className="clusters">
      {clusters.map((cluster, index) => (
        <Fragment key={keyOf(cluster)}>
          {index > 0 && <div className="joint">{t("match.and")}</div>}
          <ClusterBox
            place={`${place}[${index}]`}
            value={cluster}
            list={listPlace(clusters, index, change)}
            change={(next) => change(replaceAt(clusters, index, next))}
            others={clusters.flatMap((_, number) => (number === index ? [] : [number]))}
            moveTo={(target, place) => change(moveBetween(clusters, index, place, target))}
          />
        </Fragment>
      ))}
      <AddButtons
        prominent={clusters.length === 0}
        add={(kind) => change([...clusters, markedCluster(kind)])}
        label={t("builder.add_cluster")}
      />
      <PlaceProblem place={place} />
    </div>
  );
}

/** A new cluster, whose condition takes the focus. */
function markedCluster(kind: Kind): Cluster {
  const cluster = blankCluster(kind);
  return { ...cluster, conditions: insertAt([], 0, cluster.conditions[0] as Condition) };
}

interface BoxProps extends EditorProps<Cluster> {
  place: string;
  list: ListPlace;
  /** The indexes of the other clusters. */
  others: number[];
  /** Moves the condition at a place of this cluster to another cluster. */
  moveTo: (target: number, place: number) => void;
}

function ClusterBox({ value: cluster, change, place, list, others, moveTo }: BoxProps) {
  const { t } = useTranslation();
  const setConditions = (conditions: Condition[]) =>
    conditions.length === 0 ? list.remove() : change({ ...cluster, conditions });
  const name = t("builder.cluster", { number: list.index + 1, total: list.total });
  return (
    <section className="cluster" aria-label={name}>
      <div className="cluster-head">
        <h2>{t(`builder.cluster_of_${contents(cluster)}`)}</h2>
        {cluster.conditions.length > 1 && (
          <MatchSwitch label={name} value={cluster.match} change={(match) => change({ ...cluster, match })} />
        )}
        <span className="push" />
        <PlaceCount place={place} />
        <Tool label={t("builder.up", { name })} disabled={list.index === 0} act={() => list.move(-1)}>
          <ArrowUpOutlined />
        </Tool>
        <Tool
          label={t("builder.down", { name })}
          disabled={list.index === list.total - 1}
          act={() => list.move(1)}
        >
          <ArrowDownOutlined />
        </Tool>
        <Tool label={t("builder.duplicate", { name })} act={list.duplicate}>
          <CopyOutlined />
        </Tool>
        <Tool label={t("builder.remove", { name })} act={list.remove}>
          <DeleteOutlined />
        </Tool>
      </div>
      {cluster.conditions.map((one, index) => (
        <Fragment key={keyOf(one)}>
          {index > 0 && (
            <div className="inner-joint">{t(cluster.match === "all" ? "match.and" : "match.or")}</div>
          )}
          <ConditionRow
            place={`${place}.conditions[${index}]`}
            value={one}
            list={{
              ...listPlace(cluster.conditions, index, setConditions),
              elsewhere: others.map((target) => ({
                key: `cluster ${target}`,
                label: t("builder.to_cluster", { number: target + 1 }),
                act: () => moveTo(target, index),
              })),
            }}
            change={(next) => setConditions(replaceAt(cluster.conditions, index, next))}
          />
        </Fragment>
      ))}
      <AddButtons
        label={t("builder.add_condition")}
        add={(kind) =>
          setConditions(insertAt(cluster.conditions, cluster.conditions.length, blankCondition(kind)))
        }
      />
      <PlaceProblem place={place} />
    </section>
  );
}

function contents(cluster: Cluster): "attributes" | "events" | "conditions" {
  if (cluster.conditions.every(isAttribute)) return "attributes";
  return cluster.conditions.every(isEvent) ? "events" : "conditions";
}

interface AddProps {
  label: string;
  add: (kind: Kind) => void;
  prominent?: boolean;
}

const FIRST_KINDS = ["attribute", "event"];

/** Attributes and events, as the product offers them; the other kinds behind "more". */
function AddButtons({ label, add, prominent = false }: AddProps) {
  const { t } = useTranslation();
  const { vocabulary } = useKnowledge();
  const name = useLabel();
  const kinds = vocabulary.conditions.map((one) => ({
    kind: one.kind as Kind,
    text: name({ name: one.kind, label: one.label }),
  }));
  return (
    <Space wrap className="add-buttons">
      <span className="quiet">{label}</span>
      {kinds
        .filter(({ kind }) => FIRST_KINDS.includes(kind))
        .map(({ kind, text }) => (
          <Button
            key={kind}
            size="small"
            type={prominent ? "primary" : "dashed"}
            icon={<PlusOutlined />}
            onClick={() => add(kind)}
          >
            {text}
          </Button>
        ))}
      <Dropdown
        trigger={["click"]}
        menu={{
          items: kinds
            .filter(({ kind }) => !FIRST_KINDS.includes(kind))
            .map(({ kind, text }) => ({ key: kind, label: text })),
          onClick: ({ key }) => add(key as Kind),
        }}
      >
        <Button size="small" type="dashed">
          {t("builder.other_kinds")}
        </Button>
      </Dropdown>
    </Space>
  );
}
