/**
 * Does a note seem to hold what points to a person: a name, a phone number, a licence plate, an
 * address, a birthday? It only warns, so it errs towards warning; what it finds never leaves the
 * screen.
 */

export type Identifier = "name" | "phone" | "plate" | "address" | "birthday" | "online";

const STREETS =
  "street|st|avenue|ave|road|rd|drive|dr|court|crt|crescent|cres|boulevard|blvd|lane|way|place|pl|terrace|rue|chemin|boul";
const MONTHS =
  "january|february|march|april|may|june|july|august|september|october|november|december|janvier|f[ée]vrier|mars|avril|mai|juin|juillet|ao[uû]t|septembre|octobre|novembre|d[ée]cembre";
const PATTERNS: [Identifier, RegExp][] = [
  ["phone", /(?:\+?\d[\s.()-]{0,2}){7,15}(?!\d)/],
  ["online", /(?:^|\s)@[\w.]{3,}|[\w.+-]+@[\w-]+\.\w{2,}/],
  ["online", /\b(?:insta|ig|snap|tiktok|facebook|fb)\s*[:@]\s*\w{3,}/i],
  ["plate", /\b[A-Z]{4}[\s-]?\d{3}\b|\b\d{3}[\s-]?[A-Z]{3}\b|\b[A-Z]{3}[\s-]?\d{3,4}\b/],
  ["plate", /\b(?:plate|plaque)s?\b[^.]{0,12}\d/i],
  [
    "address",
    new RegExp(`\\b\\d{1,5}[a-z]?,?\\s+(?:[\\p{L}.'-]+\\s+){0,3}(?:${STREETS})\\b`, "iu"),
  ],
  ["address", /\b(?:apt|apartment|unit|suite|appartement|appart)\.?\s*#?\s*\d+/i],
  ["address", /\b[A-CEGHJ-NPR-TVXY]\d[A-Z]\s?\d[A-Z]\d\b/i],
  ["birthday", /\b(?:born|birthday|dob|d\.o\.b|née?|anniversaire|date de naissance)\b/i],
  [
    "birthday",
    new RegExp(`\\b\\d{1,2}(?:st|nd|rd|th|er)?\\s+(?:${MONTHS})\\s+(?:19|20)\\d\\d\\b`, "i"),
  ],
  ["name", /\b(?:named|called|name is|name's|goes by|aka|a\.k\.a\.)\s+["“«]?\s*\p{L}/iu],
  ["name", /\b(?:nomm[ée]e?|s'appelle|surnomm[ée]e?)\s+["“«]?\s*\p{L}/iu],
  ["name", /\b(?:mr|mrs|ms|mme|mlle|m\.)\s*\.?\s*\p{Lu}\p{Ll}+/u],
];
// Words that begin with a capital for other reasons than being somebody's name.
const KNOWN = new Set(
  "I English French Arabic Somali Spanish Tamil Portuguese Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May June July August September October November December Toronto Ontario Canada Rexdale Jane Finch TTC OK Ramadan Eid Christmas Easter Lundi Mardi Mercredi Jeudi Vendredi Samedi Dimanche".split(
    " ",
  ),
);

/** A word with a capital that does not begin a sentence. */
function hasName(text: string): boolean {
  for (const match of text.matchAll(
    /(?<before>[\p{L}\d,;:)"”»]['’]?)\s+(?<word>\p{Lu}\p{Ll}{2,})/gu,
  ))
    if (!KNOWN.has(match.groups!["word"]!)) return true;
  return false;
}

/** What the text seems to hold, each kind once. */
export function findIdentifiers(text: string): Identifier[] {
  const kinds = PATTERNS.filter(([, pattern]) => pattern.test(text)).map(([kind]) => kind);
  if (hasName(text)) kinds.push("name");
  return [...new Set(kinds)];
}
