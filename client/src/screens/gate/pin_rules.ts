/** Which PINs may lock a phone. */

import { t } from "../../i18n";

const PIN = /^[0-9]{6,12}$/;
const REPEATED = /^(\d)\1+$/;
const UPWARDS = "01234567890123";
const DOWNWARDS = "98765432109876";

/** Why a PIN cannot be taken, in words for the worker; "" when it can. */
export function describePinProblem(pin: string): string {
  if (!PIN.test(pin)) return t("The PIN needs 6 to 12 digits.");
  if (REPEATED.test(pin) || UPWARDS.includes(pin) || DOWNWARDS.includes(pin)) {
    return t("This PIN is too easy to guess. Choose another one.");
  }
  return "";
}
