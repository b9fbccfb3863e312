/** The frame of a condition: its chips, its menu, its count and its fault. */

import {
  ArrowDownOutlined,
  ArrowUpOutlined,
  CopyOutlined,
  DeleteOutlined,
  MoreOutlined,
} from "@ant-design/icons";
import { Button, Dropdown, Tag, Tooltip } from "antd";
import { type ReactNode, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { wasInserted } from "../definition/changes";
import { PlaceCount } from "./place_count";
import { PlaceProblem } from "./place_problem";
import type { Option } from "./test_options";

export interface ListPlace {
  index: number;
  total: number;
  move: (places: number) => void;
  duplicate: () => void;
  remove: () => void;
  /** Other lists that the entry can be moved to. */
  elsewhere?: Action[];
}

interface Action {
  key: string;
  label: string;
  act: () => void;
}

interface Props {
  name: string;
  place: string;
  entry: object;
  list: ListPlace;
  options: Option[];
  /** More entries of the menu, besides the options. */
  actions?: Action[];
  children: ReactNode;
}

export function RowFrame({ name, place, entry, list, options, actions = [], children }: Props) {
  const { t } = useTranslation();
  const row = useRef<HTMLFieldSetElement>(null);
  // Only when it is first shown: later replacements of the entry keep the focus where it is.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  useEffect(() => {
    if (wasInserted(entry)) row.current?.querySelector<HTMLElement>("input, button")?.focus();
  }, []);
  /** Removes the condition; the focus goes to its neighbour. */
  const remove = () => {
    const rows = [...(row.current?.parentElement?.querySelectorAll<HTMLElement>(":scope > .row") ?? [])];
    const place = row.current ? rows.indexOf(row.current) : -1;
    const next = rows[place + 1] ?? rows[place - 1];
    list.remove();
    next?.querySelector<HTMLElement>("input, button")?.focus();
  };
  const title = t("builder.row", { name, number: list.index + 1, total: list.total });
  const further = [...actions, ...(list.elsewhere ?? [])];
  const chips = options.filter((option) => option.on);
  return (
    <fieldset className="row" ref={row}>
      <legend className="unseen">{title}</legend>
      <div className="row-body">
        {chips.map((option) => (
          <Tag
            key={option.key}
            color="blue"
            closable
            closeIcon={<DeleteOutlined aria-label={t("builder.remove_option", { option: option.label })} />}
            onClose={(event) => {
              event.preventDefault();
              option.toggle();
            }}
          >
            {option.label}
          </Tag>
        ))}
        {children}
      </div>
      <PlaceCount place={place} />
      <span className="row-tools">
        <Tool label={t("builder.up", { name: title })} disabled={list.index === 0} act={() => list.move(-1)}>
          <ArrowUpOutlined />
        </Tool>
        <Tool
          label={t("builder.down", { name: title })}
          disabled={list.index === list.total - 1}
          act={() => list.move(1)}
        >
          <ArrowDownOutlined />
        </Tool>
        <Tool label={t("builder.duplicate", { name: title })} act={list.duplicate}>
          <CopyOutlined />
        </Tool>
        {options.length + further.length > 0 && (
          <Dropdown
            trigger={["click"]}
            menu={{
              items: [
                ...options.map((option) => ({
                  key: option.key,
                  label: option.on ? `✓ ${option.label}` : option.label,
                })),
                ...further.map(({ key, label }) => ({ key, label })),
              ],
              onClick: ({ key }) => {
                options.find((option) => option.key === key)?.toggle();
                further.find((action) => action.key === key)?.act();
              },
            }}
          >
            <Button
              type="text"
              size="small"
              icon={<MoreOutlined />}
              aria-label={t("builder.more", { name: title })}
            />
          </Dropdown>
        )}
        <Tool label={t("builder.remove", { name: title })} act={remove}>
          <DeleteOutlined />
        </Tool>
      </span>
      <PlaceProblem place={place} />
    </fieldset>
  );
}

interface ToolProps {
  label: string;
  disabled?: boolean;
  act: () => void;
  children: ReactNode;
}

export function Tool({ label, disabled = false, act, children }: ToolProps) {
  return (
    <Tooltip title={label}>
      <Button type="text" size="small" icon={children} aria-label={label} disabled={disabled} onClick={act} />
    </Tooltip>
  );
}
