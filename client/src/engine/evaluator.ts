/** Evaluate an AST against a tree of answers; the twin of forms/expressions/evaluator.py. */

import type { Ast, Condition, Path, Step } from "./definition";
import { OF_ALL, OF_SELF, PLAIN } from "./functions";
import type { Node, NodeLists } from "./types";
import { DateValue, equal, less, toBoolean, toNumber, toText, type Value } from "./values";

/**
 * Where an expression is evaluated: the node in hand, the question it belongs to, the clock and the
 * lists. `position` and `size` count within a condition in brackets, as XPath 1.0 has it.
 */
export class Context {
  current: Node;
  position = 1;
  size = 1;

  constructor(
    readonly root: Node,
    readonly node: Node,
    readonly now: DateValue,
    readonly lists: NodeLists,
  ) {
    this.current = node;
  }

  inside(node: Node, position: number, size: number): Context {
    const inner = new Context(this.root, node, this.now, this.lists);
    inner.current = this.current;
    inner.position = position;
    inner.size = size;
    return inner;
  }
}

/** The value of an AST; a path gives the value of its first node, or "" when there is none. */
export function evaluate(ast: Ast, context: Context): Value {
  switch (ast[0]) {
    case "n":
    case "s":
      return ast[1];
    case "path": {
      const value = findSingleNode(ast, context);
      return value === MANY ? (nodes(ast, context)[0]?.value() ?? "") : value;
    }
    case "union":
      return nodes(ast, context)[0]?.value() ?? "";
    case "neg":
      return -toNumber(evaluate(ast[1], context));
    case "op":
      return operate(ast[1], ast[2], ast[3], context);
    case "call":
      return call(ast[1], ast[2], context);
  }
}

const MANY = Symbol("many"); // a path with conditions, or one that leads to several nodes

/**
 * The value at a path that leads from one node to one node, as nearly all do; no lists are made on
 * the way.
 */
function findSingleNode([, origin, steps]: Path, context: Context): Value | typeof MANY {
  if (typeof origin !== "string") return MANY;
  let node = findOrigin(origin, context);
  for (let at = origin === "/" ? 1 : 0; at < steps.length; at++) {
    const step: Step = steps[at]!;
    if (step[0] === "child" && step.length === 2) {
      const children: readonly Node[] = node.childrenNamed(step[1]);
      if (children.length === 0) return "";
      if (children.length > 1) return MANY;
      node = children[0]!;
    } else if (step[0] === "parent" && step.length === 1) {
      if (!node.parent) return "";
      node = node.parent;
    } else if (step[0] !== "self" || step.length > 1) return MANY;
  }
  return node.value();
}

function findOrigin(origin: "/" | "." | "current", context: Context): Node {
  if (origin === "/") return context.root;
  return origin === "." ? context.node : context.current;
}

/** The nodes that a path leads to, in document order. */
export function nodes(ast: Ast, context: Context): readonly Node[] {
  if (ast[0] === "union") return [...new Set(ast[1].flatMap((path) => nodes(path, context)))];
  if (ast[0] === "call") return ast[1] === "randomize" ? randomized(ast[2], context) : [];
  if (ast[0] !== "path") return [];
  const [, origin, steps] = ast;
  if (typeof origin !== "string") return inList(origin[1], steps, context);
  let reached: readonly Node[] = [findOrigin(origin, context)];
  for (let at = origin === "/" ? 1 : 0; at < steps.length; at++)
    reached = take(steps[at]!, reached, context);
  return reached;
}

const unique = (reached: Node[]): Node[] => (reached.length > 1 ? [...new Set(reached)] : reached);

function axis(step: Step, reached: readonly Node[]): readonly Node[] {
  switch (step[0]) {
    case "child":
      return reached.length === 1
        ? reached[0]!.childrenNamed(step[1])
        : reached.flatMap((node) => node.childrenNamed(step[1]));
    case "parent":
      return unique(reached.flatMap((node) => node.parent ?? []));
    case "any":
      return reached.flatMap((node) => node.allChildren());
    default:
      return reached;
  }
}

function take(step: Step, reached: readonly Node[], context: Context): readonly Node[] {
  const conditions = step.slice(step[0] === "child" ? 2 : 1) as Condition[];
  if (conditions.length === 0) return axis(step, reached);
  // A position counts among the children of one parent, so conditions run parent by parent.
  let groups = reached.map((node) => axis(step, [node]));
  for (const condition of conditions)
    groups = groups.map((group) => where(condition[1], group, context));
  return groups.length === 1 ? groups[0]! : groups.flat();
}

