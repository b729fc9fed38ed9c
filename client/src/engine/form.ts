/**
 * A form being filled: the tree of answers and its logic. The twin of forms/answers.py and
 * forms/validation.py.
 */

import {
  type Ast,
  datePartOf,
  type Element,
  type FormDefinition,
  inLanguage,
  type Text,
} from "./definition";
import type { Dependents } from "./dependencies";
import { Context, evaluate, nodes, shuffled } from "./evaluator";
import { toDate, toDateTime, toTime, words } from "./functions";
import { Lists } from "./lists";
import { AnswerNode, ROOT } from "./node";
import { Recalculation } from "./recalculation";
import { findChoice, NO_MORE, NOTHING_TODAY, TIER } from "./roles";
import { isMistyped } from "./rules";
import type { Json, Option, Problem, Who } from "./types";
import { cutDate, DateValue, toBoolean, toNumber, toText, type Value } from "./values";

const MAX_INSTANCES = 1000; // of one repeat whose number a calculation gives

export class Form {
  readonly root = new AnswerNode(ROOT, null);
  readonly lists: Lists;
  /**
   * Called after each change with every question, group or parent of a repeat that must be shown
   * anew.
   */
  onChange: (changed: ReadonlySet<AnswerNode>) => void = () => undefined;

  /** An answer as words show it. */
  describeValue: (text: string) => string = (text) => text;

