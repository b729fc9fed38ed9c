/**
 * A form being filled: the tree of answers and its logic. The twin of forms/answers.py and
 * forms/validation.py.
 *
 * A change computes anew only what reads it, each once, in the order that the server worked out
 * (forms/dependencies.py): a heap holds the places in that order where something is to do.
 */

import { type Ast, type Element, type FormDefinition, inLanguage, type Text } from "./definition";
import { buildReaders, type Dependents, type Reader } from "./dependencies";
import { Context, evaluate, nodes, shuffled } from "./evaluator";
import { toDate, toDateTime, toTime, words } from "./functions";
import { Heap } from "./heap";
import { Lists } from "./lists";
import { AnswerNode, ROOT } from "./node";
import { isMistyped } from "./rules";
import type { Json, Option, Problem, Who } from "./types";
import { DateValue, toBoolean, toNumber, toText, type Value } from "./values";

const MAX_INSTANCES = 1000; // of one repeat whose number a calculation gives

export class Form {
  readonly root = new AnswerNode(ROOT, null);
  readonly lists: Lists;
  /**
   * Called after each change with every question, group or parent of a repeat that must be shown
   * anew.
   */
  onChange: (changed: ReadonlySet<AnswerNode>) => void = () => undefined;

  private readonly childElements = new Map<string, Element[]>();
  private readonly dependents: Map<string, Dependents>;
  private readonly inOrder: Dependents[];
  private readonly heap = new Heap();
  private readonly singles = new Map<Dependents, AnswerNode>();
  private readonly dirty = new Map<number, Set<AnswerNode>>(); // place in the order → nodes
  // place of a repeat in the order → parents to count in
  private readonly uncounted = new Map<number, Set<AnswerNode>>();
  private readonly choosing = new Set<AnswerNode>();
  private shown = new Set<AnswerNode>();
  private isFilling = false; // from answers: what they lack stays blank
  private moment: DateValue | null = null; // one moment for all that a change computes

  constructor(
    readonly definition: FormDefinition,
    private readonly clock: () => DateValue,
    answers: Json | null = null,
    remembered: Record<string, string> = {},
    private readonly who: Who = { username: "", deviceid: "" },
  ) {
    for (const element of definition.elements) {
      const siblings = this.childElements.get(element.parent);
      if (siblings) siblings.push(element);
      else this.childElements.set(element.parent, [element]);
    }
    this.lists = new Lists(definition);
    this.dependents = buildReaders(definition, this.childElements);
    this.inOrder = definition.order.map((path) => this.dependents.get(path)!);
    this.fill(this.root, answers ?? {});
    if (!answers) {
      this.applyDefaults(this.root);
      for (const [path, text] of Object.entries(remembered))
        for (const node of this.at(path)) node.text = text;
    }
    this.isFilling = answers !== null;
    this.recalculate();
    this.isFilling = false;
    this.shown.clear();
  }

  elementsOf(node: AnswerNode): Element[] {
    return this.childElements.get(node.element.path) ?? [];
  }

  private fill(node: AnswerNode, answers: Json): void {
    for (const element of this.elementsOf(node)) {
      const answer = answers[element.name];
      if (element.kind === "question") {
        const child = new AnswerNode(element, node);
        child.text = typeof answer === "string" ? answer : "";
        node.children.set(element.name, [child]);
        continue;
      }
      const children: AnswerNode[] = [];
      node.children.set(element.name, children);
      for (const instance of listInstances(element, answer)) {
        const child = new AnswerNode(element, node);
        children.push(child);
        this.fill(child, instance);
      }
    }
  }

  private applyDefaults(node: AnswerNode): void {
    for (const child of node.allChildren()) {
      const { element } = child;
      if (element.first_value)
        child.text = toText(evaluate(element.first_value, this.context(child)));
      else if (element.default) child.text = element.default;
      else if (element.preload) child.text = this.preloaded(element.preload);
      this.applyDefaults(child);
    }
  }

  private preloaded(what: string): string {
    const now = this.clock();
    if (what === "start" || what === "end") return now.toString();
    if (what === "today") return new DateValue(Math.floor(now.days)).toString();
    return what === "username" ? this.who.username : this.who.deviceid;
  }

