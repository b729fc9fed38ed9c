/**
 * The screens that a worker does not need to log something: a piece of their own, loaded when one
 * of them is opened. The service worker keeps it with the rest, so they work without signal.
 */

export { Mine } from "./mine/mine";
export { Card } from "./people/card";
export { People } from "./people/people";
export { FetchRecord } from "./to_correct/fetch_record";
export { Where } from "./where/where";