  private readonly childElements = new Map<string, Element[]>();
  private readonly pending: Recalculation;
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
    this.pending = new Recalculation(definition, this.childElements, this.root, {
      compute: (node, dependents) => this.compute(node, dependents),
      count: (dependents, parent) => this.count(dependents, parent),
    });
    this.fill(this.root, answers ?? {});
    if (!answers) {
      this.applyDefaults(this.root);
      for (const [path, text] of Object.entries(remembered))
        for (const node of this.at(path)) node.text = text;
    }
    this.isFilling = answers !== null;
    this.recalculate();
    this.isFilling = false;
    if (!answers) this.followFirstAnswers(remembered);
  }

  /** First answers change others as answers that are given do, but not one another. */
  private followFirstAnswers(first: Record<string, string>): void {
    for (const path of Object.keys(first))
      for (const node of this.at(path))
        this.pullTriggers(node, ({ element }) => !(element.path in first));
    this.finishChange();
  }

  /** Set the answers that a form says follow from another's change. */
  private pullTriggers(node: AnswerNode, isFree: (target: AnswerNode) => boolean): void {
    for (const [element, targets] of this.pending.listTargets(node)) {
      const value = evaluate(element.triggers![node.element.path]!, this.context(node));
      for (const target of targets) if (isFree(target)) this.put(target, computed(element, value));
    }
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
    const show = (part: Ast): string =>
      this.describeValue(toText(evaluate(part, this.context(node))));
    return text.map((part) => (typeof part === "string" ? part : show(part))).join("");
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
    for (const dependents of this.pending.inOrder) {
      const { element } = dependents;
      for (const parent of this.at(element.parent)) {
        if (element.count) this.count(dependents, parent);
        for (const node of parent.children.get(element.name) ?? []) this.compute(node, dependents);
      }
    }
    this.pending.clear();
  }

  /** Compute relevance and value of one node; return whether either changed. */
  private compute(node: AnswerNode, { element }: Dependents): boolean {
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
  private count({ element }: Dependents, parent: AnswerNode): void {
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
      this.pending.noteNew(node);
    }
    let isOther = instances.length !== before;
    instances.forEach((node, index) => {
      isOther ||= node.isBeyond !== index >= size;
      node.isBeyond = index >= size;
    });
    if (isOther) this.pending.noteInstances(element, parent);
  }

  /**
   * Compute until nothing is left to do, take back choices that are no longer offered, and tell
   * what changed.
   */
  private finishChange(): void {
    this.pending.settle();
    let choosers = this.pending.takeChoosers();
    while (choosers.length > 0) {
      for (const node of choosers) this.takeBackChoices(node);
      this.pending.settle();
      choosers = this.pending.takeChoosers();
    }
    this.moment = null;
    this.onChange(this.pending.takeShown());
  }

  private takeBackChoices(node: AnswerNode): void {
    if (!node.text) return;
    const offered = new Set(this.options(node).map((option) => option.name));
    const chosen = node.element.type === "select_one" ? [node.text] : words(node.text);
    const stillOffered = chosen.filter((name) => offered.has(name)).join(" ");
    if (stillOffered !== node.text) this.put(node, stillOffered);
  }

  private put(node: AnswerNode, text: string): void {
    node.text = text;
    this.pending.noteChange(node);
  }

  // ── answering ──────────────────────────────────────────────────────────────────────────────────

  set(node: AnswerNode, text: string): void {
    if (node.text === text) return;
    this.moment = this.clock();
    this.put(node, text);
    this.pending.settle();
    this.pullTriggers(node, () => true);
    this.finishChange();
  }

  addInstance(parent: AnswerNode, element: Element): AnswerNode {
    const node = new AnswerNode(element, parent);
    this.fill(node, {});
    parent.children.get(element.name)!.push(node);
    this.applyDefaults(node);
    this.pending.noteInstances(element, parent);
    this.pending.noteNew(node);
    this.finishChange();
    return node;
  }

  removeInstance(node: AnswerNode): void {
    const siblings = node.parent!.children.get(node.element.name)!;
    siblings.splice(siblings.indexOf(node), 1);
    this.pending.noteInstances(node.element, node.parent!);
    this.finishChange();
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
   * sent. Where only a month or a year is asked, no day is.
   */
  finish(): Json {
    for (const element of this.definition.elements) {
      if (element.preload === "end")
        for (const node of this.at(element.path)) node.text = this.preloaded("end");
      const part = datePartOf(element);
      if (part) for (const node of this.at(element.path)) node.text = cutDate(node.text, part);
    }
    this.recalculate();
    return this.isRefusal()
      ? this.toJson(this.root, new Set(this.definition.kept_after_no))
      : this.toJson();
  }

  /**
   * Whether the questions about consent are answered and there is no yes: the twin of
   * forms/validation.py.
   */
  isRefusal(): boolean {
    const tier = this.findWithRole(TIER);
    const kept = this.definition.kept_after_no;
    if (!kept || !tier?.parent?.isRelevant || toNumber(tier.value()) >= 1) return false;
    const isAnsweredConsent = ({ element, text, isRelevant }: AnswerNode): boolean =>
      kept.includes(element.path) && !element.calculate && isRelevant && text !== "";
    return tier.parent.allChildren().some(isAnsweredConsent);
  }

  /**
   * The card code of a person who said no, and not only for this record; it is not in the answers
   * of such a record.
   */
  refusedBy(): string {
    if (!this.isRefusal() || !this.isStatement()) return "";
    return toText(this.findWithRole("person")?.value() ?? "");
  }

  /** Whether a no holds from now on: the twin of is_statement in forms/consent.py. */
  private isStatement(): boolean {
    if (!findChoice(this.definition, TIER, NOTHING_TODAY)) return true;
    const tier = toText(this.findWithRole(TIER)?.value() ?? "");
    return tier !== "" && findChoice(this.definition, TIER, NO_MORE)?.name === tier;
  }

  /** The question with a role. */
  findWithRole(role: string): AnswerNode | undefined {
    const path = this.definition.summary[role];
    return path ? this.at(path)[0] : undefined;
  }

  /**
   * The relevant answers that are not blank: irrelevant ones are erased, not hidden; of questions
   * with these paths only.
   */
  toJson(node: AnswerNode = this.root, only?: ReadonlySet<string>): Json {
    return this.collect(node, only, false);
  }

  /** All answers that were given, also those that are not relevant now: what a no would erase. */
  toUncutJson(): Json {
    return this.collect(this.root, undefined, true);
  }

  private collect(node: AnswerNode, only: ReadonlySet<string> | undefined, isUncut: boolean): Json {
    const result: Json = {};
    for (const [name, all] of node.children) {
      const children = all.filter((child) => isUncut || child.isRelevant);
      const element = children[0]?.element;
      if (!element) continue;
      if (element.kind === "repeat") {
        if (!only) result[name] = children.map((child) => this.collect(child, only, isUncut));
      } else if (element.kind === "group") {
        const inner = this.collect(children[0]!, only, isUncut);
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
