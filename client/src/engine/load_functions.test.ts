import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { OF_ALL, PLAIN } from "./functions";
import { loadFunctions, RARE } from "./load_functions";
import { RARE_OF_ALL, RARE_PLAIN } from "./rare_functions";

describe("functions that few forms call", () => {
  it("are listed with those that are fetched", () => {
    assert.deepEqual([...Object.keys(RARE_OF_ALL), ...Object.keys(RARE_PLAIN)].sort(), RARE);
  });

  it("are fetched with a form that calls one, and for no other", async () => {
    await loadFunctions('["call","count-selected",[["path","/",[["child","digest"]]]]]');
    await loadFunctions('{"summary":{"area":"/data/nbhd"}}');
    assert.equal(PLAIN.digest, undefined);
    await loadFunctions('["call","digest",[["s","abc"],["s","MD5"]]]');
    assert.equal(PLAIN.digest!("abc", "MD5", "hex"), "900150983cd24fb0d6963f7d28e17f72");
    assert.ok(OF_ALL.distance);
  });
});
