/** A binary heap of whole numbers, each in it once: the least comes out first. */

export class Heap {
  private readonly items: number[] = [];
  private readonly contents = new Set<number>();

  push(item: number): void {
    if (this.contents.has(item)) return;
    this.contents.add(item);
    const { items } = this;
    let at = items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (items[parent]! <= item) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = item;
  }

  pop(): number | undefined {
    const { items } = this;
    const least = items[0];
    const last = items.pop();
    if (least === undefined || last === undefined) return undefined;
    this.contents.delete(least);
    if (items.length === 0) return least;
    let at = 0;
    for (let child = 1; child < items.length; child = 2 * at + 1) {
      if (child + 1 < items.length && items[child + 1]! < items[child]!) child++;
      if (items[child]! >= last) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = last;
    return least;
  }

  clear(): void {
    this.items.length = 0;
    this.contents.clear();
  }
}
