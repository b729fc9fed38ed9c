/** What help says: two sentences at most, loaded when somebody first asks. */

import { t } from "../../i18n";

export const due = (): string =>
  t("Tap a line to log what is due. “Not needed” takes it off your list without a record.");

export const incidents = (): string =>
  t("An incident stays here until you log that it is closed. Tap it to say what is new.");

export const referrals = (): string =>
  t("A referral stays here until it comes to an end. “Update” asks how it is going.");

export const toCorrect = (): string =>
  t(
    "Your centre could not use these records as they are. Open one, change what is wrong, and finish it again.",
  );

export const contact = (): string =>
  t("Tap what it was, or the card of the person you met. What you tap is not asked again.");

export const cards = (): string =>
  t(
    "A card ties the records of one person together, without a name. Create one when somebody agrees to it, and pick it each time you log.",
  );

export const consent = (): string =>
  t(
    "The number is what this person agreed to: a higher one allows more. If they want something else, tap “Change consent” in the form.",
  );

export const records = (): string =>
  t(
    "“At the centre” means that your centre has confirmed the record. What waits here is sent automatically when there is a signal.",
  );

export const overview = (): string =>
  t(
    "Each line is an answer: tap it to change it. “Finish” sends the record as soon as there is a signal.",
  );