  context(node: AnswerNode): Context {
    return new Context(this.root, node, this.moment ?? this.clock(), this.lists);
  }

  /** Words with the answers that they show filled in. */
  plain(text: Text, node: AnswerNode): string {
    if (typeof text === "string") return text;
    return text
      .map((part) => (typeof part === "string" ? part : toText(evaluate(part, this.context(node)))))
      .join("");
  }

  private at(path: string): AnswerNode[] {
    let nodes = [this.root];
    for (const name of path.split("/").slice(2))
      nodes = nodes.flatMap((node) => node.children.get(name) ?? []);
    return nodes;
  }

  // ── computing ──────────────────────────────────────────────────────────────────────────────────

  /** Compute everything, in order. */
  private recalculate(): void {
    for (const plan of this.inOrder) {
      const parents = this.at(plan.element.parent);
      for (const parent of parents) {
        if (plan.element.count) this.count(plan, parent);
        for (const node of parent.children.get(plan.element.name) ?? []) this.compute(node, plan);
      }
    }
    this.heap.clear();
    this.dirty.clear();
    this.uncounted.clear();
  }

  /** Compute relevance and value of one node; return whether either changed. */
  private compute(node: AnswerNode, plan: Dependents): boolean {
    const { element } = plan;
    const wasRelevant = node.isRelevant;
    const before = node.text;
    let isRelevant = node.parent!.isRelevant && !node.isBeyond;
    if (isRelevant && element.relevant) {
      node.isRelevant = true;
      isRelevant = toBoolean(evaluate(element.relevant, this.context(node)));
    }
    node.isRelevant = isRelevant;
    if (element.calculate)
      node.text = isRelevant
        ? computed(element, evaluate(element.calculate, this.context(node)))
        : "";
    return wasRelevant !== isRelevant || before !== node.text;
  }

  /** Make as many instances as the form counts; mark those beyond. */
  private count(plan: Dependents, parent: AnswerNode): void {
    const { element } = plan;
    const instances = parent.children.get(element.name)!;
    const number = toNumber(
      evaluate(element.count!, this.context(new AnswerNode(element, parent))),
    );
    const size = Math.trunc(Math.min(Math.max(number || 0, 0), MAX_INSTANCES)); // NaN counts none
    const before = instances.length;
    while (instances.length < size) {
      const node = new AnswerNode(element, parent);
      instances.push(node);
      this.fill(node, {});
      if (!this.isFilling) this.applyDefaults(node);
      this.enqueueUnder(node);
    }
    let isOther = instances.length !== before;
    instances.forEach((node, index) => {
      isOther ||= node.isBeyond !== index >= size;
      node.isBeyond = index >= size;
    });
    if (isOther) this.restructured(plan, parent);
  }

  /**
   * Note that a repeat has other instances: its own compute anew, and whoever looks at several of
   * them.
   */
  private restructured(plan: Dependents, parent: AnswerNode): void {
    this.shown.add(parent);
    const visit = (path: string): void => {
      const inner = this.dependents.get(path)!;
      const isOwn = inner === plan; // position(..) changes for instances that stay
      for (const { by: reader, scope, isParent } of inner.readers)
        if (!isParent && (isOwn || scope <= parent.depth))
          this.enqueue(reader, parent, Math.min(scope, parent.depth));
      for (const { by: viewer, scope } of inner.viewers)
        if (isOwn || scope <= parent.depth)
          this.collect(viewer, parent, Math.min(scope, parent.depth), this.shown);
      for (const { by: chooser, scope } of inner.choosers)
        if (isOwn || scope <= parent.depth)
          this.collect(chooser, parent, Math.min(scope, parent.depth), this.choosing);
      for (const child of this.childElements.get(path) ?? []) visit(child.path);
    };
    this.enqueue(plan, parent, parent.depth, true);
    visit(plan.element.path);
  }

