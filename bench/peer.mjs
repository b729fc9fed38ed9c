// A peer's engine from npm, @getodk/xforms-engine (no screens): load an XForm, change one answer, and time it.

import { createInstance } from "@getodk/xforms-engine";

const find = (node, nodeset) => {
  for (const child of node.currentState.children ?? []) {
    if (child.currentState.reference === nodeset) return child;
    if (nodeset.startsWith(`${child.currentState.reference}/`)) return find(child, nodeset);
  }
  return null;
};

window.peer = async (xform, changed, watched, times) => {
  const start = performance.now();
  const result = await createInstance(xform);
  if (!result.root) throw result.error ?? new Error(result.status);
  const loaded = performance.now() - start;
  const input = find(result.root, changed);
  const total = find(result.root, watched);
  const took = [];
  for (let turn = 0; turn < times; turn++) {
    const before = performance.now();
    input.setValue(BigInt(turn + 2));
    total.currentState.value;
    took.push(performance.now() - before);
  }
  took.sort((a, b) => a - b);
  return { loaded, change: took[took.length >> 1], total: String(total.currentState.value) };
};
