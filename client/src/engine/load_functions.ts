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

/** Fetch what a form calls beyond what is always there; its compiled text names each function. */
export async function loadFunctions(text: string): Promise<void> {
  if (!RARE.some((name) => text.includes(`"${name}"`))) return;
  const { RARE_OF_ALL, RARE_PLAIN } = await import("./rare_functions");
  Object.assign(PLAIN, RARE_PLAIN);
  Object.assign(OF_ALL, RARE_OF_ALL);
}
