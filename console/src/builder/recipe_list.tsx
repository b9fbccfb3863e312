/** What an empty builder offers: recipes of the cookbook, to begin with. */

import { Button, Card } from "antd";
import { useTranslation } from "react-i18next";
import type { Definition } from "../definition/types";
import recipes from "./recipes.json";

export function RecipeList({ choose }: { choose: (definition: Definition) => void }) {
  const { t, i18n } = useTranslation();
  return (
    <Card className="recipes" size="small" title={<h2>{t("builder.recipes")}</h2>}>
      <ul>
        {recipes.map(({ id, title, definition }) => {
          const name = i18n.language === "en" ? title : definition.name;
          return (
            <li key={id}>
              <Button onClick={() => choose({ ...(definition as Definition), name })}>{name}</Button>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}