  /**
   * Put the nodes of a plan that stand under the node's ancestor at a depth on the list of what to
   * compute.
   */
  private enqueue(plan: Dependents, from: AnswerNode, scope: number, isOwn = false): void {
    if (plan.isSingle) return this.heap.push(plan.order); // there is one node of it
    if (plan.element.count && !isOwn) {
      const parents = entry(this.uncounted, plan.order);
      walk(ancestor(from, scope), plan.parts, plan.parts.length - 1, parents);
    }
    this.collect(plan, from, scope, entry(this.dirty, plan.order));
    this.heap.push(plan.order);
  }

  private collect(plan: Dependents, from: AnswerNode, scope: number, into: Set<AnswerNode>): void {
    if (plan.isSingle) into.add(this.single(plan));
    else walk(ancestor(from, scope), plan.parts, plan.parts.length, into);
  }

  private single(plan: Dependents): AnswerNode {
    let node = this.singles.get(plan);
    if (!node) {
      node = this.root;
      for (const name of plan.parts.slice(1)) node = node.children.get(name)![0]!;
      this.singles.set(plan, node);
    }
    return node;
  }

  private changed(node: AnswerNode, plan: Dependents): void {
    this.shown.add(node);
    if (plan.element.kind === "repeat" && node.parent) this.shown.add(node.parent);
    for (const { by: reader, scope } of plan.readers) {
      if (reader === plan) this.enqueueLater(plan, node, scope);
      else this.enqueue(reader, node, scope);
    }
    for (const viewer of plan.viewers) this.view(viewer, node, this.shown);
    for (const chooser of plan.choosers) this.view(chooser, node, this.choosing);
  }

  private view({ by, scope }: Reader, node: AnswerNode, into: Set<AnswerNode>): void {
    this.collect(by, node, scope, into);
  }

  /**
   * A running total reads itself in earlier instances: those after the one that changed compute
   * anew.
   */
  private enqueueLater(plan: Dependents, node: AnswerNode, scope: number): void {
    const all = new Set<AnswerNode>();
    this.collect(plan, node, scope, all);
    let isAfter = false;
    for (const instance of all) {
      if (isAfter) entry(this.dirty, plan.order).add(instance);
      isAfter ||= instance === node;
    }
  }

  private settle(): void {
    for (let order = this.heap.pop(); order !== undefined; order = this.heap.pop()) {
      const plan = this.inOrder[order]!;
      if (plan.isSingle) this.recompute(this.single(plan), plan);
      else this.settleInstances(plan);
    }
  }

  private recompute(node: AnswerNode, plan: Dependents): void {
    if (this.compute(node, plan)) this.changed(node, plan);
  }

  private settleInstances(plan: Dependents): void {
    const { order } = plan;
    const parents = this.uncounted.get(order);
    this.uncounted.delete(order);
    for (const parent of parents ?? []) this.count(plan, parent);
    const waiting = this.dirty.get(order);
    this.dirty.delete(order);
    if (!waiting) return;
    if (plan.readsItself) this.settleInTurn(plan, waiting);
    else for (const node of waiting) this.recompute(node, plan);
  }

  private settleInTurn(plan: Dependents, waiting: Set<AnswerNode>): void {
    const everyone = new Set<AnswerNode>();
    walk(this.root, plan.parts, plan.parts.length, everyone);
    this.dirty.set(plan.order, waiting);
    for (const node of everyone) if (waiting.delete(node)) this.recompute(node, plan);
    this.dirty.delete(plan.order);
  }

  /**
   * Compute until nothing is left to do, take back choices that are no longer offered, and tell
   * what changed.
   */
  private finishChange(): void {
    this.settle();
    while (this.choosing.size > 0) {
      const choosers = [...this.choosing];
      this.choosing.clear();
      for (const node of choosers) this.takeBackChoices(node);
      this.settle();
    }
    this.moment = null;
    const shown = this.shown;
    this.shown = new Set();
    this.onChange(shown);
  }

  private takeBackChoices(node: AnswerNode): void {
    this.shown.add(node);
    if (!node.text) return;
    const offered = new Set(this.options(node).map((option) => option.name));
    const chosen = node.element.type === "select_one" ? [node.text] : words(node.text);
    const stillOffered = chosen.filter((name) => offered.has(name)).join(" ");
    if (stillOffered !== node.text) this.put(node, stillOffered);
  }

