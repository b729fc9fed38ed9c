/** Answers as words, where they are shown and not asked for. */

import type { Form } from "../engine/form";
import type { AnswerNode } from "../engine/node";
import { t } from "../i18n";
import type { FormSession } from "./session";

const MOST = 3; // answers in a summary
const LONGEST = 200; // characters; a longer answer says nothing at a glance

/** The first answers of a folded instance. */
export function summarizeInstance({ form, language }: FormSession, node: AnswerNode): string {
  const answered = node.allChildren().filter(({ isRelevant, text, element }) => {
    const isShort = text !== "" && text.length < LONGEST;
    return isRelevant && isShort && !element.calculate && element.label;
  });
  const texts = answered
    .slice(0, MOST)
    .map((child) => readChoice(form, child, child.text, language));
  return texts.join(" · ") || t("Nothing answered yet.");
}

/** An answer that cannot be changed, as the worker reads it; "" for none. */
export function readAnswer(form: Form, node: AnswerNode, language: string): string {
  const { type, choices } = node.element;
  const names = type === "select_one" ? [node.text] : node.text.split(" ");
  const texts = names.map((name) => readChoice(form, node, name, language));
  return texts.join(choices ? ", " : " ");
}

/** The words of a choice; the text itself where it is no choice. */
function readChoice(form: Form, node: AnswerNode, name: string, language: string): string {
  const choice = form.lists.choice(node.element.choices ?? "", name);
  return choice ? form.labelOf(choice, language, node) : form.describeValue(name);
}
