/** Evaluate an AST against a tree of answers; the twin of forms/expressions/evaluator.py. */

import type { Ast, Path } from "./definition";
import { PLAIN } from "./functions";
import { DateValue, equal, less, toBoolean, toNumber, toText, type Value } from "./values";

export interface Node {
  readonly parent: Node | null;
  childrenNamed(name: string): readonly Node[];
  value(): Value;
  position(): number;
}

export interface Context {
  root: Node;
  node: Node;
  now: DateValue;
  choiceLabel(name: string, path: string): string;
}

/** The value of an AST; a path gives the value of its first node, or "" when there is none. */
export function evaluate(ast: Ast, context: Context): Value {
  switch (ast[0]) {
    case "n":
    case "s":
      return ast[1];
    case "path":
      return nodes(ast, context)[0]?.value() ?? "";
    case "neg":
      return -toNumber(evaluate(ast[1], context));
    case "op":
      return operate(ast[1], ast[2], ast[3], context);
    case "call":
      return call(ast[1], ast[2], context);
  }
}

/** The nodes that a path leads to, in document order. */
export function nodes([, origin, steps]: Path, context: Context): Node[] {
  let found: Node[] = [origin === "/" ? context.root : context.node];
  for (const step of origin === "/" ? steps.slice(1) : steps) {
    if (step[0] === "child") found = found.flatMap((node) => node.childrenNamed(step[1]));
    else if (step[0] === "parent") found = [...new Set(found.flatMap((node) => node.parent ?? []))];
  }
  return found;
}

function operate(sign: string, left: Ast, right: Ast, context: Context): Value {
  if (sign === "or") return toBoolean(evaluate(left, context)) || toBoolean(evaluate(right, context));
  if (sign === "and") return toBoolean(evaluate(left, context)) && toBoolean(evaluate(right, context));
  const a = evaluate(left, context);
  const b = evaluate(right, context);
  switch (sign) {
    case "=":
      return equal(a, b);
    case "!=":
      return !equal(a, b);
    case "<":
    case "<=":
      return less(a, b, sign === "<=");
    case ">":
    case ">=":
      return less(b, a, sign === ">=");
    case "+":
      return toNumber(a) + toNumber(b);
    case "-":
      return toNumber(a) - toNumber(b);
    case "*":
      return toNumber(a) * toNumber(b);
    case "div":
      return toNumber(a) / toNumber(b);
    default:
      return toNumber(a) % toNumber(b);
  }
}

/** The values of an argument: every node of a path, or the one value of anything else; blanks left out. */
function valuesOf(argument: Ast, context: Context): Value[] {
  const values =
    argument[0] === "path" ? nodes(argument, context).map((node) => node.value()) : [evaluate(argument, context)];
  return values.filter((value) => value !== "");
}

function call(name: string, given: Ast[], context: Context): Value {
  const plain = PLAIN[name];
  if (plain) return plain(...given.map((argument) => evaluate(argument, context)));
  const first = given[0]!;
  switch (name) {
    case "if":
      return evaluate(toBoolean(evaluate(first, context)) ? given[1]! : given[2]!, context);
    case "coalesce": {
      for (const argument of given) {
        const value = evaluate(argument, context);
        if (value !== "") return value;
      }
      return "";
    }
    case "once": {
      const held = context.node.value();
      return held !== "" ? held : evaluate(first, context);
    }
    case "today":
      return new DateValue(Math.floor(context.now.days));
    case "now":
      return context.now;
    case "position":
      return first[0] === "path" ? (nodes(first, context)[0]?.position() ?? NaN) : NaN;
    case "count":
      return first[0] === "path" ? nodes(first, context).length : NaN;
    case "jr:choice-name":
      return context.choiceLabel(toText(evaluate(first, context)), toText(evaluate(given[1]!, context)));
    default:
      return aggregate(name, given, context);
  }
}

function aggregate(name: string, given: Ast[], context: Context): Value {
  if (name === "join") {
    const parts = given.slice(1).flatMap((argument) => valuesOf(argument, context));
    return parts.map(toText).join(toText(evaluate(given[0]!, context)));
  }
  const values = given.flatMap((argument) => valuesOf(argument, context));
  if (name === "count-non-empty") return values.length;
  const numbers = values.map(toNumber);
  if (name === "sum") return numbers.reduce((sum, number) => sum + number, 0);
  if (numbers.length === 0 || numbers.some(Number.isNaN)) return NaN;
  return name === "max" ? Math.max(...numbers) : Math.min(...numbers);
}
