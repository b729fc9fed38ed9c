/**
 * Slips: with twelve random characters a person sees and lowers their consent, without a name. The
 * twin of sync/slips.py.
 */

import { parseCardCode, CARD_CHARACTERS } from "./cards";
import type { FormDefinition } from "./definition";
import { isChosen, readRole, YES } from "./roles";
import type { Json } from "./types";

const LENGTH = 12;
const GROUP = /.{4}/g;

/**
 * A new slip from twelve random bytes; each gives one of 32 characters, all of them as often, since
 * 256 is 8 times 32.
 */
export function makeSlip(random: Uint8Array): string {
  return [...random.subarray(0, LENGTH)].map((byte) => CARD_CHARACTERS[byte % 32]).join("");
}

/** A slip as it is shown: K7QM 3RXD Q2FA. */
export const splitSlip = (slip: string): string[] => slip.match(GROUP) ?? [];

/** Whether somebody with a card was asked in this record, understood, and said yes. */
export function saidYes(definition: FormDefinition, answers: Json): boolean {
  return (
    parseCardCode(readRole(definition, answers, "person")) !== "" &&
    Number(readRole(definition, answers, "tier")) >= 1 &&
    isChosen(definition, answers, "consent_asked", "conversation") &&
    isChosen(definition, answers, "consent_understood", YES)
  );
}
