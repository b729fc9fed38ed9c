/** All answers of a form in a line each, as they are sent, and what is still wrong with them. */

import { formatCardCode, parseCardCode } from "../../engine/cards";
import type { Form } from "../../engine/form";
import type { AnswerNode } from "../../engine/node";
import { isPassedOver } from "../../engine/standing";
import { t } from "../../i18n";
import { describeProblem } from "../../widgets/problem_words";
import { listAppearances } from "../../widgets/props";
import { UNSEEN } from "../../widgets/session";
import { readAnswer } from "../../widgets/summary";
import { datePartOf, inLanguage } from "../../engine/definition";
import { formatDay, formatMoment, formatMonth } from "../day";
import { listPages, type Page } from "./form_pages";

/** One question as it is looked over. */
export interface Line {
  place: string;
  label: string;
  answer: string; // "" where an answer is missing
  problem: string; // in words; "" where all is well
  isPreset: boolean; // it stands as the phone filled it in
}

/** The lines of one page. */
export interface Section {
  page: Page;
  number: number; // of the page, from 0
  lines: Line[];
}

type Labels = { code: string; label: string }[]; // private names of cards

const CAPTURED = /^(data|attachment):/;

/** An answer in words. */
export function describeAnswer(
  form: Form,
  node: AnswerNode,
  language: string,
  people: Labels = [],
): string {
  const { text, element } = node;
  const looks = listAppearances(node);
  if (looks.includes("masked")) return "•••";
  if (CAPTURED.test(text)) return t("Attached");
  if (looks.includes("card-code")) {
    const code = parseCardCode(text);
    const label = people.find((person) => person.code === code)?.label;
    return [formatCardCode(code), label].filter(Boolean).join(" · ");
  }
  const moment = Date.parse(text);
  const part = Number.isNaN(moment) ? "" : datePartOf(element);
  if (part) return part === "month" ? formatMonth(text.slice(0, 7)) : text.slice(0, 4);
  if (element.type === "date" && !Number.isNaN(moment)) return formatDay(text.slice(0, 10));
  if (element.type === "dateTime" && !Number.isNaN(moment)) return formatMoment(moment);
  return readAnswer(form, node, language);
}

/** What is looked over of a form: its pages with their answers, and every problem. */
export function listSections(
  form: Form,
  language: string,
  presets: ReadonlySet<string>,
  people: Labels = [],
): Section[] {
  const sent = form.isRefusal() ? new Set(form.definition.kept_after_no) : null;
  const makeLine = (node: AnswerNode): Line => {
    const problem = form.problem(node, language);
    const place = node.where();
    return {
      place,
      label: `${countRepeats(node)}${readLabel(form, node, language)}`,
      answer: node.text && describeAnswer(form, node, language, people),
      problem: problem ? describeProblem(problem, node, form) : "",
      isPreset: presets.has(place),
    };
  };
  const isSent = ({ element, text }: AnswerNode): boolean =>
    text !== "" && (!sent || sent.has(element.path));
  return listPages(form, language).map((page, number) => {
    const roots = page.repeat ? page.node.childrenNamed(page.repeat) : [page.node];
    const nodes = roots.flatMap((root) => listQuestions(form, root));
    const shown = nodes.filter((node) => isSent(node) || form.problem(node, language));
    return { page, number, lines: shown.map(makeLine) };
  });
}

const readLabel = (form: Form, node: AnswerNode, language: string): string =>
  form.plain(inLanguage(node.element.label, language), node) || node.element.name;

/** Which instance of a repeat a question is in, as "2. "; "" where it is in none. */
function countRepeats({ parent }: AnswerNode): string {
  if (!parent) return "";
  const own = parent.element.kind === "repeat" ? `${parent.position()}. ` : "";
  return countRepeats(parent) + own;
}

/** The relevant questions under a node that a worker answers, in the order of the form. */
function listQuestions(form: Form, node: AnswerNode): AnswerNode[] {
  const { kind, type, calculate } = node.element;
  if (!node.isRelevant || isPassedOver(form, node)) return [];
  if (kind !== "question") {
    return node.allChildren().flatMap((child) => listQuestions(form, child));
  }
  return UNSEEN.has(type) || type === "note" || calculate ? [] : [node];
}
