/**
 * Which answer recalculates which: the twin of forms/dependencies.py, turned around. For each path: who reads it, and how
 * far reader and read are the same instance (`scope`, a depth: 1 is the whole form).
 */

import type { Ast, Condition, Element, FormDefinition, Text, Words } from "./definition";

export interface Reader {
  readonly plan: Dependents;
  readonly scope: number;
  readonly isParent?: boolean; // reads it only as what it stands in
}

/** An element with its place in the order, and who must look again when it changes. */
export interface Dependents {
  readonly element: Element;
  readonly order: number;
  readonly parts: string[]; // of the path, without the empty first one
  readonly readers: Reader[]; // compute anew
  readonly viewers: Reader[]; // show anew: labels, messages, rules
  readonly choosers: Reader[]; // offer other choices
  readonly targets: Reader[]; // are set when this is answered
  readsItself: boolean; // in other instances of its repeat: a running total
  readonly isSingle: boolean; // in no repeat, so that there is one node of it
}

type Visit = (path: string, scope: number) => void;
type Children = ReadonlyMap<string, Element[]>;

function visitAll(
  ast: Ast,
  element: string[],
  here: string[] | null,
  scope: number,
  kids: Children,
  visit: Visit,
): void {
  switch (ast[0]) {
    case "path":
      return visitPath(ast, element, here, scope, kids, visit);
    case "op":
      visitAll(ast[2], element, here, scope, kids, visit);
      return visitAll(ast[3], element, here, scope, kids, visit);
    case "neg":
      return visitAll(ast[1], element, here, scope, kids, visit);
    case "call":
      for (const part of ast[2]) visitAll(part, element, here, scope, kids, visit);
      return;
    case "union":
      for (const part of ast[1]) visitAll(part, element, here, scope, kids, visit);
  }
}

function visitPath(
  [, origin, given]: Extract<Ast, ["path", ...unknown[]]>,
  element: string[],
  here: string[] | null,
  scope: number,
  kids: Children,
  visit: Visit,
): void {
  let parts: string[] | null = null;
  let steps = given;
  if (origin === "/") {
    parts = [steps[0]?.[0] === "child" ? steps[0][1] : "data"];
    scope = 1;
    steps = steps.slice(1);
  } else if (origin === "current") {
    parts = element;
    scope = element.length;
  } else if (origin === ".") parts = here;
  const isSelf = origin !== "/" && steps.every((step) => step[0] === "self" && step.length === 1);
  for (const step of steps) {
    let found: (string[] | null)[] = [parts];
    if (parts && step[0] === "child") found = [(parts = [...parts, step[1]])];
    else if (parts && step[0] === "parent") {
      parts = parts.slice(0, -1);
      scope = Math.min(scope, parts.length);
      found = [parts];
    } else if (parts && step[0] === "any") {
      found = (kids.get(`/${parts.join("/")}`) ?? []).map((child) => child.path.split("/").slice(1));
      for (const child of found) visit(`/${child!.join("/")}`, scope);
    }
    for (const condition of step.slice(step[0] === "child" ? 2 : 1) as Condition[])
      for (const place of found.length > 0 ? found : [null]) visitAll(condition[1], element, place, scope, kids, visit);
  }
  if (parts && !isSelf) visit(`/${parts.join("/")}`, scope);
}

const shown = (words: Words | undefined): Ast[] =>
  Object.values(words ?? {}).flatMap((text: Text) =>
    typeof text === "string" ? [] : text.filter((part): part is Ast => typeof part !== "string"),
  );

const present = (asts: (Ast | boolean | undefined)[]): Ast[] => asts.filter((ast): ast is Ast => Array.isArray(ast));

/** The plan of every element, by path. */
export function buildReaders(definition: FormDefinition, kids: Children): Map<string, Dependents> {
  const plans = new Map<string, Dependents>();
  const repeats = new Set(definition.elements.filter((one) => one.kind === "repeat").map((one) => one.path));
  const order = new Map(definition.order.map((path, index) => [path, index]));
  for (const element of definition.elements) {
    const parts = element.path.split("/").slice(1);
    const place = order.get(element.path) ?? 0;
    plans.set(element.path, {
      element,
      order: place,
      parts,
      readers: [],
      viewers: [],
      choosers: [],
      targets: [],
      readsItself: false,
      isSingle: !parts.some((_, index) => repeats.has(`/${parts.slice(0, index + 1).join("/")}`)),
    });
  }
  for (const plan of plans.values()) {
    const { element, parts } = plan;
    const add = (asts: Ast[], list: "readers" | "viewers" | "choosers"): void => {
      const seen = new Set<string>();
      for (const ast of asts)
        visitAll(ast, parts, parts, parts.length, kids, (path, scope) => {
          if (path === element.path && list === "readers") plan.readsItself = true;
          const key = `${scope}${path}`;
          if (seen.has(key)) return;
          seen.add(key);
          plans.get(path)?.[list].push({ plan, scope });
        });
    };
    add(present([element.relevant, element.calculate, element.count]), "readers");
    plans.get(element.parent)?.readers.push({ plan, scope: parts.length - 1, isParent: true });
    const texts = [element.label, element.hint, element.guidance, element.required_message, element.constraint_message];
    const list = element.items ? [] : (definition.choices[element.choices ?? ""] ?? []);
    const labels = list.flatMap((choice) => shown(choice.label));
    add(
      [...present([element.required, element.constraint, element.readonly]), ...texts.flatMap(shown), ...labels],
      "viewers",
    );
    add(present([element.items]), "choosers");
    for (const source of Object.keys(element.triggers ?? {})) {
      const from = plans.get(source);
      let scope = 1;
      while (from && scope < parts.length - 1 && from.parts[scope] === parts[scope] && scope < from.parts.length - 1)
        scope++;
      from?.targets.push({ plan, scope });
    }
  }
  return plans;
}
