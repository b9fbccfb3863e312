import { UserOutlined } from "@ant-design/icons";
import { useTranslation } from "react-i18next";
import { useKnowledge } from "./context";

/** How many contacts pass the condition or cluster at this place. */
export function PlaceCount({ place }: { place: string }) {
  const { t, i18n } = useTranslation();
  const { counts } = useKnowledge();
  const count = counts.get(place);
  if (count === undefined) return null;
  return (
    <span className="place-count numeric" title={t("builder.place_count", { count })}>
      <UserOutlined aria-hidden /> {count.toLocaleString(i18n.language)}
    </span>
  );
}
