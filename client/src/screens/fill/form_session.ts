/** A form while it is filled in: who draws what of it again, and when its answers are written. */

import { useEffect, useMemo, useState } from "preact/hooks";
import type { Form } from "../../engine/form";
import type { AnswerNode } from "../../engine/node";
import { CONSENT_ASKED, CONSENT_STANDING } from "../../engine/roles";
import type { FormSession } from "../../widgets/session";
import { DraftWriter, type SaveState } from "./draft_writer";
import type { Keeper } from "./keeper";

const DECISIVE = ["person", CONSENT_ASKED, CONSENT_STANDING]; // is consent asked, or does it stand

/** Draw again what shows a node that changed, and the pages when one of them may come or go. */
export function useWatchers(form: Form): FormSession["watch"] {
  const [, redraw] = useState(0);
  const watchers = useMemo(() => new Map<AnswerNode, Set<() => void>>(), []);
  useEffect(() => {
    form.onChange = (nodes) => {
      for (const node of nodes) for (const draw of watchers.get(node) ?? []) draw();
      const isOfPages = ({ depth, element }: AnswerNode): boolean =>
        depth === 2 || DECISIVE.some((role) => form.definition.summary[role] === element.path);
      if ([...nodes].some(isOfPages)) redraw((n) => n + 1);
    };
  }, []);
  return (node, draw) => {
    const draws = watchers.get(node) ?? new Set();
    watchers.set(node, draws.add(draw));
    return () => draws.delete(draw);
  };
}

/** A writer that also writes when the app goes into the background, and when the pages go away. */
export function useWriter(
  save: () => Promise<void>,
  keeper: Keeper,
  isTouched: boolean,
): { writer: DraftWriter; saveState: SaveState } {
  const [saveState, setSaveState] = useState<SaveState>("saved");
  const writer = useMemo(() => new DraftWriter(save, setSaveState, isTouched), []);
  useEffect(() => {
    const writeHidden = (): void => void writer.writeIfTouched();
    document.addEventListener("visibilitychange", writeHidden);
    return () => {
      document.removeEventListener("visibilitychange", writeHidden);
      if (writer.isUnfinished) void writer.write().then(() => keeper.close());
    };
  }, []);
  return { writer, saveState };
}

/** What questions ask of the form they are in; each change is followed up, and written. */
export function makeSession(
  view: Pick<FormSession, "form" | "language" | "shown" | "sentBack" | "help" | "watch">,
  writer: DraftWriter,
  changed: (place: string) => void,
): FormSession {
  const { form } = view;
  return {
    ...view,
    change: (node, text) => {
      form.set(node, text);
      changed(node.where());
      writer.scheduleWrite();
    },
    add: (parent, name) => {
      const element = form.elementsOf(parent).find((each) => each.name === name)!;
      form.addInstance(parent, element);
      writer.scheduleWrite();
    },
    drop: (node) => {
      form.removeInstance(node);
      writer.scheduleWrite();
    },
  };
}