  private put(node: AnswerNode, text: string): void {
    node.text = text;
    this.changed(node, this.dependents.get(node.element.path)!);
  }

  // ── answering ──────────────────────────────────────────────────────────────────────────────────

  set(node: AnswerNode, text: string): void {
    if (node.text === text) return;
    this.moment = this.clock();
    this.put(node, text);
    const { targets } = this.dependents.get(node.element.path)!;
    if (targets.length > 0) this.settle();
    for (const { by, scope } of targets) {
      const nodesToSet = new Set<AnswerNode>();
      this.collect(by, node, scope, nodesToSet);
      const value = evaluate(by.element.triggers![node.element.path]!, this.context(node));
      for (const target of nodesToSet) this.put(target, computed(by.element, value));
    }
    this.finishChange();
  }

  addInstance(parent: AnswerNode, element: Element): AnswerNode {
    const node = new AnswerNode(element, parent);
    this.fill(node, {});
    parent.children.get(element.name)!.push(node);
    this.applyDefaults(node);
    this.restructured(this.dependents.get(element.path)!, parent);
    this.enqueueUnder(node);
    this.finishChange();
    return node;
  }

  removeInstance(node: AnswerNode): void {
    const siblings = node.parent!.children.get(node.element.name)!;
    siblings.splice(siblings.indexOf(node), 1);
    this.restructured(this.dependents.get(node.element.path)!, node.parent!);
    this.finishChange();
  }

  /** Everything in a new instance is computed for the first time. */
  private enqueueUnder(node: AnswerNode): void {
    for (const element of this.elementsOf(node)) {
      const plan = this.dependents.get(element.path)!;
      this.enqueue(plan, node, node.depth);
      for (const child of node.childrenNamed(element.name)) this.enqueueUnder(child);
    }
  }

  // ── rules ──────────────────────────────────────────────────────────────────────────────────────

  holds(ast: Ast | boolean | undefined, node: AnswerNode): boolean {
    if (typeof ast !== "object") return ast === true;
    return toBoolean(evaluate(ast, this.context(node)));
  }

  /** What a select offers now, in its order. */
  options(node: AnswerNode): Option[] {
    const { element } = node;
    if (!element.items) return this.definition.choices[element.choices ?? ""] ?? [];
    let rows = nodes(element.items, this.context(node));
    if (element.items[0] === "call" && element.items[2].length === 1) {
      if (Number.isNaN(node.order)) node.order = Math.floor(Math.random() * 2 ** 31);
      rows = shuffled(rows, node.order);
    }
    return rows.flatMap((row): Option[] => {
      const name = toText(row.childrenNamed(element.item_value || "name")[0]?.value() ?? "");
      if (!name) return [];
      const choice = this.lists.choice(element.choices ?? "", name);
      if (choice) return [choice];
      return [
        { name, label: toText(row.childrenNamed(element.item_label || "label")[0]?.value() ?? "") },
      ];
    });
  }

  labelOf(option: Option, language: string, node: AnswerNode): string {
    const { label } = option;
    const text =
      typeof label === "string" || Array.isArray(label) ? label : inLanguage(label, language);
    return this.plain(text, node) || option.name;
  }

  /** What is wrong with one answer, or null. */
  problem(node: AnswerNode, language: string): Problem | null {
    const { element } = node;
    if (
      !node.isRelevant ||
      element.kind !== "question" ||
      element.type === "note" ||
      element.calculate
    )
      return null;
    if (!node.text) {
      if (!this.holds(element.required, node)) return null;
      return { code: "required", message: inLanguage(element.required_message, language) };
    }
    if (isMistyped(this, node)) return { code: "type", message: "" };
    if (element.constraint && !this.holds(element.constraint, node)) {
      return { code: "constraint", message: inLanguage(element.constraint_message, language) };
    }
    return null;
  }

  /** Whether the constraint would let an answer stand. */
  allows(node: AnswerNode, text: string): boolean {
    const before = node.text;
    node.text = text;
    const isAllowed = !node.element.constraint || this.holds(node.element.constraint, node);
    node.text = before;
    return isAllowed;
  }

