/** Finding a card among many, by what a worker has at hand of it. */

interface OwnCard {
  code: string; // without dashes
  label: string;
}

/** The cards with a piece of their code, or of the worker's own words, in what was typed. */
export function findCards<Card extends OwnCard>(cards: Card[], typed: string): Card[] {
  const words = typed.trim().toUpperCase();
  const code = words.replace(/[\s-]/g, "");
  if (!code) return cards;
  return cards.filter(
    (card) => card.code.includes(code) || card.label.toUpperCase().includes(words),
  );
}
