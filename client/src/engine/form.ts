/** A form being filled: the tree of answers and its logic. The twin of forms/answers.py and forms/validation.py. */

import { inLanguage, type Ast, type Element, type FormDefinition, type Text } from "./definition";
import { evaluate, type Context, type Node } from "./evaluator";
import { DateValue, isNumber, parseDate, toBoolean, toText, type Value } from "./values";

export type Json = { [name: string]: Json | Json[] | string };
export type Problem = { code: "required" | "type" | "constraint"; message: Text };

const MAX_TEXT = 4000;
const ROOT: Element = { path: "/data", name: "data", kind: "group", type: "", parent: "" };

export class AnswerNode implements Node {
  readonly children = new Map<string, AnswerNode[]>();
  text = "";
  isRelevant = true;

  constructor(
    readonly element: Element,
    readonly parent: AnswerNode | null,
  ) {}

  childrenNamed(name: string): readonly AnswerNode[] {
    return this.children.get(name) ?? [];
  }

  value(): Value {
    if (!this.isRelevant || !this.text) return "";
    const type = this.element.type;
    if (type === "integer" || type === "decimal") return isNumber(this.text) ? Number(this.text) : this.text;
    if (type === "date" || type === "dateTime") return parseDate(this.text) ?? this.text;
    return this.text;
  }

  position(): number {
    return this.parent ? this.parent.childrenNamed(this.element.name).indexOf(this) + 1 : 1;
  }

  /** The dotted name with the position in repeats, unique in the form: followup[2].outcome. */
  where(): string {
    if (!this.parent) return "";
    const here = this.element.kind === "repeat" ? `${this.element.name}[${this.position()}]` : this.element.name;
    return [this.parent.where(), here].filter(Boolean).join(".");
  }
}

export class Form {
  readonly root = new AnswerNode(ROOT, null);
  private readonly childElements = new Map<string, Element[]>();
  private readonly byPath = new Map<string, Element>();

  constructor(
    readonly definition: FormDefinition,
    private readonly clock: () => DateValue,
    answers: Json | null = null,
    remembered: Record<string, string> = {},
  ) {
    for (const element of definition.elements) {
      this.byPath.set(element.path, element);
      const siblings = this.childElements.get(element.parent) ?? [];
      siblings.push(element);
      this.childElements.set(element.parent, siblings);
    }
    this.fill(this.root, answers ?? {});
    if (!answers) {
      this.applyDefaults(this.root);
      for (const [path, text] of Object.entries(remembered)) for (const node of this.at(path)) node.text = text;
    }
    this.recalculate(null);
  }

  elementsOf(node: AnswerNode): Element[] {
    return this.childElements.get(node.element.path) ?? [];
  }

  private fill(node: AnswerNode, answers: Json): void {
    for (const element of this.elementsOf(node)) {
      const given = answers[element.name];
      const instances = element.kind === "repeat" ? (Array.isArray(given) ? given : []) : [given];
      const children = instances.map((instance) => {
        const child = new AnswerNode(element, node);
        if (element.kind === "question") child.text = typeof given === "string" ? given : "";
        else this.fill(child, typeof instance === "object" && !Array.isArray(instance) ? instance : {});
        return child;
      });
      node.children.set(element.name, children);
    }
  }

  private applyDefaults(node: AnswerNode): void {
    for (const child of [...node.children.values()].flat()) {
      const { default: fixed, first_value: computed } = child.element;
      if (computed) child.text = toText(evaluate(computed, this.context(child)));
      else if (fixed) child.text = fixed;
      if (child.element.type === "dateTime") child.text = child.text.slice(0, 16);
      this.applyDefaults(child);
    }
  }

  private context(node: AnswerNode): Context {
    return {
      root: this.root,
      node,
      now: this.clock(),
      choiceLabel: (name, path) => this.choiceLabel(this.byPath.get(path), name, this.definition.languages[0] ?? "en"),
    };
  }

  choiceLabel(element: Element | undefined, name: string, language: string): string {
    const choice = this.definition.choices[element?.choices ?? ""]?.find((one) => one.name === name);
    return (choice && this.plain(inLanguage(choice.label, language), this.root)) || name;
  }

  /** Words with the answers that they show filled in. */
  plain(text: Text, node: AnswerNode): string {
    if (typeof text === "string") return text;
    return text.map((part) => (typeof part === "string" ? part : toText(evaluate(part, this.context(node))))).join("");
  }

