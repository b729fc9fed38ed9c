/** Functions that few forms call are fetched with the forms that do. */

import { OF_ALL, PLAIN } from "./functions";

export const RARE = [
  "area",
  "base64-decode",
  "checklist",
  "digest",
  "distance",
  "geofence",
  "weighted-checklist",
];

/** A call in a compiled form; the names alone are also those of questions and roles. */
const CALL = new RegExp(`"call", ?"(${RARE.join("|")})"`);

/** Fetch what a form calls beyond what is always there; its compiled text names each function. */
export async function loadFunctions(text: string): Promise<void> {
  if (!CALL.test(text)) return;
  const { RARE_OF_ALL, RARE_PLAIN } = await import("./rare_functions");
  Object.assign(PLAIN, RARE_PLAIN);
  Object.assign(OF_ALL, RARE_OF_ALL);
}
