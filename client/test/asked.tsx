/** Questions on a page, answered as a worker does: ask([{ type: "integer", name: "age" }]). */

import { show, type Shown } from "./page";
import { Filled, type Row } from "./forms";
import type { AnswerNode } from "../src/engine/node";
import { GroupView } from "../src/widgets/group";
import { NO_HELP, type Help } from "../src/widgets/props";
import type { FormSession } from "../src/widgets/session";

interface AskOptions {
  language?: string;
  problems?: string[]; // places of questions whose problems show
  help?: Partial<Help>;
}

type FilledOptions = NonNullable<ConstructorParameters<typeof Filled>[2]>;

export interface Asked {
  filled: Filled;
  shown: Shown;
  /** How often each part was drawn again because of a change. */
  redrawn: () => number;
}

export async function ask(
  rows: Row[],
  { language = "en", problems = [], help = {}, ...extras }: AskOptions & FilledOptions = {},
): Promise<Asked> {
  const filled = new Filled(rows, null, extras);
  const { form } = filled;
  const watchers = new Map<AnswerNode, Set<() => void>>();
  let count = 0;
  form.onChange = (nodes) => {
    for (const node of nodes) {
      for (const draw of watchers.get(node) ?? []) {
        count++;
        draw();
      }
    }
  };
  const session: FormSession = {
    form,
    language,
    shown: new Set(problems),
    sentBack: new Map(),
    help: { ...NO_HELP, ...help },
    watch: (node, draw) => {
      const draws = watchers.get(node) ?? new Set();
      watchers.set(node, draws.add(draw));
      return () => draws.delete(draw);
    },
    change: (node, text) => form.set(node, text),
    add: (parent, name) => {
      form.addInstance(
        parent,
        form.elementsOf(parent).find((each) => each.name === name)!,
      );
    },
    drop: (node) => form.removeInstance(node),
  };
  const shown = await show(<GroupView session={session} node={form.root} place="" depth={1} />);
  return { filled, shown, redrawn: () => count };
}