function where(condition: Ast, group: readonly Node[], context: Context): readonly Node[] {
  return group.filter((node, index) => {
    const value = evaluate(condition, context.inside(node, index + 1, group.length));
    return typeof value === "number" ? value === index + 1 : toBoolean(value);
  });
}

/**
 * Walk over a list; a condition such as [district = …] finds its rows by an index, not by looking
 * at each.
 */
function inList(name: string, steps: Step[], context: Context): readonly Node[] {
  const root = context.lists.root(name);
  if (!root) return [];
  let reached: readonly Node[] = [root];
  steps.forEach((step, depth) => {
    if (depth === 1 && step[0] === "child" && step[1] === "item" && step.length > 2) {
      const key = parseIndexCondition((step[2] as Condition)[1]);
      const text = key && evaluate(key.value, context);
      if (key && typeof text === "string") {
        reached = context.lists.rowsWith(name, key.column, text);
        for (const condition of step.slice(3) as Condition[])
          reached = where(condition[1], reached, context);
        return;
      }
    }
    reached = take(step, reached, context);
  });
  return reached;
}

interface IndexCondition {
  column: string;
  value: Ast;
}

/** A condition `column = value`, either way round, whose value is the same for every row. */
export function parseIndexCondition(condition: Ast): IndexCondition | null {
  if (condition[0] !== "op" || condition[1] !== "=") return null;
  const [, , left, right] = condition;
  return readIndexCondition(left, right) ?? readIndexCondition(right, left);
}

function readIndexCondition(column: Ast, value: Ast): IndexCondition | null {
  if (column[0] !== "path" || column[1] !== "." || column[2].length !== 1) return null;
  const step = column[2][0]!;
  if (step[0] !== "child" || step.length !== 2) return null;
  const isSame =
    value[0] === "path" ? value[1] === "/" || value[1] === "current" : value[0] === "s";
  return isSame ? { column: step[1], value } : null;
}

const MODULUS = 2_147_483_647;
const MULTIPLIER = 16_807;

/**
 * Items in the order that a seed gives (Park and Miller's generator, Fisher and Yates); the twin of
 * shuffle.py.
 */
export function shuffled<T>(items: readonly T[], seed: number): readonly T[] {
  if (!Number.isFinite(seed)) return items;
  const result = [...items];
  let state = Math.trunc(seed) % MODULUS;
  if (state <= 0) state += MODULUS - 1;
  items.forEach((item, count) => {
    state = (state * MULTIPLIER) % MODULUS;
    const place = Math.floor(((state - 1) / (MODULUS - 1)) * (count + 1));
    result[count] = result[place]!;
    result[place] = item;
  });
  return result;
}

function randomized(args: Ast[], context: Context): readonly Node[] {
  const reached = nodes(args[0]!, context);
  return args[1] ? shuffled(reached, toNumber(evaluate(args[1], context))) : reached;
}

const COMPARE: Record<string, (a: Value, b: Value) => boolean> = {
  "=": equal,
  "!=": (a, b) => !equal(a, b),
  "<": (a, b) => less(a, b, false),
  "<=": (a, b) => less(a, b, true),
  ">": (a, b) => less(b, a, false),
  ">=": (a, b) => less(b, a, true),
};

/**
 * Compare; where a path leads to several nodes it is enough that one of them compares so (XPath
 * 1.0).
 */
function compare(
  test: (a: Value, b: Value) => boolean,
  left: Ast,
  right: Ast,
  context: Context,
): boolean {
  const a = evaluateSide(left, context);
  const b = evaluateSide(right, context);
  if (a !== MANY && b !== MANY) return test(a, b);
  const lefts = a === MANY ? each(left, context) : [a];
  const rights = b === MANY ? each(right, context) : [b];
  return lefts.some((leftValue) => rights.some((rightValue) => test(leftValue, rightValue)));
}

function evaluateSide(ast: Ast, context: Context): Value | typeof MANY {
  if (ast[0] === "union") return MANY;
  return ast[0] === "path" ? findSingleNode(ast, context) : evaluate(ast, context);
}

function each(ast: Ast, context: Context): Value[] {
  const reached = nodes(ast, context);
  return reached.length > 0 ? reached.map((node) => node.value()) : [""];
}

