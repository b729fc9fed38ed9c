/** Finding a card among many, by what a worker has at hand of it. */

import { simplify } from "../select/choices";

interface OwnCard {
  code: string; // without dashes
  label: string;
}

/**
 * The cards with a piece of their code, or of the worker's own words, in what was typed. I and L
 * stand for 1 in codes, O for 0.
 */
export function findCards<Card extends OwnCard>(cards: Card[], typed: string): Card[] {
  const words = simplify(typed.trim());
  const code = words.replace(/[\s-]/g, "").replace(/[il]/g, "1").replace(/o/g, "0").toUpperCase();
  if (!code) return cards;
  return cards.filter((card) => card.code.includes(code) || simplify(card.label).includes(words));
}
