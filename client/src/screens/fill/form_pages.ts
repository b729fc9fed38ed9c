/** How a form is cut into pages, and what is still wrong on each of them. */

import { type FormDefinition, inLanguage } from "../../engine/definition";
import type { Form } from "../../engine/form";
import type { AnswerNode } from "../../engine/node";
import { isPassedOver, type ShownConsent } from "../../engine/standing";

const UNSEEN = ["calculate", "hidden", "metadata"];

export interface Page {
  label: string;
  node: AnswerNode; // a group or question, or what the repeat is in
  repeat: string; // the name of a repeat whose instances are the page, or ""
}

/** List what is relevant now at the top of a form, a page each; or all of it as one page. */
export function listPages(form: Form, language: string): Page[] {
  const whole = { label: "", node: form.root, repeat: "" };
  if (form.definition.style !== "pages") return [whole];
  const pages = form.elementsOf(form.root).flatMap((element): Page[] => {
    const label = form.plain(inLanguage(element.label, language), form.root);
    if (element.kind === "repeat") return [{ label, node: form.root, repeat: element.name }];
    const node = form.root.childrenNamed(element.name)[0];
    if (!node?.isRelevant || UNSEEN.includes(element.type) || isPassedOver(form, node)) return [];
    return [{ label, node, repeat: "" }];
  });
  return pages.length > 0 ? pages : [whole];
}

/**
 * The page with which a new form begins. Pages on which all that is needed is filled in already are
 * passed over, up to one that asks for something: whose card it is, too.
 */
export function findFirstPage(form: Form, pages: Page[]): number {
  const person = form.findWithRole("person");
  const isPersonOpen = person?.isRelevant === true && person.text === "";
  const isFilledIn = ({ node, repeat }: Page): boolean =>
    !repeat &&
    !hasProblem(form, node) &&
    !(isPersonOpen && person.parent === node) &&
    listQuestions(node).some((question) => question.text !== "");
  const first = pages.findIndex((page) => !isFilledIn(page));
  return first < 0 ? pages.length - 1 : first;
}

/** The questions below a node that are asked now. */
function listQuestions(node: AnswerNode): AnswerNode[] {
  if (!node.isRelevant || UNSEEN.includes(node.element.type) || node.element.calculate) return [];
  if (node.element.kind === "question") return node.element.type === "note" ? [] : [node];
  return node.allChildren().flatMap(listQuestions);
}

/** The page that asks for consent; -1 where none does. */
export function findConsentPage(pages: Page[], { group }: ShownConsent): number {
  return pages.findIndex(({ node }) => node === group);
}

/** The page on top of which consent that stands is shown: the one that asks, or comes instead. */
export function findStandingPage(form: Form, pages: Page[], { group }: ShownConsent): number {
  const paths = form.elementsOf(form.root).map(({ path }) => path);
  const { path } = group.element;
  const at = paths.findIndex((top) => path === top || path.startsWith(`${top}/`));
  const isBefore = ({ node, repeat }: Page): boolean =>
    paths.indexOf(repeat ? `/data/${repeat}` : node.element.path) < at;
  return Math.min(pages.filter(isBefore).length, pages.length - 1);
}

/** Where a page stands in the form, as the ids of its questions begin. */
export function findPlace({ node, repeat }: Page): string {
  return repeat || node.where();
}

/** The places of the questions of a page that have a problem, in the order of the form. */
export function listProblemPlaces(form: Form, page: Page, language: string): string[] {
  const roots = page.repeat ? page.node.childrenNamed(page.repeat) : [page.node];
  return roots.flatMap((root) => form.problems(root, language)).map(([node]) => node.where());
}

/** Whether anything is wrong or missing under a node. */
export function hasProblem(form: Form, node: AnswerNode): boolean {
  if (!node.isRelevant) return false;
  if (form.problem(node, "")) return true;
  return node.allChildren().some((child) => hasProblem(form, child));
}

/** The page of the question at a place; -1 where none is shown. */
export function findPageOf(pages: Page[], place: string): number {
  return pages.findIndex((page) => {
    const top = findPlace(page);
    return !top || place === top || place.startsWith(`${top}.`) || place.startsWith(`${top}[`);
  });
}

/** The places of all answers that a new form begins with, but those that the worker chose. */
export function listPresets(form: Form, chosen: string[]): string[] {
  const visit = (node: AnswerNode): string[] =>
    node.element.kind === "question"
      ? [node.where()].filter(() => node.text !== "" && !chosen.includes(node.element.path))
      : node.allChildren().flatMap(visit);
  return visit(form.root);
}

/** The languages in which at least half of a form's questions have words. */
export function listSpoken({ languages, elements }: FormDefinition): string[] {
  const labels = elements.flatMap(({ label }) => (label ? [label] : []));
  return languages.filter(
    (code) => 2 * labels.filter((label) => label[code]).length >= labels.length,
  );
}

/** The language to ask in: the app's where the form has it, else the form's first. */
export function chooseLanguage(languages: string[], preferred: string): string {
  return languages.includes(preferred) ? preferred : (languages[0] ?? "en");
}
