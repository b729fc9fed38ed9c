/** What can still be done about a finished record. */

import type { Draft } from "../storage/drafts";
import type { OutboxLine } from "../storage/outbox";

export interface RecordWays {
  isOpen: boolean; // it can be changed, or deleted
  isCorrectable: boolean;
  isReplaced: boolean; // it waits, and a newer version of it is on this phone
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
