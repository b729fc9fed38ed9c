/**
 * What test files get for "node:test" (test/unit.mjs sees to it): what a file says at its top level
 * is kept until the file is read, and then stands in a suite of the file's own. So its hooks are
 * for its own tests, though all files run in one process.
 */

import * as node from "node:test";

export * from "node:test";

let collected = null; // while a file is read

const collect =
  (register) =>
  (...args) => {
    if (collected) collected.push(() => register(...args));
    else register(...args);
  };

export const describe = collect(node.describe);
export const suite = describe;
export const it = collect(node.it);
export const test = it;
export const before = collect(node.before);
export const after = collect(node.after);
export const beforeEach = collect(node.beforeEach);
export const afterEach = collect(node.afterEach);

/** Read a file and run its tests, with globals that nothing of it is left in afterwards. */
export async function runFile(name, read, isKept) {
  const globals = Object.getOwnPropertyDescriptors(globalThis);
  collected = [];
  await read();
  const registrations = collected;
  collected = null;
  await new Promise((finished) => {
    node.describe(name, () => {
      node.after(finished);
      for (const register of registrations) register();
    });
  });
  for (const key of Object.getOwnPropertyNames(globalThis)) {
    const descriptor = Object.getOwnPropertyDescriptor(globalThis, key);
    if (isKept(key) || descriptor.value === globals[key]?.value) continue;
    if (globals[key]) Object.defineProperty(globalThis, key, globals[key]);
    else delete globalThis[key];
  }
}
