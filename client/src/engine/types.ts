/**
 * The shapes that the modules of the engine share. It imports no module with code, so that none of
 * them can go in a circle.
 */

import type { Text, Words } from "./definition";
import type { Value } from "./values";

/** What an expression walks over: the tree of answers, or the rows of a list. */
export interface Node {
  readonly parent: Node | null;
  childrenNamed(name: string): readonly Node[];
  allChildren(): readonly Node[];
  value(): Value;
  position(): number;
}

/** The lists of a form: its choices, and the CSV files that came with it. */
export interface NodeLists {
  root(name: string): Node | null;
  rowsWith(name: string, column: string, text: string): readonly Node[];
  text(reference: string): string;
  choiceLabel(name: string, path: string): string;
}

/** Answers by the names of their questions: a group is an object, a repeat a list of them. */
export type Json = { [name: string]: Json | Json[] | string };

/** One choice that a select offers now. */
export type Option = {
  name: string;
  label: Text | Words;
  data?: Record<string, string>; // further columns of a choice
};

/** Who fills in the form, for questions that ask the phone for it. */
export type Who = { username: string; deviceid: string };

/** What is wrong with an answer; `message` is the form's own, or "". */
export type Problem = { code: "required" | "type" | "constraint"; message: Text };
