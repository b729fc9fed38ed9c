// How large each piece of the client may be on the wire: bytes after brotli.
// A budget stands 5 to 10 percent above what its piece weighs. When one is hit: look first for what
// came in unseen (a package, code that belongs in a later piece). Where the piece is worth it,
// raise its budget here, in the commit that needs it, with the reason in its message.

export const PHONE = {
  // These two together are the app in one language: 55 KB at most.
  "before sign-in": 19_900, // page, styles, icon, and the scripts of the gate
  "after sign-in": 36_420, // sending, storing, and the screens up to the first question
  // Loaded once Today was drawn: its shift, open incidents, referrals, week; Mine, cards, places.
  "other screens": 12_600,
  enrolment: 860, // beside what sending needs
  exchange: 200, // the same
  // Copies that the centre holds elsewhere, own labels, cards that ended, the first version's rest.
  "rare exchange": 2_600,
  french: 4_600,
  "broken storage": 900,
  "french, later": 7_500, // what only other screens and rare widgets say
  "service worker": 6_000, // which has the hashes of all pieces
  "rare widgets": 5_700, // pictures, sound, scales, orders, scanning, warnings about notes
  overview: 2_360, // of all answers; what follows a form: Back, and the clock of a shift
  "last steps": 4_950, // finishing, slips, taking back: fetched while the worker answers
  "shared later": 3_050, // by pieces that are loaded later: undoing what finishing changed, help
  "crisis team": 2_600, // once it has something for a worker, or they ask for something
  "heat map": 6_250, // with its styles
  "help texts": 800, // once somebody asks
  "rare functions": 2_400, // of the form language: where a form calls one
  "hour shown twice": 900, // in the one night in which clocks are put back
  "QR codes": 2_200, // drawing them
  "QR reading": 14_600, // only where the browser has no reader: iPhones and Firefox
};
export const OTHERS = {
  "form preview": 29_000, // the phone's own questions, in the office
  board: 3_700, // with its sound, ages, and steps that are taken without leaving the page
  "board styles": 1_500,
  passkeys: 800, // on pages that ask for a second step
  "office map": 10_900, // with the library that draws it, which the phone has anyway
  "embedded indicators": 1_800,
  "office styles": 5_000,
  "public styles": 2_950,
};
export const BUDGETS = { ...PHONE, ...OTHERS };

/** All that a phone fetches until the first question can be answered, in French and offline. */
export const FIRST_QUESTION = [
  "before sign-in",
  "enrolment",
  "exchange",
  "after sign-in",
  "french",
  "service worker",
];
export const FIRST_QUESTION_BUDGET = 70 * 1024;

/** Return what of a build is over its budget, in words: sizes are {piece: bytes}. */
export function findExcess(sizes, budgets = BUDGETS) {
  const problems = [];
  for (const [piece, bytes] of Object.entries(sizes)) {
    const budget = budgets[piece];
    if (budget === undefined) problems.push(`${piece} has no budget: give it one in budgets.mjs.`);
    else if (bytes > budget) problems.push(`${piece} weighs ${bytes} bytes, over its ${budget}.`);
  }
  for (const piece of Object.keys(budgets)) {
    if (!(piece in sizes)) problems.push(`${piece} has a budget and is not in the build.`);
  }
  const total = sumFirstQuestion(sizes);
  if (total > FIRST_QUESTION_BUDGET) {
    problems.push(
      `The way to the first question weighs ${total} bytes, over ${FIRST_QUESTION_BUDGET}.`,
    );
  }
  return problems;
}

/** Return how many bytes a phone fetches until the first question. */
export function sumFirstQuestion(sizes) {
  return FIRST_QUESTION.reduce((sum, piece) => sum + (sizes[piece] ?? 0), 0);
}

/** Return sizes and budgets as a table in KB. */
export function formatTable(sizes, budgets = BUDGETS) {
  const rows = Object.entries(sizes).map(([piece, bytes]) => [piece, bytes, budgets[piece] ?? 0]);
  rows.push(["to the first question", sumFirstQuestion(sizes), FIRST_QUESTION_BUDGET]);
  const kilobytes = (bytes) => (bytes / 1024).toFixed(1).padStart(6);
  return rows
    .map(
      ([piece, bytes, budget]) =>
        `  ${piece.padEnd(22)}${kilobytes(bytes)} KB of ${kilobytes(budget)}`,
    )
    .join("\n");
}
