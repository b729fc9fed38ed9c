/** The instances of a repeat. Many are folded, and one at a time stands open. */

import type { ComponentChildren, ComponentType } from "preact";
import type { AnswerNode } from "../engine/node";
import { t } from "../i18n";
import { readWords, type NodeProps } from "./session";
import { summarizeInstance } from "./summary";
import { Watching } from "./watching";

const UNFOLDED = 3; // instances that stand open side by side

const keys = new WeakMap<AnswerNode, number>();
let lastKey = 0;
/** A key for the list of instances that stays with the instance. */
function keyOf(node: AnswerNode): number {
  const key = keys.get(node) ?? ++lastKey;
  keys.set(node, key);
  return key;
}

export type RepeatProps = NodeProps & {
  name: string; // `node` is what the repeat is in
  Instance: ComponentType<NodeProps>; // draws one instance; handed in, for groups draw repeats too
};

export class RepeatView extends Watching<RepeatProps, { open: AnswerNode | null }> {
  override state = { open: null as AnswerNode | null };

  override render(): ComponentChildren {
    const { session, node: parent, name } = this.props;
    const instances = parent.childrenNamed(name).filter((node) => node.isRelevant);
    const element = session.form.elementsOf(parent).find((each) => each.name === name)!;
    const label = readWords(element.label, session, parent) || name;
    const canChange = !element.count; // else a calculation says how many there are
    return (
      <>
        {instances.map((node) =>
          this.renderInstance(node, label, { canChange, canFold: instances.length > UNFOLDED }),
        )}
        {instances.length === 0 && <p class="soft">{t("None so far.")}</p>}
        {canChange && (
          <button type="button" class="btn" onClick={() => this.addInstance()}>
            {t("Add one: {label}", { label })}
          </button>
        )}
      </>
    );
  }

  private addInstance(): void {
    const { session, node, name } = this.props;
    session.add(node, name);
    this.setState({ open: node.childrenNamed(name).at(-1) ?? null });
  }

  private renderInstance(
    node: AnswerNode,
    label: string,
    { canChange, canFold }: { canChange: boolean; canFold: boolean },
  ): ComponentChildren {
    const { session, node: parent, name, place: above, depth, Instance } = this.props;
    const number = parent.childrenNamed(name).indexOf(node) + 1;
    const place = `${above}[${number}]`;
    const title = `${label} ${number}`;
    const hasProblem = [...session.shown].some((question) => question.startsWith(`${place}.`));
    const isOpen = !canFold || node === this.state.open || hasProblem;
    return (
      <section class="instance" key={keyOf(node)} aria-label={title}>
        <div class="row">
          <h2>{title}</h2>
          {canFold && (
            <button
              type="button"
              class="btn quiet"
              aria-expanded={isOpen}
              onClick={() => this.setState({ open: isOpen ? null : node })}
            >
              {isOpen ? t("Close") : t("Open")}
            </button>
          )}
          {canChange && (
            <button type="button" class="btn quiet" onClick={() => session.drop(node)}>
              {t("Remove")}
            </button>
          )}
        </div>
        {isOpen ? (
          <Instance session={session} node={node} place={place} depth={depth + 1} />
        ) : (
          <p class="soft">{summarizeInstance(session, node)}</p>
        )}
      </section>
    );
  }
}
