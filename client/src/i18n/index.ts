/**
 * The words of the app: English is in the source; other languages are catalogues made from
 * translations/, by short keys.
 */

type Catalogue = Record<string, string | string[]>;
const CATALOGUES: Record<string, () => Promise<Catalogue>> = {
  en: () => Promise.resolve({}),
  fr: () => import("./fr.json").then((module) => module.default as Catalogue),
};
export const LANGUAGES: Record<string, string> = { en: "English", fr: "Français" };

/** Words that only pieces say which are loaded later. */
const LATER: Record<string, () => Promise<Catalogue>> = {
  fr: () => import("./fr_later.json").then((module) => module.default as Catalogue),
};

let language = "en";
let catalogue: Catalogue = {};
let hasLater = false; // a piece is here that says them

/** Speak a language, once its words are here. */
export async function setLanguage(code: string): Promise<void> {
  try {
    catalogue = await (CATALOGUES[code] ?? CATALOGUES["en"]!)();
    language = code in CATALOGUES ? code : "en";
    if (hasLater) await loadLaterWords();
  } catch {
    // its words are not on the phone: go on as before
  }
  document.documentElement.lang = language;
}

/** Load the words of the pieces that are loaded later, together with the first of them. */
export async function loadLaterWords(): Promise<void> {
  hasLater = true;
  const words = await LATER[language]?.();
  catalogue = { ...catalogue, ...words };
}

export function currentLanguage(): string {
  return language;
}

/** The key of a sentence: the last 24 bits of FNV-1a, the twin of tools/catalogues.py. */
function keyOf(text: string): string {
  let number = 2166136261;
  for (let at = 0; at < text.length; at++)
    number = Math.imul(number ^ text.charCodeAt(at), 16777619);
  return (number & 0xffffff).toString(16);
}

function translate(text: string): string | string[] | undefined {
  return language === "en" ? undefined : catalogue[keyOf(text)];
}

function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** A sentence in the current language. */
export function t(text: string, values: Record<string, string | number> = {}): string {
  const own = translate(text);
  return fill(typeof own === "string" ? own : text, values);
}

/** A sentence that depends on a number, which stands in it as {n}. */
export function nt(singular: string, plural: string, n: number): string {
  const own = translate(singular);
  const isOne = language === "fr" ? n < 2 : n === 1;
  if (Array.isArray(own)) return fill(own[isOne ? 0 : 1] ?? plural, { n });
  return fill(isOne ? singular : plural, { n });
}

const RIGHT_TO_LEFT = new Set(["ar", "fa", "he", "ur", "ps", "ckb", "dv", "yi"]);

export function directionOf(code: string): "rtl" | "ltr" {
  return RIGHT_TO_LEFT.has(code.split("-")[0]!) ? "rtl" : "ltr";
}

/** A language in its own words: Français for fr; the code where the browser knows no name. */
export function nameOfLanguage(code: string): string {
  try {
    return new Intl.DisplayNames([code], { type: "language" }).of(code) ?? code;
  } catch {
    return code;
  }
}
