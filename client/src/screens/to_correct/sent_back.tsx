/** Why a record came back, in sight while it is corrected. */

import { t } from "../../i18n";
import type { ReturnedRecord } from "../../storage/caseload";
import { describeReason } from "./reasons";

const SHORT = 90; // characters that need no folding

export function SentBack({ record }: { record: ReturnedRecord }) {
  const reason = describeReason(record);
  if (reason.length <= SHORT) return <p class="state wait">{reason}</p>;
  return (
    <details class="card">
      <summary>
        {reason.slice(0, SHORT - 20)}… <span class="link">{t("Show all")}</span>
      </summary>
      <p>{reason}</p>
    </details>
  );
}
