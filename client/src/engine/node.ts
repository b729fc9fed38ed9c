/** The tree of answers; the twin of AnswerNode in forms/answers.py. */

import type { Element } from "./definition";
import type { Node } from "./types";
import { isNumber, parseDate, parseTime, type Value } from "./values";

export const ROOT: Element = { path: "/data", name: "data", kind: "group", type: "", parent: "" };

const NUMBERS = new Set(["integer", "decimal", "range"]);

export class AnswerNode implements Node {
  readonly children = new Map<string, AnswerNode[]>();
  readonly depth: number;
  text = "";
  isRelevant = true;
  isBeyond = false; // more than a repeat that counts its instances has
  order = NaN; // of choices that are shuffled without a seed

  constructor(
    readonly element: Element,
    readonly parent: AnswerNode | null,
  ) {
    this.depth = parent ? parent.depth + 1 : 1;
  }

  childrenNamed(name: string): readonly AnswerNode[] {
    return this.children.get(name) ?? [];
  }

  allChildren(): readonly AnswerNode[] {
    return [...this.children.values()].flat();
  }

  value(): Value {
    const { text } = this;
    if (!this.isRelevant || !text) return "";
    const type = this.element.type;
    if (NUMBERS.has(type)) return isNumber(text) ? Number(text) : text;
    if (type === "date" || type === "dateTime") return parseDate(text) ?? text;
    return type === "time" ? (parseTime(text) ?? text) : text;
  }

  position(): number {
    return this.parent ? this.parent.childrenNamed(this.element.name).indexOf(this) + 1 : 1;
  }

  /** The dotted name with the position in repeats, unique in the form: followup[2].outcome. */
  where(): string {
    if (!this.parent) return "";
    const here =
      this.element.kind === "repeat"
        ? `${this.element.name}[${this.position()}]`
        : this.element.name;
    return [this.parent.where(), here].filter(Boolean).join(".");
  }
}
