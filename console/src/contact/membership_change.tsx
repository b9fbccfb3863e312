import { Skeleton } from "antd";
import { useExplanation } from "../api/contacts";
import { Failure } from "../parts/failure";
import { WaysToChange } from "../segment/ways_to_change";

/** What would end a membership, or begin it. */
export function MembershipChange({ segmentId, contactId }: { segmentId: string; contactId: string }) {
  const found = useExplanation(segmentId, contactId);
  if (found.error && !found.data) return <Failure error={found.error} retry={() => found.refetch()} />;
  if (!found.data) return <Skeleton active />;
  return <WaysToChange explanation={found.data} />;
}
