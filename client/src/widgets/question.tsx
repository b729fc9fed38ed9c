/** One question: label, hint, problem, widget. A note is words alone. */

import { languageOf } from "../engine/definition";
import type { AnswerNode } from "../engine/node";
import { directionOf, nameOfLanguage, t } from "../i18n";
import { ConsentCard } from "./consent/view";
import { describeProblem } from "./problem_words";
import { listAppearances } from "./props";
import { findQuestionType } from "./registry";
import { readWords, type FormSession, type NodeProps } from "./session";
import { readAnswer } from "./summary";

interface Label {
  text: string;
  foreign: string; // the language that it is in, where it is not the worker's; or ""
  attributes: { lang?: string; dir?: "ltr" | "rtl" };
}

function readLabel(session: FormSession, node: AnswerNode): Label {
  const { label } = node.element;
  const text = readWords(label, session, node);
  const spoken = languageOf(label, session.language);
  if (!text || spoken === session.language) return { text, foreign: "", attributes: {} };
  return { text, foreign: spoken, attributes: { lang: spoken, dir: directionOf(spoken) } };
}

export function Question({ session, node, place }: NodeProps) {
  const { form } = session;
  const { element } = node;
  const id = `q-${place}`;
  if (element.type === "note") return <Note session={session} node={node} id={id} />;
  // “Use my place” fills it, where that is offered: before that there is nothing to answer.
  const isFilledElsewhere = listAppearances(node).includes("area-cell");
  if (isFilledElsewhere && node.text === "" && !form.problem(node, session.language)) return null;
  const questionType = findQuestionType(element.type);
  if (!questionType) return null;
  const isFixed = element.calculate !== undefined || form.holds(element.readonly, node);
  const common = { session, node, id, isFixed };
  let isFieldset = questionType.hasSeveralFields;
  if (typeof isFieldset === "function") isFieldset = isFieldset(form, node);
  if (isFieldset && !isFixed) {
    return (
      <fieldset class="question field" id={`${id}-set`}>
        <legend>
          <Title {...common} />
        </legend>
        <Body {...common} place={place} />
      </fieldset>
    );
  }
  return (
    <div class="question field" id={`${id}-set`}>
      <label class="legend" for={id}>
        <Title {...common} />
      </label>
      <Body {...common} place={place} />
    </div>
  );
}

interface PartProps {
  session: FormSession;
  node: AnswerNode;
  id: string;
}

function Note({ session, node, id }: PartProps) {
  if (listAppearances(node).includes("consent-card")) {
    return <ConsentCard form={session.form} node={node} language={session.language} id={id} />;
  }
  const { text, attributes } = readLabel(session, node);
  const { hint } = node.element;
  return (
    <p class="note-text" id={id} {...attributes}>
      {text}
      {hint && <small class="soft"> {readWords(hint, session, node)}</small>}
    </p>
  );
}

function Title({ session, node, isFixed }: PartProps & { isFixed: boolean }) {
  const { text, foreign, attributes } = readLabel(session, node);
  return (
    <>
      <span {...attributes}>{text}</span>
      {foreign && <small class="tag wait">{nameOfLanguage(foreign)}</small>}
      {!node.element.required && !isFixed && <small class="soft"> · {t("optional")}</small>}
    </>
  );
}

type BodyProps = PartProps & { place: string; isFixed: boolean };

/**
 * All of a question but its label: help, what is wrong, and the widget or the answer that stands.
 */
function Body({ session, node, id, place, isFixed }: BodyProps) {
  const { form, language, help } = session;
  const { View } = findQuestionType(node.element.type)!;
  const hint = readWords(node.element.hint, session, node);
  const guidance = readWords(node.element.guidance, session, node);
  const problem = session.shown.has(place) ? form.problem(node, language) : null;
  const wrong = problem ? describeProblem(problem, node, form) : session.sentBack.get(place);
  const describedBy = [hint && `${id}-hint`, wrong && `${id}-error`].filter(Boolean).join(" ");
  return (
    <>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {guidance && (
        <details class="guidance">
          <summary>{t("More help")}</summary>
          <p>{guidance}</p>
        </details>
      )}
      {wrong && (
        <p class="error" id={`${id}-error`}>
          {wrong}
        </p>
      )}
      {isFixed ? (
        <output id={id} class="fixed">
          {readAnswer(form, node, language) || "–"}
        </output>
      ) : (
        <View
          {...{ form, node, language, id, help }}
          label={readWords(node.element.label, session, node)}
          describedBy={describedBy || undefined}
          isInvalid={!!wrong}
          set={session.change}
          change={(text) => session.change(node, text)}
        />
      )}
    </>
  );
}
