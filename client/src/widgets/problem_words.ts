/** What is wrong with an answer, in words for the worker. */

import type { Form } from "../engine/form";
import type { AnswerNode } from "../engine/node";
import type { Problem } from "../engine/types";
import { t } from "../i18n";
import { describeNotAllowed } from "./question_type";
import { findQuestionType } from "./registry";

/** The form's own words where it has some, else those of the kind of problem. */
export function describeProblem(problem: Problem, node: AnswerNode, form: Form): string {
  const own = form.plain(problem.message, node);
  if (own) return own;
  if (problem.code === "required") return t("An answer is needed.");
  if (problem.code === "constraint") return describeNotAllowed();
  return findQuestionType(node.element.type)?.describeMistyped() ?? describeNotAllowed();
}
