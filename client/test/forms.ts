/**
 * Forms for tests, written as the rows of a workbook: makeForm([{ type: "integer", name: "age" }]).
 */

import type { Ast, Choice, Element, FormDefinition, Text, Words } from "../src/engine/definition";
import { Form } from "../src/engine/form";
import type { AnswerNode } from "../src/engine/node";
import type { Json } from "../src/engine/types";
import { DateValue, parseDate } from "../src/engine/values";
import { parse, type PathOf } from "./expressions";

/** A row of a form. Conditions and calculations are expressions; `${name}` stands for a path. */
export interface Row {
  type: string; // a question's type, "group" or "repeat"
  name: string;
  label?: string | Words;
  hint?: string;
  guidance?: string;
  appearance?: string;
  privacy?: string;
  relevant?: string;
  calculate?: string;
  required?: string | true;
  constraint?: string;
  constraintMessage?: string;
  requiredMessage?: string;
  readonly?: string;
  count?: string;
  default?: string;
  firstValue?: string;
  preload?: string;
  choices?: string;
  items?: string;
  itemValue?: string;
  itemLabel?: string;
  parameters?: Record<string, string>;
  triggers?: Record<string, string>; // name of what was answered → what this is set to
  rows?: Row[]; // of a group or repeat
}

/** Lists by name: the names of their choices, or whole choices. */
type Lists = Record<string, (string | Choice)[]>;

interface Extras extends Partial<Omit<FormDefinition, "choices" | "elements">> {
  choices?: Lists;
}

const makeChoice = (choice: string | Choice): Choice =>
  typeof choice === "string" ? { name: choice, label: { en: choice.toUpperCase() } } : choice;

/**
 * The definition of a form, as the centre sends it; answers are computed in the order of the rows.
 */
export function makeForm(rows: Row[], { choices = {}, ...extras }: Extras = {}): FormDefinition {
  const paths = new Map<string, string>();
  listPaths(rows, "/data", paths);
  const pathOf = (name: string): string => {
    const path = paths.get(name);
    if (!path) throw new Error(`There is no ${name} in this form.`);
    return path;
  };
  const elements = rows.flatMap((row) => makeElements(row, "/data", pathOf));
  const lists = Object.entries(choices).map(([name, list]) => [name, list.map(makeChoice)]);
  return {
    schema: 2,
    id: "form",
    version: "1",
    title: { en: "A form" },
    languages: ["en", "fr"],
    style: "",
    elements,
    choices: Object.fromEntries(lists) as Record<string, Choice[]>,
    order: elements.map((element) => element.path),
    summary: {},
    ...extras,
  };
}

function listPaths(rows: Row[], parent: string, paths: Map<string, string>): void {
  for (const row of rows) {
    paths.set(row.name, `${parent}/${row.name}`);
    listPaths(row.rows ?? [], `${parent}/${row.name}`, paths);
  }
}

/** Words with `${name}` in them are pieces, as the centre sends them. */
function makeText(text: string, pathOf: PathOf): Text {
  const pieces = text.split(/(\$\{[\w-]+\})/).filter(Boolean);
  if (pieces.every((piece) => !piece.startsWith("${"))) return text;
  return pieces.map((piece) => (piece.startsWith("${") ? parse(piece, pathOf) : piece));
}

function makeWords(words: string | Words, pathOf: PathOf): Words {
  return typeof words === "string" ? { en: makeText(words, pathOf) } : words;
}

function makeElements(row: Row, parent: string, pathOf: PathOf): Element[] {
  const path = `${parent}/${row.name}`;
  const isInner = row.type === "group" || row.type === "repeat";
  const element: Element = {
    path,
    name: row.name,
    kind: isInner ? (row.type as "group" | "repeat") : "question",
    type: isInner ? "" : row.type,
    parent,
  };
  const expressions: [keyof Element, string | undefined][] = [
    ["relevant", row.relevant],
    ["calculate", row.calculate],
    ["constraint", row.constraint],
    ["count", row.count],
    ["first_value", row.firstValue],
    ["readonly", row.readonly],
    ["items", row.items],
    ["required", row.required === true ? "true()" : row.required],
  ];
  const more: Record<string, unknown> = {};
  for (const [name, text] of expressions) if (text) more[name] = parse(text, pathOf);
  const words: [keyof Element, string | Words | undefined][] = [
    ["label", row.label],
    ["hint", row.hint],
    ["guidance", row.guidance],
    ["constraint_message", row.constraintMessage],
    ["required_message", row.requiredMessage],
  ];
  for (const [name, text] of words) if (text) more[name] = makeWords(text, pathOf);
  const plain: [keyof Element, unknown][] = [
    ["default", row.default],
    ["preload", row.preload],
    ["choices", row.choices],
    ["appearance", row.appearance],
    ["privacy", row.privacy],
    ["item_value", row.itemValue],
    ["item_label", row.itemLabel],
    ["parameters", row.parameters],
    ["triggers", row.triggers && makeTriggers(row.triggers, pathOf)],
  ];
  for (const [name, value] of plain) if (value) more[name] = value;
  const children = (row.rows ?? []).flatMap((child) => makeElements(child, path, pathOf));
  return [Object.assign(element, more), ...children];
}

function makeTriggers(triggers: Record<string, string>, pathOf: PathOf): Record<string, Ast> {
  const entries = Object.entries(triggers);
  return Object.fromEntries(entries.map(([name, text]) => [pathOf(name), parse(text, pathOf)]));
}

/** A clock that stands still. */
export const clockAt = (text: string) => (): DateValue =>
  new DateValue(parseDate(text)!.days, "dateTime");

export const NOON = "2026-11-23T12:00:00";

/**
 * A form being filled, with its nodes by path: filled.at("people/1/name") is of the second person.
 */
export class Filled {
  readonly form: Form;

  constructor(
    rows: Row[] | FormDefinition,
    answers: Json | null = null,
    { now = NOON, remembered = {}, ...extras }: Extras & FillOptions = {},
  ) {
    const definition = Array.isArray(rows) ? makeForm(rows, extras) : rows;
    this.form = new Form(definition, clockAt(now), answers, remembered, WORKER);
  }

  at(path: string): AnswerNode {
    let node: AnswerNode = this.form.root;
    let siblings: readonly AnswerNode[] = [];
    for (const part of path.split("/")) {
      if (!/^\d+$/.test(part)) siblings = node.childrenNamed(part);
      const child = siblings[/^\d+$/.test(part) ? Number(part) : 0];
      if (!child) throw new Error(`There is nothing at ${path}.`);
      node = child;
    }
    return node;
  }

  /** Answer a question as a person does. */
  answer(path: string, text: string): this {
    this.form.set(this.at(path), text);
    return this;
  }

  /** The text of an answer, "" where it is irrelevant. */
  read(path: string): string {
    const node = this.at(path);
    return node.isRelevant ? node.text : "";
  }

  add(path: string): AnswerNode {
    const names = path.split("/");
    const name = names.pop()!;
    const parent = names.length > 0 ? this.at(names.join("/")) : this.form.root;
    const element = this.form.elementsOf(parent).find((child) => child.name === name);
    return this.form.addInstance(parent, element!);
  }

  /** What is wrong, as "where code". */
  problems(): string[] {
    return this.form
      .problems(this.form.root, "en")
      .map(([node, problem]) => `${node.where()} ${problem.code}`);
  }
}

interface FillOptions {
  now?: string;
  remembered?: Record<string, string>;
}

export const WORKER = { username: "amina", deviceid: "device-7" };
