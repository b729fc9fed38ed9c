/** What the parts of a form on the screen share while it is filled in. */

import { inLanguage, type Words } from "../engine/definition";
import type { Form } from "../engine/form";
import type { AnswerNode } from "../engine/node";
import type { Help } from "./props";

export interface FormSession {
  form: Form;
  language: string;
  help: Help;
  shown: ReadonlySet<string>; // questions whose problems may show: those left or tried to leave
  sentBack: Map<string, string>; // place of the question that the centre named → why, until changed
  watch: (node: AnswerNode, redraw: () => void) => () => void;
  change: (node: AnswerNode, text: string) => void;
  add: (parent: AnswerNode, name: string) => void;
  drop: (node: AnswerNode) => void;
}

/** What each part of a form is drawn from. */
export interface NodeProps {
  session: FormSession;
  node: AnswerNode;
  place: string; // as ids have it: group.repeat[2].question
  depth: number;
}

/** Types of rows that hold answers and are never on the screen. */
export const UNSEEN: ReadonlySet<string> = new Set(["calculate", "hidden", "metadata"]);

/** The words of a form in the worker's language, with the answers that stand in them. */
export function readWords(
  words: Words | undefined,
  { form, language }: FormSession,
  node: AnswerNode,
): string {
  return form.plain(inLanguage(words, language), node);
}
