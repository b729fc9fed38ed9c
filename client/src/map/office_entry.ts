/** The map in the office: what the page carries, put into its place. */

import type { Outlines } from "../engine/areas";
import { renderSpotMap } from "./spot_map";
import type { Night, Spots, SpotWords } from "./spot_data";

/** What the page has in #spots-data. */
interface PageData {
  spots: Spots;
  outlines: string; // the address of the outlines, or ""
  viewer: string;
  words: SpotWords;
  night: Night;
}

/** The outlines from an address; null when there are none to be had: the page works without. */
async function fetchOutlines(address: string): Promise<Outlines | null> {
  if (!address) return null;
  try {
    const answer = await fetch(address);
    return answer.ok ? ((await answer.json()) as Outlines) : null;
  } catch {
    return null;
  }
}

const root = document.getElementById("spots");
const text = document.getElementById("spots-data")?.textContent;
if (root && text) {
  const { spots, outlines: address, viewer, words, night } = JSON.parse(text) as PageData;
  const language = document.documentElement.lang;
  void fetchOutlines(address).then((outlines) =>
    renderSpotMap(root, { spots, outlines, viewer, words, language, night }),
  );
}
