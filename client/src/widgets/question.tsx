/**
 * One question: label, hint, widget, error. Groups and repeats: their questions in order.
 *
 * Each part watches its own node of the form and draws itself anew when that node changed, and only then: a keystroke costs
 * the same in a form of ten questions and of a thousand.
 */

import { Component, type ComponentChildren, type FunctionComponent } from "preact";
import { inLanguage, languageOf } from "../engine/definition";
import type { AnswerNode } from "../engine/node";
import type { Form } from "../engine/form";
import type { Problem } from "../engine/types";
import { directionOf, nameOfLanguage, t } from "../i18n";
import { AcknowledgeWidget } from "./acknowledge/view";
import { BarcodeWidget } from "./barcode/view";
import { CaptureWidget } from "./capture/view";
import { ConsentCard } from "./consent/view";
import { DateWidget } from "./date/view";
import { NumberWidget } from "./number/view";
import { PlaceWidget } from "./place/view";
import { type Help, looksOf, type WidgetProps } from "./props";
import { RangeWidget } from "./range/view";
import { RankWidget } from "./rank/view";
import { isDropDown, SelectWidget } from "./select/view";
import { TextWidget } from "./text/view";

const WIDGETS: Record<string, FunctionComponent<WidgetProps>> = {
  text: TextWidget,
  integer: NumberWidget,
  decimal: NumberWidget,
  range: RangeWidget,
  date: DateWidget,
  time: DateWidget,
  dateTime: DateWidget,
  select_one: SelectWidget,
  select_multiple: SelectWidget,
  rank: RankWidget,
  acknowledge: AcknowledgeWidget,
  barcode: BarcodeWidget,
  geopoint: PlaceWidget,
  image: CaptureWidget,
  audio: CaptureWidget,
  file: CaptureWidget,
};
const SEVERAL_FIELDS = new Set([
  "select_one",
  "select_multiple",
  "date",
  "rank",
  "acknowledge",
  "geopoint",
]); // a fieldset
const UNSEEN = new Set(["calculate", "hidden", "metadata"]);
const AT_FIRST = 30; // questions of a page that are drawn before the rest
const AT_ONCE = 12;
const BREATH = 20; // milliseconds between two pieces, for taps and keys
const UNFOLDED = 3; // instances of a repeat that stand open side by side

export interface Filling {
  form: Form;
  language: string;
  help: Help;
  shown: ReadonlySet<string>; // questions whose problems may show: those left or tried to leave
  watch: (node: AnswerNode, redraw: () => void) => () => void;
  change: (node: AnswerNode, text: string) => void;
  add: (parent: AnswerNode, name: string) => void;
  drop: (node: AnswerNode) => void;
}

type NodeProps = { filling: Filling; node: AnswerNode; place: string; depth: number };

const keys = new WeakMap<AnswerNode, number>();
let made = 0;
/** A key for the list of a repeat's instances that stays with the instance. */
function keyOf(node: AnswerNode): number {
  let key = keys.get(node);
  if (key === undefined) keys.set(node, (key = made++));
  return key;
}

const within = (place: string, name: string): string => (place ? `${place}.${name}` : name);

abstract class Watching<P extends NodeProps, S = object> extends Component<P, S> {
  private stop: () => void = () => undefined;

  override componentDidMount(): void {
    this.stop = this.props.filling.watch(this.props.node, () => this.forceUpdate());
  }

  override componentWillUnmount(): void {
    this.stop();
  }

  override shouldComponentUpdate(next: Readonly<P>, state: Readonly<S>): boolean {
    const { filling, node, place } = this.props;
    return (
      next.filling !== filling || next.node !== node || next.place !== place || state !== this.state
    );
  }

  override componentDidUpdate(before: Readonly<P>): void {
    if (before.node === this.props.node && before.filling.watch === this.props.filling.watch)
      return;
    this.stop();
    this.componentDidMount();
  }
}

export class Branch extends Watching<NodeProps, { drawn: number }> {
  override state = { drawn: this.after(0, AT_FIRST) };
  private timer: ReturnType<typeof setTimeout> | undefined;

  override componentDidMount(): void {
    super.componentDidMount();
    this.drawMore();
  }

