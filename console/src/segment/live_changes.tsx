import { useState } from "react";
import { useChanges } from "../api/changes";
import { ChangeList } from "../live/change_list";
import { Following } from "../live/following";

/** 实时变化 of one segment: who enters and leaves it, as it happens, and why. */
export function LiveChanges({ segmentId }: { segmentId: string }) {
  const [paused, setPaused] = useState(false);
  const { changes, connected, skipped } = useChanges({ segment: segmentId, contact: "", change: "" }, paused);
  return (
    <>
      <div className="toolbar">
        <Following connected={connected} paused={paused} pause={setPaused} />
      </div>
      <ChangeList changes={changes} skipped={skipped} ofOneSegment />
    </>
  );
}