function operate(sign: string, left: Ast, right: Ast, context: Context): Value {
  if (sign === "or")
    return toBoolean(evaluate(left, context)) || toBoolean(evaluate(right, context));
  if (sign === "and")
    return toBoolean(evaluate(left, context)) && toBoolean(evaluate(right, context));
  const comparing = COMPARE[sign];
  if (comparing) return compare(comparing, left, right, context);
  const a = evaluate(left, context);
  const b = evaluate(right, context);
  switch (sign) {
    case "+":
      return toNumber(a) + toNumber(b);
    case "-":
      return toNumber(a) - toNumber(b);
    case "*":
      return toNumber(a) * toNumber(b);
    case "div":
      return toNumber(a) / toNumber(b);
    default:
      return Number.isFinite(toNumber(a)) && Number.isNaN(toNumber(b)) === false
        ? toNumber(a) % toNumber(b)
        : NaN;
  }
}

/**
 * The values of an argument: every node of a path, or the one value of anything else; blanks left
 * out.
 */
function valuesOf(argument: Ast, context: Context): Value[] {
  const isSet = argument[0] === "path" || argument[0] === "union" || argument[1] === "randomize";
  const values = isSet
    ? nodes(argument, context).map((node) => node.value())
    : [evaluate(argument, context)];
  return values.filter((value) => value !== "");
}

const all = (args: Ast[], context: Context): Value[] =>
  args.flatMap((argument) => valuesOf(argument, context));

function call(name: string, args: Ast[], context: Context): Value {
  const plain = PLAIN[name];
  if (plain) return plain(...args.map((argument) => evaluate(argument, context)));
  const ofAll = OF_ALL[name];
  if (ofAll) return ofAll(all(args, context));
  const ofSelf = OF_SELF[name];
  if (ofSelf) return ofSelf(args[0] ? evaluate(args[0], context) : context.node.value());
  return SPECIAL[name]!(args, context);
}

function extreme(choose: (numbers: number[]) => number, args: Ast[], context: Context): number {
  const numbers = all(args, context).map(toNumber);
  return numbers.length === 0 || numbers.some(Number.isNaN) ? NaN : choose(numbers);
}

function uuid(length?: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 15) | 64;
  bytes[8] = (bytes[8]! & 63) | 128;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (length !== undefined) return length > 0 && length <= 32 ? hex.slice(0, length) : "";
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

const SPECIAL: Record<string, (args: Ast[], context: Context) => Value> = {
  coalesce: (args, context) => {
    for (const argument of args) {
      const value = evaluate(argument, context);
      if (value !== "") return value;
    }
    return "";
  },
  count: (args, context) => nodes(args[0]!, context).length,
  if: (args, context) =>
    evaluate(toBoolean(evaluate(args[0]!, context)) ? args[1]! : args[2]!, context),
  join: (args, context) =>
    all(args.slice(1), context)
      .map(toText)
      .join(toText(evaluate(args[0]!, context))),
  "jr:choice-name": (args, context) => {
    const [name, path] = args.map((argument) => toText(evaluate(argument, context)));
    return context.lists.choiceLabel(name!, path!);
  },
  "jr:itext": (args, context) => context.lists.text(toText(evaluate(args[0]!, context))),
  last: (_, context) => context.size,
  max: (args, context) =>
    extreme((numbers) => numbers.reduce((a, b) => (b > a ? b : a)), args, context),
  min: (args, context) =>
    extreme((numbers) => numbers.reduce((a, b) => (b < a ? b : a)), args, context),
  now: (_, context) => context.now,
  once: (args, context) => {
    const answer = context.current.value();
    return answer !== "" ? answer : evaluate(args[0]!, context);
  },
  position: (args, context) =>
    args[0] ? (nodes(args[0], context)[0]?.position() ?? NaN) : context.position,
  pulldata: (args, context) => {
    const [list, result, column, text] = args.map((arg) => toText(evaluate(arg, context)));
    const row = context.lists.rowsWith(list!, column!, text!)[0];
    return row?.childrenNamed(result!)[0]?.value() ?? "";
  },
  random: () => Math.random(),
  randomize: (args, context) => randomized(args, context)[0]?.value() ?? "",
  today: (_, context) => new DateValue(Math.floor(context.now.days)),
  uuid: (args, context) => uuid(args[0] && Math.trunc(toNumber(evaluate(args[0], context)))),
};