  override componentWillUnmount(): void {
    clearTimeout(this.timer);
    super.componentWillUnmount();
  }

  /** How many of the elements are drawn once so many questions more are. */
  private after(drawn: number, questions: number): number {
    const { filling, node } = this.props;
    const elements = filling.form.elementsOf(node);
    for (let weight = 0; drawn < elements.length && weight < questions; drawn++) {
      if (UNSEEN.has(elements[drawn]!.type)) continue;
      const inner = node.childrenNamed(elements[drawn]!.name)[0];
      weight += inner ? filling.form.elementsOf(inner).length || 1 : 1;
    }
    return drawn;
  }

  /** A long page is drawn piece by piece: its first questions can be answered while the rest is still to come. */
  private drawMore(): void {
    if (this.state.drawn >= this.props.filling.form.elementsOf(this.props.node).length) return;
    this.timer = setTimeout(() => {
      this.setState({ drawn: this.after(this.state.drawn, AT_ONCE) });
      this.drawMore();
    }, BREATH);
  }

  override render(): ComponentChildren {
    const { filling, node, place, depth } = this.props;
    const { element } = node;
    if (!node.isRelevant) return null;
    if (element.kind === "question") return <Question {...this.props} />;
    const label =
      depth > 1 && element.kind === "group" ? wordsOf(element.label, filling, node) : "";
    const all = filling.form.elementsOf(node);
    const elements = filling.shown.size > 0 ? all : all.slice(0, this.state.drawn); // problems are never left undrawn
    return (
      <>
        {label && <h2 class="section">{label}</h2>}
        {elements.map((inner) => {
          const here = within(place, inner.name);
          if (inner.kind === "repeat")
            return (
              <Repeat
                key={inner.path}
                filling={filling}
                node={node}
                name={inner.name}
                place={here}
                depth={depth}
              />
            );
          return node
            .childrenNamed(inner.name)
            .map((child) => (
              <Branch
                key={inner.path}
                filling={filling}
                node={child}
                place={here}
                depth={depth + 1}
              />
            ));
        })}
      </>
    );
  }
}

/** The instances of a repeat; `node` is what it stands in. Many are folded, and one at a time stands open. */
export class Repeat extends Watching<NodeProps & { name: string }, { open: AnswerNode | null }> {
  override state = { open: null as AnswerNode | null };

  override render(): ComponentChildren {
    const { filling, node: parent, name, place, depth } = this.props;
    const all = parent.childrenNamed(name);
    const instances = all.filter((node) => node.isRelevant);
    const element = filling.form.elementsOf(parent).find((one) => one.name === name)!;
    const label = wordsOf(element.label, filling, parent) || name;
    const isFolding = instances.length > UNFOLDED;
    const hasProblem = (here: string): boolean =>
      [...filling.shown].some((one) => one.startsWith(`${here}.`));
    return (
      <>
        {instances.map((node) => {
          const here = `${place}[${all.indexOf(node) + 1}]`;
          const title = `${label} ${all.indexOf(node) + 1}`;
          const isOpen = !isFolding || node === this.state.open || hasProblem(here);
          return (
            <section class="instance" key={keyOf(node)} aria-label={title}>
              <div class="row">
                <h2>{title}</h2>
                {isFolding && (
                  <button
                    type="button"
                    class="btn quiet"
                    aria-expanded={isOpen}
                    onClick={() => this.setState({ open: isOpen ? null : node })}
                  >
                    {isOpen ? t("Close") : t("Open")}
                  </button>
                )}
                {!element.count && (
                  <button type="button" class="btn quiet" onClick={() => filling.drop(node)}>
                    {t("Remove")}
                  </button>
                )}
              </div>
              {isOpen ? (
                <Branch filling={filling} node={node} place={here} depth={depth + 1} />
              ) : (
                <p class="soft">{summary(filling, node)}</p>
              )}
            </section>
          );
        })}
        {instances.length === 0 && <p class="soft">{t("None so far.")}</p>}
        {!element.count && (
          <button
            type="button"
            class="btn"
            onClick={() => {
              filling.add(parent, name);
              this.setState({ open: parent.childrenNamed(name).at(-1) ?? null });
            }}
          >
            {t("Add one: {label}", { label })}
          </button>
        )}
      </>
    );
  }
}

