/** A group: its questions, groups and repeats in order. */

import type { ComponentChildren } from "preact";
import type { Element } from "../engine/definition";
import { isPassedOver } from "../engine/standing";
import { Question } from "./question";
import { RepeatView } from "./repeat_later";
import { readWords, UNSEEN, type NodeProps } from "./session";
import { Watching } from "./watching";

const AT_FIRST = 30; // questions of a page that are drawn before the rest
const AT_ONCE = 12;
const BREATH = 20; // milliseconds between two pieces, for taps and keys

export class GroupView extends Watching<NodeProps, { drawn: number }> {
  override state = { drawn: this.countDrawn(0, AT_FIRST) };
  private timer: ReturnType<typeof setTimeout> | undefined;

  override componentDidMount(): void {
    super.componentDidMount();
    this.drawMore();
  }

  override componentWillUnmount(): void {
    clearTimeout(this.timer);
    super.componentWillUnmount();
  }

  /** How many of the elements are drawn once so many more questions are. */
  private countDrawn(drawn: number, questions: number): number {
    const { session, node } = this.props;
    const elements = session.form.elementsOf(node);
    let count = drawn;
    for (let weight = 0; count < elements.length && weight < questions; count++) {
      const element = elements[count]!;
      if (UNSEEN.has(element.type)) continue;
      const inner = node.childrenNamed(element.name)[0];
      weight += inner ? session.form.elementsOf(inner).length || 1 : 1;
    }
    return count;
  }

  /** Draw a long page piece by piece: its first questions can be answered meanwhile. */
  private drawMore(): void {
    const { session, node } = this.props;
    if (this.state.drawn >= session.form.elementsOf(node).length) return;
    this.timer = setTimeout(() => {
      this.setState({ drawn: this.countDrawn(this.state.drawn, AT_ONCE) });
      this.drawMore();
    }, BREATH);
  }

  override render(): ComponentChildren {
    const { session, node, depth } = this.props;
    const { element } = node;
    if (!node.isRelevant) return null;
    if (element.kind === "question") return <Question {...this.props} />;
    if (isPassedOver(session.form, node)) return null;
    const isTitled = depth > 1 && element.kind === "group";
    const label = isTitled ? readWords(element.label, session, node) : "";
    const all = session.form.elementsOf(node);
    // Problems are never left undrawn.
    const elements = session.shown.size > 0 ? all : all.slice(0, this.state.drawn);
    return (
      <>
        {label && <h2 class="section">{label}</h2>}
        {elements.map((inner) => this.renderElement(inner))}
      </>
    );
  }

  private renderElement(element: Element): ComponentChildren {
    const { session, node, place, depth } = this.props;
    const { path, name, kind } = element;
    const inside = place ? `${place}.${name}` : name;
    const common = { session, place: inside };
    if (kind === "repeat") {
      const repeat = { ...common, node, depth, name };
      return <RepeatView key={path} {...repeat} Instance={GroupView} />;
    }
    return node
      .childrenNamed(name)
      .map((child) => <GroupView key={path} {...common} node={child} depth={depth + 1} />);
  }
}