  /** Every problem under a node, in the order of the form. */
  problems(node: AnswerNode, language: string): [AnswerNode, Problem][] {
    const problems: [AnswerNode, Problem][] = [];
    const visit = (inner: AnswerNode): void => {
      if (!inner.isRelevant) return;
      const problem = this.problem(inner, language);
      if (problem) problems.push([inner, problem]);
      for (const children of inner.children.values()) children.forEach(visit);
    };
    visit(node);
    return problems;
  }

  /**
   * Compute everything anew, as of the moment that the worker finishes; then the answers may be
   * sent.
   */
  finish(): Json {
    for (const element of this.definition.elements)
      if (element.preload === "end")
        for (const node of this.at(element.path)) node.text = this.preloaded("end");
    this.recalculate();
    this.shown.clear();
    return this.isRefusal()
      ? this.toJson(this.root, new Set(this.definition.kept_after_no))
      : this.toJson();
  }

  /**
   * Whether the questions about consent are answered and there is no yes: the twin of
   * forms/validation.py.
   */
  private isRefusal(): boolean {
    const tier = this.summarised("tier");
    const kept = this.definition.kept_after_no;
    if (!kept || !tier?.parent?.isRelevant || toNumber(tier.value()) >= 1) return false;
    const isAnsweredConsent = ({ element, text, isRelevant }: AnswerNode): boolean =>
      kept.includes(element.path) && !element.calculate && isRelevant && text !== "";
    return tier.parent.allChildren().some(isAnsweredConsent);
  }

  /** The card code of a person who did not say yes; it is not in the answers of such a record. */
  refusedBy(): string {
    return this.isRefusal() ? toText(this.summarised("person")?.value() ?? "") : "";
  }

  private summarised(key: string): AnswerNode | undefined {
    const path = this.definition.summary[key];
    return path ? this.at(path)[0] : undefined;
  }

  /**
   * The relevant answers that are not blank: irrelevant ones are erased, not hidden; of questions
   * with these paths only.
   */
  toJson(node: AnswerNode = this.root, only?: ReadonlySet<string>): Json {
    const result: Json = {};
    for (const [name, all] of node.children) {
      const children = all.filter((child) => child.isRelevant);
      const element = children[0]?.element;
      if (!element) continue;
      if (element.kind === "repeat") {
        if (!only) result[name] = children.map((child) => this.toJson(child));
      } else if (element.kind === "group") {
        const inner = this.toJson(children[0], only);
        if (Object.keys(inner).length > 0) result[name] = inner;
      } else if (children[0]!.text && (!only || only.has(element.path)))
        result[name] = children[0]!.text;
    }
    return result;
  }
}

/** A computed value as the answer of a question of its type; NaN, which is no answer, as "". */
function computed({ type }: Element, value: Value): string {
  if (typeof value !== "number") return toText(value);
  if (Number.isNaN(value)) return "";
  if (type === "integer") return toText(Math.trunc(value));
  if (type === "date") return toText(toDate(value));
  if (type === "dateTime") return toText(toDateTime(value));
  return toText(type === "time" ? toTime(new DateValue(value, "dateTime")) : value);
}

/** The answers of each instance of a group (always one) or of a repeat. */
function listInstances({ kind }: Element, answer: Json[string] | undefined): Json[] {
  if (kind === "repeat") return Array.isArray(answer) ? answer : [];
  return [typeof answer === "object" && !Array.isArray(answer) ? answer : {}];
}

function ancestor(node: AnswerNode, depth: number): AnswerNode {
  let above = node;
  while (above.depth > depth) above = above.parent!;
  return above;
}

/** Add every node at `parts`, cut at a length, that stands under a node. */
function walk(node: AnswerNode, parts: string[], length: number, into: Set<AnswerNode>): void {
  if (node.depth >= length) {
    if (node.depth === length) into.add(node);
    return;
  }
  for (const child of node.children.get(parts[node.depth]!) ?? []) walk(child, parts, length, into);
}

function entry(map: Map<number, Set<AnswerNode>>, key: number): Set<AnswerNode> {
  const set = map.get(key) ?? new Set();
  map.set(key, set);
  return set;
}
