/** The builder: the conditions on the left, what they mean and select on the right. */

import { Alert, Input, Tabs } from "antd";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { segmentAddress } from "../addresses";
import { type Preview, usePreview } from "../api/preview";
import { Problem } from "../api/request";
import { useBatch, useSaveSegment } from "../api/segments";
import type { Vocabulary } from "../api/vocabulary";
import { isIncomplete } from "../definition/blank";
import { withinDefinition } from "../definition/places";
import type { Cluster, Definition, Part } from "../definition/types";
import { Zone } from "../language/zones";
import { BuilderHead } from "./builder_head";
import { ClusterList } from "./cluster_list";
import { type BuilderKnowledge, Knowledge } from "./context";
import { useDraft } from "./draft";
import { KeyList } from "./key_list";
import { PartList } from "./part_list";
import { PlaceProblem } from "./place_problem";
import { PreviewPanel } from "./preview_panel";
import { RecipeList } from "./recipe_list";
import { SegmentSettings, TimezoneChip } from "./segment_settings";
import { useShortcuts } from "./shortcuts";
import { TextEditor } from "./text_editor";

interface Props {
  draftName: string;
  stored: Definition;
  /** The version that is edited; undefined for a new segment. */
  version: number | undefined;
  vocabulary: Vocabulary;
}

const PAUSE_MS = 350;

export function Builder({ draftName, stored, version, vocabulary }: Props) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const draft = useDraft(draftName, version ?? 0, stored);
  const { definition, change } = draft;
  const save = useSaveSegment();
  const batch = useBatch();
  const { paused: asked, atOnce } = usePaused(isIncomplete(definition) ? undefined : definition);
  // What was counted before the last change is not shown as if it counted the change.
  const isBehind = asked !== definition;
  const preview = usePreview(asked && { ...asked, name: asked.name || t("builder.unnamed") });

  const send = async (calculate: boolean) => {
    try {
      const saved = await save.mutateAsync({ definition, version });
      draft.forget();
      if (calculate && saved.type === "advanced") {
        await batch.mutateAsync({ command: "calculate", segment_ids: [saved.segment_id] });
      }
      navigate(segmentAddress(saved.segment_id));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  };
  const ready = definition.name.trim() !== "" && !isIncomplete(definition) && draft.isChanged;
  const [keysShown, showKeys] = useState(false);
  useShortcuts({
    save: () => ready && send(false),
    undo: draft.undo,
    redo: draft.redo,
    count: () => (isBehind ? atOnce() : void preview.refetch()),
    showKeys: () => showKeys(true),
  });

  const refusal = save.error ?? preview.error;
  const problem =
    refusal instanceof Problem && refusal.path !== undefined
      ? { path: withinDefinition(refusal.path), message: refusal.message }
      : undefined;
  const knowledge: BuilderKnowledge = {
    vocabulary,
    problem,
    counts:
      asked && preview.data && !preview.isPlaceholderData && !isBehind
        ? counts(definition, preview.data)
        : new Map(),
    segmentId: definition.segment_id,
    timezone: definition.timezone,
  };
  const edited = (next: Definition) => {
    save.reset();
    change(next);
  };

  return (
    <Knowledge value={knowledge}>
      <div className="screen">
        <title>{definition.name || t(`builder.new_${definition.type}`)}</title>
        <BuilderHead
          draft={draft}
          isNew={version === undefined}
          ready={ready}
          busy={save.isPending}
          send={send}
          keys={<KeyList open={keysShown} show={showKeys} />}
          cancel={() => navigate(definition.segment_id ? segmentAddress(definition.segment_id) : "/segments")}
        />
        {save.error && !problem && <Alert type="error" showIcon title={save.error.message} />}
        <div className="builder">
          <div>
            <Input
              className="name"
              size="large"
              aria-label={t("segments.name")}
              placeholder={t("segments.name")}
              maxLength={1000}
              value={definition.name}
              onChange={(event) => edited({ ...definition, name: event.target.value })}
            />
            <PlaceProblem place="name" />
            <TimezoneChip value={definition} change={edited} />
            <Tabs
              destroyOnHidden
              items={[
                {
                  key: "form",
                  label: t("segment.conditions"),
                  children: <Conditions value={definition} change={edited} />,
                },
                {
                  key: "text",
                  label: t("builder.as_text"),
                  children: <TextEditor value={definition} change={edited} version={version} />,
                },
                {
                  key: "settings",
                  label: t("builder.settings"),
                  children: <SegmentSettings value={definition} change={edited} />,
                },
              ]}
            />
          </div>
          <Zone value={definition.timezone ?? vocabulary.timezone}>
            <PreviewPanel
              definition={asked}
              preview={preview}
              incomplete={isIncomplete(definition)}
              isBehind={isBehind}
              segmentId={version === undefined ? undefined : definition.segment_id}
            />
          </Zone>
        </div>
      </div>
    </Knowledge>
  );
}

function Conditions({ value, change }: { value: Definition; change: (next: Definition) => void }) {
  if (value.type === "advanced") {
    return <PartList value={value.parts ?? []} change={(parts: Part[]) => change({ ...value, parts })} />;
  }
  const clusters = value.clusters ?? [];
  // A new segment has nothing to lose; in one that has a name already, a recipe keeps the name.
  const begin = (recipe: Definition) => change({ ...value, ...recipe, name: value.name || recipe.name });
  return (
    <>
      {clusters.length === 0 && <RecipeList choose={begin} />}
      <ClusterList
        place="clusters"
        value={clusters}
        change={(next: Cluster[]) => change({ ...value, clusters: next })}
      />
    </>
  );
}

/** Returns the value once it has not changed for a moment, or once `atOnce` is called. */
function usePaused(value: Definition | undefined) {
  const [paused, setPaused] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setPaused(value), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return { paused, atOnce: () => setPaused(value) };
}

function counts(definition: Definition, preview: Preview): Map<string, number> {
  const found = new Map<string, number>();
  preview.compared.parts.forEach((part, partIndex) => {
    const before = definition.type === "advanced" ? `parts[${partIndex}].` : "";
    if (before !== "") found.set(`parts[${partIndex}]`, part.contacts);
    part.clusters.forEach((cluster, clusterIndex) => {
      const place = `${before}clusters[${clusterIndex}]`;
      found.set(place, cluster.contacts);
      cluster.conditions.forEach((condition, index) => {
        found.set(`${place}.conditions[${index}]`, condition.contacts);
      });
    });
  });
  return found;
}
