/**
 * Which answer recalculates which: the twin of forms/dependencies.py, turned around. For each path:
 * who reads it, and how far reader and read are the same instance (`scope`, a depth: 1 is the whole
 * form).
 */

import type {
  Ast,
  Condition,
  Element,
  FormDefinition,
  Path,
  Step,
  Text,
  Words,
} from "./definition";

export interface Reader {
  readonly by: Dependents;
  readonly scope: number;
  readonly isParent?: boolean; // reads it only as what it stands in
}

/** An element with its place in the order, and who depends on its answer. */
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

type Children = ReadonlyMap<string, Element[]>;

/** Where in the form a path has led to; `parts` is null where that is in no form, but in a list. */
interface Place {
  readonly parts: string[] | null;
  readonly scope: number;
}

/** A search for all that an expression of one element reads. */
interface Search {
  readonly element: string[]; // the parts of its path
  readonly children: Children;
  readonly visit: (path: string, scope: number) => void;
}

const toPath = (parts: string[]): string => `/${parts.join("/")}`;

const toParts = (path: string): string[] => path.split("/").slice(1);

function visitAll(ast: Ast, place: Place, search: Search): void {
  switch (ast[0]) {
    case "path":
      return visitPath(ast, place, search);
    case "op":
      visitAll(ast[2], place, search);
      return visitAll(ast[3], place, search);
    case "neg":
      return visitAll(ast[1], place, search);
    case "call":
      return ast[2].forEach((argument) => visitAll(argument, place, search));
    case "union":
      return ast[1].forEach((path) => visitAll(path, place, search));
  }
}

function visitPath([, origin, steps]: Path, from: Place, search: Search): void {
  let place = findStart(origin, steps, from, search.element);
  for (const step of origin === "/" ? steps.slice(1) : steps) {
    place = move(place, step);
    const { scope } = place;
    let reached: (string[] | null)[] = [place.parts];
    if (step[0] === "any" && place.parts) {
      const children = search.children.get(toPath(place.parts)) ?? [];
      for (const { path } of children) search.visit(path, scope);
      reached = children.length > 0 ? children.map(({ path }) => toParts(path)) : [null];
    }
    for (const [, condition] of conditionsOf(step))
      for (const parts of reached) visitAll(condition, { parts, scope }, search);
  }
  const isSelf = origin !== "/" && steps.every((step) => step[0] === "self" && step.length === 1);
  if (place.parts && !isSelf) search.visit(toPath(place.parts), place.scope);
}

function findStart(origin: Path[1], steps: Step[], from: Place, element: string[]): Place {
  if (origin === "/") {
    const first = steps[0];
    return { parts: [first?.[0] === "child" ? first[1] : "data"], scope: 1 };
  }
  if (origin === "current") return { parts: element, scope: element.length };
  return origin === "." ? from : { parts: null, scope: from.scope };
}

function move({ parts, scope }: Place, step: Step): Place {
  if (parts && step[0] === "child") return { parts: [...parts, step[1]], scope };
  if (!parts || step[0] !== "parent") return { parts, scope };
  const outer = parts.slice(0, -1);
  return { parts: outer, scope: Math.min(scope, outer.length) };
}

const conditionsOf = (step: Step): Condition[] =>
  step.slice(step[0] === "child" ? 2 : 1) as Condition[];

const isAst = (part: Ast | string | boolean | undefined): part is Ast => Array.isArray(part);

/** The expressions within words. */
const listShown = (words: Words | undefined): Ast[] =>
  Object.values(words ?? {}).flatMap((text: Text) =>
    typeof text === "string" ? [] : text.filter(isAst),
  );

function listRules({ required, constraint, readonly: isReadonly }: Element): Ast[] {
  return [required, constraint, isReadonly].filter(isAst);
}

function listTexts(element: Element, definition: FormDefinition): Ast[] {
  const { label, hint, guidance, required_message, constraint_message } = element;
  const texts = [label, hint, guidance, required_message, constraint_message];
  const choices = element.items ? [] : (definition.choices[element.choices ?? ""] ?? []);
  return [...texts, ...choices.map((choice) => choice.label)].flatMap(listShown);
}

function makeDependents(definition: FormDefinition): Map<string, Dependents> {
  const order = new Map(definition.order.map((path, index) => [path, index]));
  const repeats = definition.elements
    .filter(({ kind }) => kind === "repeat")
    .map(({ path }) => path);
  const isInRepeat = (path: string): boolean =>
    repeats.some((repeat) => path === repeat || path.startsWith(`${repeat}/`));
  return new Map(
    definition.elements.map((element) => [
      element.path,
      {
        element,
        order: order.get(element.path) ?? 0,
        parts: toParts(element.path),
        readers: [],
        viewers: [],
        choosers: [],
        targets: [],
        readsItself: false,
        isSingle: !isInRepeat(element.path),
      },
    ]),
  );
}

/**
 * Who depends on each element, by its path. `children` are the elements by the path of their
 * parent.
 */
export function buildReaders(
  definition: FormDefinition,
  children: Children,
): Map<string, Dependents> {
  const all = makeDependents(definition);
  for (const by of all.values()) {
    const { element, parts } = by;
    const add = (asts: Ast[], list: "readers" | "viewers" | "choosers"): void => {
      const seen = new Set<string>();
      const visit = (path: string, scope: number): void => {
        if (path === element.path && list === "readers") by.readsItself = true;
        const key = `${scope}${path}`;
        if (!seen.has(key)) all.get(path)?.[list].push({ by, scope });
        seen.add(key);
      };
      for (const ast of asts)
        visitAll(ast, { parts, scope: parts.length }, { element: parts, children, visit });
    };
    add([element.relevant, element.calculate, element.count].filter(isAst), "readers");
    all.get(element.parent)?.readers.push({ by, scope: parts.length - 1, isParent: true });
    add([...listRules(element), ...listTexts(element, definition)], "viewers");
    add([element.items].filter(isAst), "choosers");
    for (const path of Object.keys(element.triggers ?? {})) {
      const source = all.get(path);
      source?.targets.push({ by, scope: countShared(source.parts, parts) });
    }
  }
  return all;
}

/** How deep two paths lead the same way, before the last part of either. */
function countShared(source: string[], target: string[]): number {
  const limit = Math.min(source.length, target.length) - 1;
  let scope = 1;
  while (scope < limit && source[scope] === target[scope]) scope++;
  return scope;
}
