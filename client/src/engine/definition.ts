/** A compiled form as the server sends it (forms/definition.py). */

export type Ast =
  | ["n", number]
  | ["s", string]
  | ["neg", Ast]
  | ["op", string, Ast, Ast]
  | ["call", string, Ast[]]
  | Path
  | ["union", Path[]];
export type Path = ["path", "/" | "." | "current" | ["instance", string], Step[]];
export type Condition = ["where", Ast];
export type Step =
  | ["child", string, ...Condition[]]
  | ["any", ...Condition[]]
  | ["parent", ...Condition[]]
  | ["self", ...Condition[]];

export type Text = string | (string | Ast)[];
export type Words = Record<string, Text>;

export interface Choice {
  name: string;
  label: Words;
  data?: Record<string, string>;
}

export interface Element {
  path: string;
  name: string;
  kind: "question" | "group" | "repeat";
  type: string;
  parent: string;
  label?: Words;
  hint?: Words;
  guidance?: Words;
  appearance?: string;
  parameters?: Record<string, string>;
  choices?: string;
  items?: Ast;
  item_value?: string;
  item_label?: string;
  privacy?: string;
  hierarchy?: string;
  export?: string;
  keep?: string; // the least consent under which it may be kept; it is part of `relevant` already
  relevant?: Ast;
  required?: Ast;
  constraint?: Ast;
  calculate?: Ast;
  count?: Ast;
  default?: string;
  first_value?: Ast;
  triggers?: Record<string, Ast>;
  preload?: string;
  readonly?: Ast | boolean;
  required_message?: Words;
  constraint_message?: Words;
}

export interface FormDefinition {
  schema: 1 | 2;
  id: string;
  version: string;
  title: Words;
  languages: string[];
  style: string;
  elements: Element[];
  choices: Record<string, Choice[]>;
  tables?: Record<string, { columns: string[]; rows: string[][] }>;
  order: string[];
  summary: Record<string, string>;
  role?: string; // what the form is for (engine/roles.ts)
  consent_wording?: string; // hash of what people are asked; it changes with the words
  kept_after_no?: string[]; // paths of what stays when a person did not say yes (forms/consent.py)
}

/** The words in a language, else in any language there is. */
export function inLanguage(words: Words | undefined, language: string): Text {
  if (!words) return "";
  return words[language] || Object.values(words).find((text) => text.length > 0) || "";
}

/**
 * The language that inLanguage gives: the one asked for where there are words in it, else one that
 * has some.
 */
export function languageOf(words: Words | undefined, language: string): string {
  if (!words || words[language]?.length) return language;
  return Object.keys(words).find((code) => words[code]!.length > 0) ?? language;
}

/** What is asked of a day: its month or its year; "" for the whole of it, or where it is no day. */
export function datePartOf({ type, appearance = "" }: Element): "month" | "year" | "" {
  const looks = type === "date" ? appearance.split(" ") : [];
  if (looks.includes("month-year")) return "month";
  return looks.includes("year") ? "year" : "";
}