  private at(path: string): AnswerNode[] {
    let found = [this.root];
    for (const name of path.split("/").slice(2)) found = found.flatMap((node) => node.children.get(name) ?? []);
    return found;
  }

  /** Compute relevance and calculations: everything, or only what reads from what changed. */
  private recalculate(changed: Set<string> | null): void {
    for (const path of this.definition.order) {
      const reads = this.definition.reads[path] ?? [];
      if (changed && !changed.has(path) && !reads.some((read) => changed.has(read))) continue;
      const element = this.byPath.get(path)!;
      for (const node of this.at(path)) {
        const context = this.context(node);
        const wasRelevant = node.isRelevant;
        const before = node.text;
        node.isRelevant =
          node.parent!.isRelevant && (!element.relevant || toBoolean(evaluate(element.relevant, context)));
        if (element.calculate) node.text = node.isRelevant ? toText(evaluate(element.calculate, context)) : "";
        if (changed && (wasRelevant !== node.isRelevant || before !== node.text)) changed.add(path);
      }
    }
  }

  set(node: AnswerNode, text: string): void {
    if (node.text === text) return;
    node.text = text;
    this.recalculate(new Set([node.element.path]));
  }

  addInstance(parent: AnswerNode, element: Element): AnswerNode {
    const node = new AnswerNode(element, parent);
    this.fill(node, {});
    parent.children.get(element.name)!.push(node);
    this.applyDefaults(node);
    this.recalculate(this.under(element.path));
    return node;
  }

  removeInstance(node: AnswerNode): void {
    const siblings = node.parent!.children.get(node.element.name)!;
    siblings.splice(siblings.indexOf(node), 1);
    this.recalculate(this.under(node.element.path));
  }

  private under(path: string): Set<string> {
    return new Set(this.definition.order.filter((one) => one === path || one.startsWith(`${path}/`)));
  }

  private holds(ast: Ast | undefined, node: AnswerNode): boolean {
    return ast !== undefined && toBoolean(evaluate(ast, this.context(node)));
  }

  /** What is wrong with one answer, or null. */
  problem(node: AnswerNode, language: string): Problem | null {
    const { element } = node;
    if (!node.isRelevant || element.kind !== "question" || element.type === "note" || element.calculate) return null;
    if (!node.text) {
      if (!this.holds(element.required, node)) return null;
      return { code: "required", message: inLanguage(element.required_message, language) };
    }
    if (this.isMistyped(node)) return { code: "type", message: "" };
    if (element.constraint && !this.holds(element.constraint, node)) {
      return { code: "constraint", message: inLanguage(element.constraint_message, language) };
    }
    return null;
  }

  private isMistyped(node: AnswerNode): boolean {
    const { text } = node;
    const { type, choices } = node.element;
    if (text.length > MAX_TEXT) return true;
    if (type === "integer") return !/^-?[0-9]{1,15}$/.test(text);
    if (type === "decimal") return typeof node.value() !== "number";
    if (type === "date" || type === "dateTime") return parseDate(text)?.hasTime !== (type === "dateTime");
    const names = type === "select_one" ? [text] : type === "select_multiple" ? text.split(" ").filter(Boolean) : [];
    const known = new Set(this.definition.choices[choices ?? ""]?.map((choice) => choice.name));
    return new Set(names).size !== names.length || names.some((name) => !known.has(name));
  }

  /** Every problem under a node, in the order of the form. */
  problems(node: AnswerNode, language: string): [AnswerNode, Problem][] {
    const own = this.problem(node, language);
    const inner = this.elementsOf(node)
      .flatMap((element) => node.children.get(element.name) ?? [])
      .flatMap((child) => this.problems(child, language));
    return own ? [[node, own], ...inner] : inner;
  }

  /** Compute everything anew, as of the moment that the worker finishes; then the answers may be sent. */
  finish(): Json {
    this.recalculate(null);
    return this.toJson();
  }

  /** The relevant answers that are not blank: irrelevant ones are erased, not hidden. */
  toJson(node: AnswerNode = this.root): Json {
    const result: Json = {};
    for (const [name, all] of node.children) {
      const children = all.filter((child) => child.isRelevant);
      const element = children[0]?.element;
      if (!element) continue;
      if (element.kind === "repeat") result[name] = children.map((child) => this.toJson(child));
      else if (element.kind === "group") {
        const inner = this.toJson(children[0]);
        if (Object.keys(inner).length > 0) result[name] = inner;
      } else if (children[0]!.text) result[name] = children[0]!.text;
    }
    return result;
  }
}
