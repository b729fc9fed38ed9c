/**
 * What a change makes necessary: which answers are computed anew, in which order, which selects
 * offer other choices, and what must be shown anew.
 *
 * Each is computed once a change, in the order that the server worked out (forms/dependencies.py):
 * a heap holds the places in that order where something is to do.
 */

import type { Element, FormDefinition } from "./definition";
import { buildReaders, type Dependents, type Reader } from "./dependencies";
import { Heap } from "./heap";
import type { AnswerNode } from "./node";

/** How the form computes; called while a change settles. */
interface Computer {
  /** Compute relevance and value of a node; says whether either changed. */
  compute(node: AnswerNode, dependents: Dependents): boolean;
  /** Make as many instances of a repeat as it counts. */
  count(dependents: Dependents, parent: AnswerNode): void;
}

export class Recalculation {
  readonly inOrder: Dependents[];
  private readonly dependents: Map<string, Dependents>;
  private readonly heap = new Heap();
  private readonly singles = new Map<Dependents, AnswerNode>();
  private readonly dirty = new Map<number, Set<AnswerNode>>(); // place in the order → nodes
  // place of a repeat in the order → parents to count in
  private readonly uncounted = new Map<number, Set<AnswerNode>>();
  private readonly choosing = new Set<AnswerNode>();
  private readonly shown = new Set<AnswerNode>();

  constructor(
    definition: FormDefinition,
    private readonly children: ReadonlyMap<string, Element[]>,
    private readonly root: AnswerNode,
    private readonly computer: Computer,
  ) {
    this.dependents = buildReaders(definition, children);
    this.inOrder = definition.order.map((path) => this.dependents.get(path)!);
  }

  /** Forget what is to do: all was computed. */
  clear(): void {
    this.heap.clear();
    this.dirty.clear();
    this.uncounted.clear();
    this.shown.clear();
  }

  /** The nodes to show anew, each once; they are taken off the list. */
  takeShown(): ReadonlySet<AnswerNode> {
    const shown = new Set(this.shown);
    this.shown.clear();
    return shown;
  }

  /** The selects that offer other choices now; they are shown anew, and taken off the list. */
  takeChoosers(): AnswerNode[] {
    const choosers = [...this.choosing];
    this.choosing.clear();
    for (const node of choosers) this.shown.add(node);
    return choosers;
  }

  /** Note that a node has another value. */
  noteChange(node: AnswerNode): void {
    this.noteChangeOf(node, this.dependents.get(node.element.path)!);
  }

  /** Note that a repeat has other instances: its own compute anew, and whoever looks at several. */
  noteInstances(element: Element, parent: AnswerNode): void {
    const own = this.dependents.get(element.path)!;
    this.shown.add(parent);
    const visit = (path: string): void => {
      const inner = this.dependents.get(path)!;
      const isOwn = inner === own; // position(..) changes for instances that stay
      const isTouched = ({ scope }: Reader): boolean => isOwn || scope <= parent.depth;
      const limit = (scope: number): number => Math.min(scope, parent.depth);
      for (const reader of inner.readers)
        if (!reader.isParent && isTouched(reader))
          this.enqueue(reader.by, parent, limit(reader.scope));
      for (const { by, scope } of inner.viewers.filter(isTouched))
        this.collect(by, parent, limit(scope), this.shown);
      for (const { by, scope } of inner.choosers.filter(isTouched))
        this.collect(by, parent, limit(scope), this.choosing);
      for (const child of this.children.get(path) ?? []) visit(child.path);
    };
    this.enqueue(own, parent, parent.depth, true);
    visit(element.path);
  }

  /** Note that all under a new instance is to be computed for the first time. */
  noteNew(node: AnswerNode): void {
    for (const { path, name } of this.children.get(node.element.path) ?? []) {
      this.enqueue(this.dependents.get(path)!, node, node.depth);
      for (const child of node.childrenNamed(name)) this.noteNew(child);
    }
  }