/** The first answers of a folded instance. */
function summary(filling: Filling, node: AnswerNode): string {
  const texts = node
    .allChildren()
    .filter(
      (child) =>
        child.isRelevant &&
        child.text &&
        child.text.length < 200 &&
        !child.element.calculate &&
        child.element.label,
    )
    .slice(0, 3)
    .map((child) => {
      const choice = filling.form.lists.choice(child.element.choices ?? "", child.text);
      return choice ? filling.form.labelOf(choice, filling.language, child) : child.text;
    });
  return texts.join(" · ") || t("Nothing answered yet.");
}

function wordsOf(
  words: AnswerNode["element"]["label"],
  { form, language }: Filling,
  node: AnswerNode,
): string {
  return form.plain(inLanguage(words, language), node);
}

function problemWords(problem: Problem, node: AnswerNode, form: Form): string {
  const own = form.plain(problem.message, node);
  if (own) return own;
  if (problem.code === "required") return t("An answer is needed.");
  if (problem.code === "constraint") return t("This answer is not allowed.");
  const byType: Record<string, string> = {
    integer: t("Give a whole number."),
    decimal: t("Give a number."),
    range: t("Give a number on the scale."),
    date: t("Choose a day."),
    time: t("Choose a time."),
    dateTime: t("Choose a day and a time."),
    rank: t("Put every choice in order."),
    image: t("Take a picture of 150 KB at most."),
  };
  return byType[node.element.type] ?? t("This answer is not allowed.");
}

function Question({ filling, node, place }: NodeProps) {
  const { form, language } = filling;
  const { element } = node;
  if (UNSEEN.has(element.type)) return null;
  const id = `q-${place}`;
  const label = wordsOf(element.label, filling, node);
  if (element.type === "note" && looksOf(node).includes("consent-card"))
    return <ConsentCard form={form} node={node} language={language} id={id} />;
  const spoken = languageOf(element.label, language);
  const isForeign = label !== "" && spoken !== language;
  const own = isForeign ? { lang: spoken, dir: directionOf(spoken) } : {};
  if (element.type === "note")
    return (
      <p class="note-text" id={id} {...own}>
        {label}
        {element.hint && <small class="soft"> {wordsOf(element.hint, filling, node)}</small>}
      </p>
    );
  const Widget = WIDGETS[element.type];
  if (!Widget) return null;
  const hint = wordsOf(element.hint, filling, node);
  const guidance = wordsOf(element.guidance, filling, node);
  const problem = filling.shown.has(place) ? form.problem(node, language) : null;
  const describedBy =
    [hint && `${id}-hint`, problem && `${id}-error`].filter(Boolean).join(" ") || undefined;
  const isFixed = element.calculate !== undefined || form.holds(element.readonly, node);
  const body = (
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
      {problem && (
        <p class="error" id={`${id}-error`}>
          {problemWords(problem, node, form)}
        </p>
      )}
      {isFixed ? (
        <output id={id} class="fixed">
          {shownAnswer(form, node, language) || "–"}
        </output>
      ) : (
        <Widget
          form={form}
          node={node}
          language={language}
          id={id}
          label={label}
          describedBy={describedBy}
          isInvalid={problem !== null}
          help={filling.help}
          set={filling.change}
          change={(text) => filling.change(node, text)}
        />
      )}
    </>
  );
  const title = (
    <>
      <span {...own}>{label}</span>
      {isForeign && <small class="tag wait">{nameOfLanguage(spoken)}</small>}
      {!element.required && !isFixed && <small class="soft"> · {t("optional")}</small>}
    </>
  );
  if (SEVERAL_FIELDS.has(element.type) && !isFixed && !isDropDown(form, node)) {
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

function shownAnswer(form: Form, node: AnswerNode, language: string): string {
  const names = node.element.type === "select_one" ? [node.text] : node.text.split(" ");
  return names
    .map((name) => {
      const choice = form.lists.choice(node.element.choices ?? "", name);
      return choice ? form.labelOf(choice, language, node) : name;
    })
    .join(node.element.choices ? ", " : " ");
}
