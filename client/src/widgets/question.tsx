/** One question: label, hint, widget, error. Groups and repeats: their questions in order. */

import type { FunctionComponent } from "preact";
import { inLanguage } from "../engine/definition";
import type { AnswerNode, Form, Problem } from "../engine/form";
import { t } from "../i18n";
import { DateWidget } from "./date";
import { NumberWidget } from "./number";
import type { WidgetProps } from "./props";
import { SelectWidget } from "./select";
import { TextWidget } from "./text";

const WIDGETS: Record<string, FunctionComponent<WidgetProps>> = {
  text: TextWidget,
  integer: NumberWidget,
  decimal: NumberWidget,
  date: DateWidget,
  dateTime: DateWidget,
  select_one: SelectWidget,
  select_multiple: SelectWidget,
};
const SEVERAL_FIELDS = new Set(["select_one", "select_multiple", "date"]); // a fieldset with a legend, not one label

export interface Filling {
  form: Form;
  language: string;
  shown: ReadonlySet<string>; // questions whose problems may show: those left or tried to leave
  change: (node: AnswerNode, text: string) => void;
  add: (parent: AnswerNode, name: string) => void;
  drop: (node: AnswerNode) => void;
}

export function Branch({ filling, node }: { filling: Filling; node: AnswerNode }) {
  if (!node.isRelevant || node.element.calculate) return null;
  if (node.element.kind === "question") return <Question filling={filling} node={node} />;
  return (
    <>
      {filling.form
        .elementsOf(node)
        .map((element) =>
          element.kind === "repeat" ? (
            <Repeat key={element.path} filling={filling} parent={node} name={element.name} />
          ) : (
            node
              .childrenNamed(element.name)
              .map((child) => <Branch key={element.path} filling={filling} node={child} />)
          ),
        )}
    </>
  );
}

export function Repeat({ filling, parent, name }: { filling: Filling; parent: AnswerNode; name: string }) {
  const instances = parent.childrenNamed(name);
  const element = filling.form.elementsOf(parent).find((one) => one.name === name)!;
  const label = filling.form.plain(inLanguage(element.label, filling.language), parent);
  return (
    <>
      {instances.map((node, index) => (
        <section class="instance" key={index} aria-label={`${label} ${index + 1}`}>
          <div class="row">
            <h2>
              {label} {index + 1}
            </h2>
            <button type="button" class="btn quiet" onClick={() => filling.drop(node)}>
              {t("Remove")}
            </button>
          </div>
          <Branch filling={filling} node={node} />
        </section>
      ))}
      {instances.length === 0 && <p class="soft">{t("None so far.")}</p>}
      <button type="button" class="btn" onClick={() => filling.add(parent, name)}>
        {t("Add one: {label}", { label })}
      </button>
    </>
  );
}

function words(problem: Problem, node: AnswerNode, form: Form): string {
  const own = form.plain(problem.message, node);
  if (own) return own;
  if (problem.code === "required") return t("An answer is needed.");
  if (problem.code === "constraint") return t("This answer is not allowed.");
  const byType: Record<string, string> = {
    integer: t("Give a whole number."),
    decimal: t("Give a number."),
    date: t("Choose a day."),
    dateTime: t("Choose a day and a time."),
  };
  return byType[node.element.type] ?? t("This answer is not allowed.");
}

function Question({ filling, node }: { filling: Filling; node: AnswerNode }) {
  const { form, language } = filling;
  const { element } = node;
  const id = `q-${node.where()}`;
  const label = form.plain(inLanguage(element.label, language), node);
  if (element.type === "note")
    return (
      <p class="note-text" id={id}>
        {label}
      </p>
    );
  const Widget = WIDGETS[element.type];
  if (!Widget) return null;
  const hint = form.plain(inLanguage(element.hint, language), node);
  const problem = filling.shown.has(node.where()) ? form.problem(node, language) : null;
  const describedBy = [hint && `${id}-hint`, problem && `${id}-error`].filter(Boolean).join(" ") || undefined;
  const isOptional = !element.required;
  const body = (
    <>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {problem && (
        <p class="error" id={`${id}-error`}>
          {words(problem, node, form)}
        </p>
      )}
      <Widget
        form={form}
        node={node}
        language={language}
        id={id}
        label={label}
        describedBy={describedBy}
        isInvalid={problem !== null}
        change={(text) => filling.change(node, text)}
      />
    </>
  );
  const title = (
    <>
      {label}
      {isOptional && <small class="soft"> · {t("optional")}</small>}
    </>
  );
  if (SEVERAL_FIELDS.has(element.type) && !isPlainSelect(node, form)) {
    return (
      <fieldset class="question field" id={`${id}-set`}>
        <legend>{title}</legend>
        {body}
      </fieldset>
    );
  }
  return (
    <div class="question field" id={`${id}-set`}>
      <label class="legend" for={id}>
        {title}
      </label>
      {body}
    </div>
  );
}

function isPlainSelect(node: AnswerNode, form: Form): boolean {
  const count = form.definition.choices[node.element.choices ?? ""]?.length ?? 0;
  return node.element.type === "select_one" && count <= 30 && (node.element.appearance ?? "").includes("minimal");
}
