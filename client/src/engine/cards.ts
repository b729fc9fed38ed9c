/**
 * Card codes: eight random characters of Crockford's base 32 and a check character (value mod 37).
 * Nothing of a person is in them.
 */

export const CARD_CHARACTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CHECKS = CARD_CHARACTERS + "*~$=U";
const LENGTH = 8;

function checkOf(signs: string): string {
  let value = 0;
  for (const sign of signs) value = (value * 32 + CARD_CHARACTERS.indexOf(sign)) % 37;
  return CHECKS[value]!;
}

/** A new code from as many random bytes as it has characters; each byte gives one of 32. */
export function makeCardCode(random: Uint8Array): string {
  const signs = [...random.subarray(0, LENGTH)].map((byte) => CARD_CHARACTERS[byte % 32]).join("");
  return signs + checkOf(signs);
}

/**
 * What was typed or scanned as the nine characters of a code; "" when it is none. I and L are read
 * as 1, O as 0.
 */
export function parseCardCode(text: string): string {
  const typed = text.trim().toUpperCase().replace(/[-\s]/g, "");
  const signs = typed.slice(0, LENGTH).replace(/[IL]/g, "1").replace(/O/g, "0");
  const whole = signs + typed.slice(LENGTH);
  const isCode =
    whole.length === LENGTH + 1 && [...signs].every((sign) => CARD_CHARACTERS.includes(sign));
  return isCode && checkOf(signs) === whole[LENGTH] ? whole : "";
}

/** K7QM-3RXDQ, as on a card. */
export function formatCardCode(code: string): string {
  return `${code.slice(0, 4)}-${code.slice(4)}`;
}
