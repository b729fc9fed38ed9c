/** What a worker usually answers, learnt on this phone and never sent. */

import type { FormDefinition } from "../../engine/definition";
import { readAt } from "../../engine/roles";
import type { Json } from "../../engine/types";
import type { Usual } from "../../storage/vault";

const MOST_COUNTED = 40; // then all counts of a question are halved: habits change

/**
 * The counts with those of a finished record added: of questions with the appearance
 * `likely-first` that stand in no repeat.
 */
export function countUsual(definition: FormDefinition, answers: Json, before: Usual = {}): Usual {
  const usual = { ...before };
  for (const { appearance = "", path } of definition.elements) {
    if (!appearance.split(" ").includes("likely-first")) continue;
    const counts = { ...usual[path] };
    for (const name of readAt(answers, path).split(" ").filter(Boolean)) {
      counts[name] = (counts[name] ?? 0) + 1;
    }
    usual[path] = Math.max(0, ...Object.values(counts)) > MOST_COUNTED ? halve(counts) : counts;
  }
  return usual;
}

function halve(counts: Record<string, number>): Record<string, number> {
  const halves = Object.entries(counts).map(([name, count]) => [name, Math.floor(count / 2)]);
  return Object.fromEntries(halves) as Record<string, number>;
}
