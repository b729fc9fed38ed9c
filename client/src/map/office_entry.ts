/** The map in the office: what the page carries, put into its place. */

import { showSpots, type Spots, type Words } from "./spot_map";

interface Given {
  spots: Spots;
  outlines: string;
  viewer: string;
  words: Words;
}

const root = document.getElementById("spots");
const text = document.getElementById("spots-data")?.textContent;
if (root && text) {
  const given = JSON.parse(text) as Given;
  const outlines = given.outlines
    ? fetch(given.outlines).then((answer) => (answer.ok ? answer.json() : null))
    : null;
  void Promise.resolve(outlines)
    .catch(() => null)
    .then((found) =>
      showSpots(root, given.spots, found, given.viewer, given.words, document.documentElement.lang),
    );
}