  /** What is set when a node is answered: each element, with its nodes. */
  listTargets(node: AnswerNode): [Element, ReadonlySet<AnswerNode>][] {
    return this.dependents.get(node.element.path)!.targets.map(({ by, scope }) => {
      const targets = new Set<AnswerNode>();
      this.collect(by, node, scope, targets);
      return [by.element, targets];
    });
  }

  /** Compute until nothing is left to do. */
  settle(): void {
    for (let order = this.heap.pop(); order !== undefined; order = this.heap.pop()) {
      const dependents = this.inOrder[order]!;
      if (dependents.isSingle) this.recompute(this.findSingle(dependents), dependents);
      else this.settleInstances(dependents);
    }
  }

  private recompute(node: AnswerNode, dependents: Dependents): void {
    if (this.computer.compute(node, dependents)) this.noteChangeOf(node, dependents);
  }

  private settleInstances(dependents: Dependents): void {
    const { order } = dependents;
    const parents = this.uncounted.get(order);
    this.uncounted.delete(order);
    for (const parent of parents ?? []) this.computer.count(dependents, parent);
    const waiting = this.dirty.get(order);
    this.dirty.delete(order);
    if (!waiting) return;
    if (dependents.readsItself) this.settleInTurn(dependents, waiting);
    else for (const node of waiting) this.recompute(node, dependents);
  }

  /** Instances that read each other compute from the first to the last. */
  private settleInTurn(dependents: Dependents, waiting: Set<AnswerNode>): void {
    const { order, parts } = dependents;
    const everyone = new Set<AnswerNode>();
    walk(this.root, parts, parts.length, everyone);
    this.dirty.set(order, waiting);
    for (const node of everyone) if (waiting.delete(node)) this.recompute(node, dependents);
    this.dirty.delete(order);
  }

  private noteChangeOf(node: AnswerNode, dependents: Dependents): void {
    const { readers, viewers, choosers, element } = dependents;
    this.shown.add(node);
    if (element.kind === "repeat" && node.parent) this.shown.add(node.parent);
    for (const { by, scope } of readers) {
      if (by === dependents) this.enqueueLater(dependents, node, scope);
      else this.enqueue(by, node, scope);
    }
    for (const { by, scope } of viewers) this.collect(by, node, scope, this.shown);
    for (const { by, scope } of choosers) this.collect(by, node, scope, this.choosing);
  }

  /** A running total reads itself in earlier instances: those after the changed one are to do. */
  private enqueueLater(dependents: Dependents, node: AnswerNode, scope: number): void {
    const instances = new Set<AnswerNode>();
    this.collect(dependents, node, scope, instances);
    let isAfter = false;
    for (const instance of instances) {
      if (isAfter) getSet(this.dirty, dependents.order).add(instance);
      isAfter ||= instance === node;
    }
  }

  /**
   * Put the nodes of an element that stand under an ancestor of a node on the list of what to do.
   */
  private enqueue(dependents: Dependents, from: AnswerNode, scope: number, isOwn = false): void {
    const { order, parts, isSingle, element } = dependents;
    this.heap.push(order);
    if (isSingle) return; // there is one node of it
    if (element.count && !isOwn)
      walk(ancestor(from, scope), parts, parts.length - 1, getSet(this.uncounted, order));
    this.collect(dependents, from, scope, getSet(this.dirty, order));
  }

  private collect(
    dependents: Dependents,
    from: AnswerNode,
    scope: number,
    into: Set<AnswerNode>,
  ): void {
    const { parts, isSingle } = dependents;
    if (isSingle) into.add(this.findSingle(dependents));
    else walk(ancestor(from, scope), parts, parts.length, into);
  }

  private findSingle(dependents: Dependents): AnswerNode {
    let node = this.singles.get(dependents);
    if (!node) {
      node = this.root;
      for (const name of dependents.parts.slice(1)) node = node.children.get(name)![0]!;
      this.singles.set(dependents, node);
    }
    return node;
  }
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

function getSet(sets: Map<number, Set<AnswerNode>>, key: number): Set<AnswerNode> {
  const set = sets.get(key) ?? new Set();
  sets.set(key, set);
  return set;
}
