/**
 * Read an expression into an AST, as forms/expressions/parser.py does for the phone: enough of
 * XPath to write tests of the engine in the words of a form. `${name}` is a path from the root.
 */

import type { Ast, Condition, Path, Step } from "../src/engine/definition";

const TOKENS = [
  /\$\{[\w-]+\}/,
  /\d+(?:\.\d+)?/,
  /'[^']*'|"[^"]*"/,
  /!=|<=|>=|[-=<>+*|,()[\]]|\.\.|\.|\//,
  /[\p{L}_][\p{L}\w:.-]*/u,
];
const TOKEN = new RegExp(`\\s*(${TOKENS.map((token) => token.source).join("|")})`, "uy");

const LEVELS = [
  ["or"],
  ["and"],
  ["=", "!="],
  ["<", "<=", ">", ">="],
  ["+", "-"],
  ["*", "div", "mod"],
];

export type PathOf = (name: string) => string;

export function parse(text: string, pathOf: PathOf = (name) => `/data/${name}`): Ast {
  const tokens = tokenize(text);
  const reader = new Reader(tokens, pathOf);
  const ast = reader.readLevel(0);
  if (reader.next !== undefined) throw new Error(`Not understood from ${reader.next} on: ${text}`);
  return ast;
}

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  const trimmed = text.trimEnd();
  while (TOKEN.lastIndex < trimmed.length) {
    const match = TOKEN.exec(trimmed);
    if (!match) throw new Error(`Not understood: ${text}`);
    tokens.push(match[1]!);
  }
  return tokens;
}

class Reader {
  private at = 0;

  constructor(
    private readonly tokens: string[],
    private readonly pathOf: PathOf,
  ) {}

  get next(): string | undefined {
    return this.tokens[this.at];
  }

  private take(): string {
    const token = this.tokens[this.at++];
    if (token === undefined) throw new Error("The expression ends too early.");
    return token;
  }

  private expect(token: string): void {
    const actual = this.take();
    if (actual !== token) throw new Error(`Expected ${token}, not ${actual}.`);
  }

  private skip(token: string): boolean {
    if (this.next !== token) return false;
    this.at++;
    return true;
  }

  readLevel(level: number): Ast {
    const operators = LEVELS[level];
    if (!operators) return this.readUnary();
    let left = this.readLevel(level + 1);
    while (this.next !== undefined && operators.includes(this.next)) {
      const operator = this.take();
      left = ["op", operator, left, this.readLevel(level + 1)];
    }
    return left;
  }

  private readUnary(): Ast {
    if (this.skip("-")) return ["neg", this.readUnary()];
    const first = this.readPrimary();
    if (this.next !== "|") return first;
    const paths = [first as Path];
    while (this.skip("|")) paths.push(this.readPrimary() as Path);
    return ["union", paths];
  }

  private readPrimary(): Ast {
    const token = this.take();
    if (/^\d/.test(token)) return ["n", Number(token)];
    if (/^['"]/.test(token)) return ["s", token.slice(1, -1)];
    if (token === "(") {
      const inner = this.readLevel(0);
      this.expect(")");
      return inner;
    }
    if (token.startsWith("${")) return this.readSteps("/", this.pathOf(token.slice(2, -1)));
    if (token === "/") return this.readSteps("/", `/${this.take()}`);
    if (this.next === "(") return this.readCall(token);
    this.at--;
    return ["path", ".", this.readRelative()];
  }

  private readCall(name: string): Ast {
    this.expect("(");
    const args: Ast[] = [];
    while (!this.skip(")")) {
      args.push(this.readLevel(0));
      if (this.next !== ")") this.expect(",");
    }
    if (name !== "current" && name !== "instance") return ["call", name, args];
    this.expect("/");
    const origin = name === "current" ? "current" : (["instance", String(args[0]![1])] as const);
    return ["path", origin as Path[1], this.readRelative()];
  }

  /** A path from the root whose first steps are given as text. */
  private readSteps(origin: "/", path: string): Ast {
    const names = path.split("/").slice(1);
    const steps: Step[] = names.map((name): Step => ["child", name]);
    const last = steps.pop()!;
    steps.push([...last, ...this.readConditions()] as Step);
    if (this.skip("/")) steps.push(...this.readRelative());
    return ["path", origin, steps];
  }

  private readRelative(): Step[] {
    const steps = [this.readStep()];
    while (this.skip("/")) steps.push(this.readStep());
    return steps;
  }

  private readStep(): Step {
    const token = this.take();
    const conditions = this.readConditions();
    if (token === "..") return ["parent", ...conditions];
    if (token === ".") return ["self", ...conditions];
    if (token === "*") return ["any", ...conditions];
    return ["child", token, ...conditions];
  }

  private readConditions(): Condition[] {
    const conditions: Condition[] = [];
    while (this.skip("[")) {
      conditions.push(["where", this.readLevel(0)]);
      this.expect("]");
    }
    return conditions;
  }
}
