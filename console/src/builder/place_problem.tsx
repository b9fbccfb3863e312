import { Alert } from "antd";
import { belongsTo } from "../definition/places";
import { useKnowledge } from "./context";

/** The fault that the API found at this place, if there is one. */
export function PlaceProblem({ place }: { place: string }) {
  const { problem } = useKnowledge();
  if (!problem || !belongsTo(problem.path, place)) return null;
  return <Alert className="place-problem" type="error" showIcon title={problem.message} />;
}
