import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { segmentAddress } from "../addresses";
import type { Use } from "../api/uses";

/** The segments that refer to a segment, drawn as a tree: below each one stand those that refer to it. */
export function Lineage({ of: { users, hidden }, linked = true }: { of: Use; linked?: boolean }) {
  const { t } = useTranslation();
  if (users.length === 0 && hidden === 0) return null;
  return (
    <ul className="lineage">
      {users.map((user) => (
        <li key={user.segment_id}>
          {linked ? <Link to={segmentAddress(user.segment_id)}>{user.name}</Link> : user.name}
          <Lineage of={user} linked={linked} />
        </li>
      ))}
      {hidden > 0 && <li className="quiet">{t("segment.used_in_hidden", { count: hidden })}</li>}
    </ul>
  );
}
