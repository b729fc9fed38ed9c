import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seeded } from "../../test/chance";
import { Heap } from "./heap";

function drain(heap: Heap): number[] {
  const items: number[] = [];
  for (let item = heap.pop(); item !== undefined; item = heap.pop()) items.push(item);
  return items;
}

describe("the heap", () => {
  it("gives nothing when it is empty", () => {
    const heap = new Heap();
    assert.equal(heap.pop(), undefined);
    heap.push(1);
    heap.clear();
    assert.equal(heap.pop(), undefined);
  });

  it("holds each number once, until it has come out", () => {
    const heap = new Heap();
    for (const item of [3, 3, 1, 3]) heap.push(item);
    assert.equal(heap.pop(), 1);
    heap.push(1);
    heap.push(3);
    assert.deepEqual(drain(heap), [1, 3]);
  });

  it("takes a number again after it was cleared", () => {
    const heap = new Heap();
    heap.push(5);
    heap.clear();
    heap.push(5);
    assert.deepEqual(drain(heap), [5]);
  });

  it("gives the least first, however pushes and pops are mixed", () => {
    const { below, seed } = seeded("heap");
    for (let round = 0; round < 300; round++) {
      const heap = new Heap();
      const model = new Set<number>();
      for (let step = 0; step < 60; step++) {
        if (below(3) > 0) {
          const item = below(40);
          heap.push(item);
          model.add(item);
          continue;
        }
        const least = model.size > 0 ? Math.min(...model) : undefined;
        assert.equal(heap.pop(), least, `seed ${seed}, round ${round}, step ${step}`);
        model.delete(least ?? -1);
      }
      assert.deepEqual(
        drain(heap),
        [...model].sort((a, b) => a - b),
      );
    }
  });
});
