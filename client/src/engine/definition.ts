/** A compiled form as the server sends it (forms/definition.py). */

export type Ast =
  ["n", number] | ["s", string] | ["neg", Ast] | ["op", string, Ast, Ast] | ["call", string, Ast[]] | Path;
export type Path = ["path", "/" | "." | "current", Step[]];
export type Step = ["child", string] | ["parent"] | ["self"];

export type Text = string | (string | Ast)[];
export type Words = Record<string, Text>;

export interface Choice {
  name: string;
  label: Words;
}

export interface Element {
  path: string;
  name: string;
  kind: "question" | "group" | "repeat";
  type: string;
  parent: string;
  label?: Words;
  hint?: Words;
  appearance?: string;
  choices?: string;
  privacy?: string;
  relevant?: Ast;
  required?: Ast;
  constraint?: Ast;
  calculate?: Ast;
  default?: string;
  first_value?: Ast;
  readonly?: boolean;
  required_message?: Words;
  constraint_message?: Words;
}

export interface FormDefinition {
  schema: 1;
  id: string;
  version: string;
  title: Words;
  languages: string[];
  style: string;
  elements: Element[];
  choices: Record<string, Choice[]>;
  order: string[];
  reads: Record<string, string[]>;
  summary: Record<string, string>;
}

/** The words in a language, else in any language there is. */
export function inLanguage(words: Words | undefined, language: string): Text {
  if (!words) return "";
  return words[language] || Object.values(words).find((text) => text.length > 0) || "";
}
