/**
 * The lists of a form as expressions see them: choices and CSV files, found by an index; the twin
 * of forms/lists.py.
 */

import { inLanguage, type Choice, type Element, type FormDefinition } from "./definition";
import type { Node } from "./types";

class ListNode implements Node {
  children: ListNode[] = [];

  constructor(
    readonly parent: ListNode | null,
    readonly name: string,
    readonly text = "",
    readonly cells: ReadonlyMap<string, string> | null = null,
    readonly at = 1,
  ) {}

  childrenNamed(name: string): readonly Node[] {
    if (this.cells) {
      const text = this.cells.get(name);
      return text === undefined ? [] : [new ListNode(this, name, text)];
    }
    return this.children[0]?.name === name ? this.children : [];
  }

  allChildren(): readonly Node[] {
    if (!this.cells) return this.children;
    return [...this.cells].map(([name, text]) => new ListNode(this, name, text));
  }

  value(): string {
    return this.text;
  }

  position(): number {
    return this.at;
  }
}

export class Lists {
  private readonly roots = new Map<string, ListNode | null>();
  private readonly indexes = new Map<string, Map<string, ListNode[]>>();
  private readonly byPath = new Map<string, Element>();
  private readonly labels = new Map<string, Map<string, Choice>>();

  constructor(private readonly definition: FormDefinition) {
    for (const element of definition.elements) this.byPath.set(element.path, element);
  }

  root(name: string): ListNode | null {
    let top = this.roots.get(name);
    if (top === undefined) {
      top = this.read(name);
      this.roots.set(name, top);
    }
    return top;
  }

  private read(name: string): ListNode | null {
    const table = this.definition.tables?.[name];
    const choices = this.definition.choices[name];
    if (!table && !choices) return null;
    const rows: [string, string][][] = table
      ? table.rows.map((row) => table.columns.map((column, index) => [column, row[index]!]))
      : choices!.map((choice, index) => [
          ["name", choice.name],
          ["label", this.words(choice)],
          ["itextId", `${name}-${index}`],
          ...Object.entries(choice.data ?? {}),
        ]);
    const top = new ListNode(null, "instance");
    const root = new ListNode(top, "root");
    top.children = [root];
    root.children = rows.map(
      (cells, index) => new ListNode(root, "item", "", new Map(cells), index + 1),
    );
    return top;
  }

  /** The rows whose cell in a column is this text. */
  rowsWith(name: string, column: string, text: string): readonly Node[] {
    const key = `${name}\n${column}`;
    let index = this.indexes.get(key);
    if (!index) {
      index = new Map();
      for (const row of this.root(name)?.children[0]!.children ?? []) {
        const cell = row.cells!.get(column);
        if (cell === undefined) continue;
        const rows = index.get(cell);
        if (rows) rows.push(row);
        else index.set(cell, [row]);
      }
      this.indexes.set(key, index);
    }
    return index.get(text) ?? [];
  }

  /** The words of a reference such as the itextId of a choice. */
  text(reference: string): string {
    const end = reference.lastIndexOf("-");
    const choice =
      this.definition.choices[reference.slice(0, end)]?.[Number(reference.slice(end + 1) || -1)];
    return end >= 0 && choice ? this.words(choice) : "";
  }

  choice(list: string, name: string): Choice | undefined {
    let named = this.labels.get(list);
    if (!named) {
      named = new Map((this.definition.choices[list] ?? []).map((choice) => [choice.name, choice]));
      this.labels.set(list, named);
    }
    return named.get(name);
  }

  /** The label of a choice in the form's first language; its name when there is none. */
  choiceLabel(name: string, path: string): string {
    const element = this.byPath.get(path);
    const choice = this.choice(element?.choices ?? "", name);
    if (choice) return this.words(choice) || name;
    if (!element?.choices) return name;
    const row = this.rowsWith(element.choices, element.item_value || "name", name)[0];
    return String(row?.childrenNamed(element.item_label || "label")[0]?.value() ?? "") || name;
  }

  private words(choice: Choice): string {
    const text = inLanguage(choice.label, this.definition.languages[0] ?? "en");
    return typeof text === "string"
      ? text
      : text.map((part) => (typeof part === "string" ? part : "…")).join("");
  }
}
