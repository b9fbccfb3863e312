/** The tree of an explanation. Signs and words say what colours only repeat. */

import { CheckCircleFilled, CloseCircleFilled } from "@ant-design/icons";
import { Alert, Card } from "antd";
import { useTranslation } from "react-i18next";
import type { ExplainedCluster, ExplainedCondition, ExplainedPart, Explanation } from "../api/contacts";
import { Instant } from "../language/times";
import { WaysToChange } from "./ways_to_change";

export function ExplanationTree({ explanation }: { explanation: Explanation }) {
  const { t } = useTranslation();
  const { member, since, next_change_at: next, parts } = explanation;
  return (
    <div className="explanation">
      <Alert
        type={member ? "success" : "warning"}
        showIcon
        title={member ? t("explain.member") : t("explain.no_member")}
        description={
          <dl className="facts">
            {since && (
              <>
                <dt>{t("explain.since")}</dt>
                <dd>
                  <Instant at={since} />
                </dd>
              </>
            )}
            <dt>{t("explain.next_change")}</dt>
            <dd>{next ? <Instant at={next} /> : t("explain.never")}</dd>
            <dt>{t("explain.at")}</dt>
            <dd>
              <Instant at={explanation.at} />
            </dd>
          </dl>
        }
      />
      <WaysToChange explanation={explanation} />
      {parts.map((part, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: parts have no names of their own and keep their order
        <PartCard key={index} part={part} alone={parts.length === 1} />
      ))}
    </div>
  );
}

function PartCard({ part, alone }: { part: ExplainedPart; alone: boolean }) {
  const { t } = useTranslation();
  const clusters = part.clusters.map((cluster, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: clusters keep their order
    <ClusterBox key={index} cluster={cluster} first={index === 0} />
  ));
  if (alone) return clusters;
  return (
    <Card
      size="small"
      title={
        <>
          <Sign holds={part.holds} /> {t(`relations.${part.relation}`)} {part.name}
        </>
      }
    >
      {clusters}
    </Card>
  );
}

function ClusterBox({ cluster, first }: { cluster: ExplainedCluster; first: boolean }) {
  const { t } = useTranslation();
  return (
    <>
      {!first && <div className="joint">{t("match.and")}</div>}
      <section className={cluster.holds ? "cluster holds" : "cluster fails"}>
        <h2>
          <Sign holds={cluster.holds} /> {t(`match.${cluster.match}_of`)}
        </h2>
        <ul>
          {cluster.conditions.map((one, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: conditions keep their order
            <ConditionEntry key={index} one={one} />
          ))}
        </ul>
      </section>
    </>
  );
}

function ConditionEntry({ one }: { one: ExplainedCondition }) {
  const { t } = useTranslation();
  const latest = one.occurrences?.[0];
  return (
    <li className="explained">
      <Sign holds={one.holds} />
      <div>
        <div>{one.words}</div>
        <div className="quiet found">
          {"value" in one && (
            <span>
              {t("explain.value")} {JSON.stringify(one.value)}
            </span>
          )}
          {one.notes?.map((note) => (
            <span key={note}>{note}</span>
          ))}
          {latest && (
            <span>
              {t("explain.latest")} <Instant at={latest.occurred_at} />
            </span>
          )}
          {one.since && (
            <span>
              {one.holds ? t("explain.holds_since") : t("explain.fails_since")} <Instant at={one.since} />
            </span>
          )}
          {one.may_change_at && (
            <span>
              {t("explain.may_change")} <Instant at={one.may_change_at} />
            </span>
          )}
        </div>
      </div>
    </li>
  );
}

function Sign({ holds }: { holds: boolean }) {
  const { t } = useTranslation();
  return holds ? (
    <CheckCircleFilled className="sign holds" aria-label={t("explain.holds")} />
  ) : (
    <CloseCircleFilled className="sign fails" aria-label={t("explain.fails")} />
  );
}
