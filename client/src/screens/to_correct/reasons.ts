/** Why a record came back to its worker. */

import { t } from "../../i18n";
import type { ReturnedRecord } from "../../storage/caseload";

/** Reasons that no page of the form shows: the worker has to ask somebody first. */
const REASONS: Record<string, () => string> = {
  "consent.stands_at_no": () =>
    t(
      "This person said no before, so nothing of this was stored. Ask them; after a yes, write it again.",
    ),
  "consent.nothing_stands": () =>
    t(
      "The centre has no answer of this person, so nothing of this was stored. Ask them; after a yes, write it again.",
    ),
};

/** Why nothing was stored of a record in which nobody was asked; undefined for any other. */
export function findReason(record?: Pick<ReturnedRecord, "problems">): (() => string) | undefined {
  const problem = record?.problems?.find(({ code }) => code in REASONS);
  return problem && REASONS[problem.code];
}

/** Why a record came back, in words for the worker. */
export function describeReason({ state, comment, problems = [] }: ReturnedRecord): string {
  if (state === "returned")
    return t("Your centre sent it back: “{comment}”", { comment: comment ?? "" });
  const reason = findReason({ problems });
  if (reason) return reason();
  return t(
    "The centre has the record, but could not store it as it is. Review it and finish it again.",
  );
}
