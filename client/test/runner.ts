/** Run vectors and forms through the phone's engine: JSON on standard input, JSON on standard output (see tests/conformance). */

import { readFileSync } from "node:fs";
import type { Ast, FormDefinition } from "../src/engine/definition";
import { evaluate } from "../src/engine/evaluator";
import { Form, type AnswerNode, type Json } from "../src/engine/form";
import { DateValue, parseDate, toText, type Value } from "../src/engine/values";

interface Vector {
  ast: Ast;
  definition: FormDefinition;
  answers: Json;
  at: string;
  now: string;
}

interface Filled {
  definition: FormDefinition;
  answers: Json;
  now: string;
}

function clock(text: string): DateValue {
  return new DateValue(parseDate(text)!.days, true);
}

function find(form: Form, path: string): AnswerNode {
  let node = form.root;
  for (const part of path.split("/").filter(Boolean).slice(1)) {
    const [name, index] = part.split(":");
    node = node.childrenNamed(name!)[Number(index ?? 0)]!;
  }
  return node;
}

function typed(value: Value): [string, string] {
  const type = value instanceof DateValue ? (value.hasTime ? "dateTime" : "date") : typeof value;
  return [type, toText(value)];
}

function runVector(vector: Vector): unknown {
  const now = clock(vector.now);
  const form = new Form(vector.definition, () => now, vector.answers);
  const choiceLabel = (name: string, path: string): string => {
    const element = vector.definition.elements.find((one) => one.path === path);
    return form.choiceLabel(element, name, vector.definition.languages[0]!);
  };
  return typed(evaluate(vector.ast, { root: form.root, node: find(form, vector.at), now, choiceLabel }));
}

function runForm(filled: Filled): unknown {
  const now = clock(filled.now);
  const form = new Form(filled.definition, () => now, filled.answers);
  const answers = form.finish();
  const problems = form.problems(form.root, "en").map(([node, problem]) => `${node.where()} ${problem.code}`);
  return { answers, problems: problems.sort() };
}

const given = JSON.parse(readFileSync(0, "utf8")) as {
  vectors: Vector[];
  forms: Filled[];
  definitions: FormDefinition[];
};
const forms = given.forms.map((one) => ({
  ...one,
  definition: given.definitions[one.definition as unknown as number]!,
}));
process.stdout.write(JSON.stringify({ vectors: given.vectors.map(runVector), forms: forms.map(runForm) }));
