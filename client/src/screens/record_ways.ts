/** Where a finished record is, and what can still be done about it. */

import { t } from "../i18n";
import type { Draft } from "../storage/drafts";
import type { OutboxLine } from "../storage/outbox";

export interface RecordWays {
  isOpen: boolean; // it can be changed, or deleted
  isCorrectable: boolean;
  isReplaced: boolean; // it waits, and a newer version of it is on this phone
}

/** Where a sent record is: safe only once the centre holds it in two places. */
function describeSent({ isBoxed, isSafe }: OutboxLine): string {
  if (isSafe) return t("safe: the centre has it in two places");
  if (!isBoxed) return t("at the centre");
  return t("at the centre; a locked copy stays on this phone until the centre has a second one");
}

/** Where a record is: at the centre only once that has signed for it. */
export function describeState(line: OutboxLine): string {
  const states = {
    waiting: t("waits on this phone"),
    delivered: describeSent(line),
    kept: t("with the centre, to be reviewed"),
    deleted: line.isEnded ? t("erased before it was sent") : t("deleted by you"),
  };
  return states[line.state];
}

export function findWays(line: OutboxLine, drafts: Draft[]): RecordWays {
  const isWaiting = line.state === "waiting";
  const isBegun = drafts.some(({ prev }) => prev?.includes(line.id));
  const isReplaced = isWaiting && (isBegun || line.isReplaced === true);
  const isTheirs = line.hasSlip === true; // its person can see it with their slip
  const isSent = line.state === "delivered" && !line.isEnded;
  return {
    isOpen: isWaiting && !isReplaced && !isTheirs,
    isCorrectable: isSent || (isWaiting && !isReplaced && isTheirs),
    isReplaced,
  };
}
