/**
 * Run vectors and forms through the phone's engine: JSON on standard input, JSON on standard output
 * (see tests/conformance).
 */

import { readFileSync } from "node:fs";
import { findAreasAround, findGridCell } from "../src/engine/areas";
import { formatCardCode, makeCardCode, parseCardCode } from "../src/engine/cards";
import type { Ast, FormDefinition } from "../src/engine/definition";
import { digest } from "../src/engine/digest";
import { Context, evaluate } from "../src/engine/evaluator";
import { Form } from "../src/engine/form";
import { loadFunctions } from "../src/engine/load_functions";
import type { AnswerNode } from "../src/engine/node";
import {
  ENCOUNTER,
  findAreaList,
  findChoice,
  findFormWithRole,
  FOLLOW_UP_VISIT,
  isChosen,
  KIND,
  MINUTES,
  readMinutes,
  readRole,
  REFERRAL_MADE,
  YES,
} from "../src/engine/roles";
import type { Json } from "../src/engine/types";
import { findIdentifiers } from "../src/engine/identifiers_in_text";
import { addFinishedRecord, applyPulledChanges } from "../src/storage/caseload_updates";
import { DateValue, parseDate, toText, type Value } from "../src/engine/values";

interface Vector {
  ast: Ast;
  definition: FormDefinition;
  answers: Json;
  at: string;
  now: string;
}

/** What a worker does: set a question to a text, add an instance to a repeat, remove filled. */
type Step = ["set", string, string] | ["add", string, string] | ["remove", string];

interface Filled {
  definition: FormDefinition;
  answers: Json | null;
  steps?: Step[];
  now: string;
}

function clock(text: string): DateValue {
  return new DateValue(parseDate(text)!.days, "dateTime");
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
  const type = value instanceof DateValue ? value.kind : typeof value;
  return [type, toText(value)];
}

function runVector(vector: Vector): unknown {
  const now = clock(vector.now);
  const form = new Form(vector.definition, () => now, vector.answers);
  return typed(
    evaluate(vector.ast, new Context(form.root, find(form, vector.at), now, form.lists)),
  );
}

/** Take a step if there is still such a place: steps are made up by chance. */
function take(form: Form, step: Step): void {
  const node = seek(form, step[1]);
  if (!node) return;
  if (step[0] === "set") {
    if (node.isRelevant && !node.element.calculate) form.set(node, step[2]);
  } else if (step[0] === "remove") {
    if (node.element.kind === "repeat" && !node.element.count) form.removeInstance(node);
  } else {
    const element = form.elementsOf(node).find(({ name }) => name === step[2]);
    if (element && !element.count) form.addInstance(node, element);
  }
}

function seek(form: Form, path: string): AnswerNode | undefined {
  try {
    return find(form, path);
  } catch {
    return undefined;
  }
}

function runForm(filled: Filled): unknown {
  const now = clock(filled.now);
  const form = new Form(filled.definition, () => now, filled.answers);
  for (const step of filled.steps ?? []) take(form, step);
  const before = JSON.stringify(form.toJson());
  const answers = form.finish();
  // What was computed step by step is what comes of computing it all.
  const isSettled = before === JSON.stringify(answers);
  const problems = form
    .problems(form.root, "en")
    .map(([node, problem]) => `${node.where()} ${problem.code}`);
  return { answers, problems: problems.sort(), isSettled, refused_by: form.refusedBy() };
}

const text = readFileSync(0, "utf8");
await loadFunctions(text);
const input = JSON.parse(text) as {
  vectors: Vector[];
  forms: Filled[];
  definitions: FormDefinition[];
  calls?: [string, ...unknown[]][];
};
const forms = input.forms.map((filled) => ({
  ...filled,
  definition: input.definitions[filled.definition as unknown as number]!,
}));
/** Parts of the phone that stand alone, by name. */
const PARTS: Record<string, (...args: never[]) => unknown> = {
  digest: (text: string, algorithm: string) => digest(text, algorithm, "hex"),
  findIdentifiers,
  parseCardCode,
  formatCardCode,
  makeCardCode: (bytes: number[]) => makeCardCode(new Uint8Array(bytes)),
  findAreasAround,
  findGridCell,
  applyPulledChanges,
  addFinishedRecord,
  readRoles: (definition: FormDefinition, answers: Json) => ({
    hasReferral: isChosen(definition, answers, REFERRAL_MADE, YES),
    minutes: readMinutes([definition]).get(readRole(definition, answers, MINUTES)) ?? 0,
    visit: findChoice(definition, KIND, FOLLOW_UP_VISIT)?.name ?? "",
    areas: definition.choices[findAreaList([definition])]?.length ?? 0,
    isMain: findFormWithRole([definition], ENCOUNTER) !== undefined,
  }),
};
const calls = (input.calls ?? []).map(([name, ...rest]) => PARTS[name]!(...(rest as never[])));
process.stdout.write(
  JSON.stringify({ vectors: input.vectors.map(tried), forms: forms.map(runForm), calls }),
);

/**
 * A vector's value; a failure of the evaluator itself counts as a result, so that one does not hide
 * the others.
 */
function tried(vector: Vector): unknown {
  try {
    return runVector(vector);
  } catch (error) {
    return ["failure", String(error)];
  }
}
