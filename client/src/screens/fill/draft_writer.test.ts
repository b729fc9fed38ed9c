import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { rest, Timers } from "../../../test/timers";
import { DraftWriter, type SaveState } from "./draft_writer";

const PAUSE = 300;

/** A store whose writes end when a test says so. */
class SlowStore {
  readonly started: (() => void)[] = [];
  writes = 0;
  isFull = false;

  save = (): Promise<void> => {
    this.writes++;
    if (this.isFull) return Promise.reject(new Error("full"));
    return new Promise((done) => this.started.push(done));
  };

  /** End the oldest write. */
  async finishOne(): Promise<void> {
    this.started.shift()!();
    await rest();
  }
}

describe("writing a draft", () => {
  let store: SlowStore;
  let states: SaveState[];
  let writer: DraftWriter;
  let timers: Timers;

  beforeEach(() => {
    timers = new Timers();
    store = new SlowStore();
    states = [];
    writer = new DraftWriter(store.save, (state) => states.push(state), false);
  });

  afterEach(() => timers.release());

  it("waits until the keys rest", async () => {
    writer.scheduleWrite();
    timers.tick(PAUSE - 1);
    writer.scheduleWrite();
    timers.tick(PAUSE - 1);
    await rest();
    assert.equal(store.writes, 0);
    timers.tick(1);
    await rest();
    assert.equal(store.writes, 1);
  });

  it("says that it saves, and that it has saved", async () => {
    writer.scheduleWrite();
    assert.deepEqual(states, ["saving"]);
    timers.tick(PAUSE);
    await rest();
    await store.finishOne();
    assert.deepEqual(states, ["saving", "saved"]);
  });

  it("never starts a write before the one before it has ended", async () => {
    void writer.write();
    void writer.write();
    await rest();
    assert.equal(store.writes, 1);
    await store.finishOne();
    assert.equal(store.writes, 2);
  });

  it("does not say saved while a newer answer waits", async () => {
    writer.scheduleWrite();
    timers.tick(PAUSE);
    await rest();
    writer.scheduleWrite();
    await store.finishOne();
    assert.deepEqual(states, ["saving", "saving"]);
    timers.tick(PAUSE);
    await rest();
    await store.finishOne();
    assert.equal(states.at(-1), "saved");
  });

  it("says so when the phone has no room, and tries again with the next answer", async () => {
    store.isFull = true;
    await writer.write();
    assert.deepEqual(states, ["failed"]);
    store.isFull = false;
    writer.scheduleWrite();
    timers.tick(PAUSE);
    await rest();
    await store.finishOne();
    assert.equal(states.at(-1), "saved");
  });

  it("writes nothing for a form that nobody touched", async () => {
    await writer.writeIfTouched();
    assert.equal(store.writes, 0);
    assert.equal(writer.isUnfinished, false);
    writer.touch();
    void writer.writeIfTouched();
    await rest();
    assert.equal(store.writes, 1);
    assert.equal(writer.isUnfinished, true);
  });

  it("writes nothing more once it is closed, not even what was scheduled", async () => {
    writer.scheduleWrite();
    await writer.close();
    timers.tick(PAUSE);
    await writer.write();
    assert.equal(store.writes, 0);
    assert.equal(writer.isUnfinished, false);
  });

  it("closes only after the write that is under way", async () => {
    void writer.write();
    await rest();
    let isClosed = false;
    void writer.close().then(() => (isClosed = true));
    await rest();
    assert.equal(isClosed, false);
    await store.finishOne();
    assert.equal(isClosed, true);
  });

  it("writes again when the draft could not be finished", async () => {
    await writer.close();
    writer.reopen();
    assert.deepEqual(states, ["failed"]);
    void writer.write();
    await rest();
    assert.equal(store.writes, 1);
  });
});
