/**
 * The screens that a worker does not need to log something, and what Today shows beside what is
 * due: a piece of their own, loaded after Today was drawn. The service worker keeps it with the
 * rest, so they work without signal.
 */

export { FirstDay } from "./first_day/first_day";
export { Practice } from "./first_day/practice";
export { Referrals } from "./to_correct/referrals";
export { ToCorrect } from "./to_correct/to_correct";
export { Drafts } from "./today/drafts";
export { ErasedDrafts } from "./today/erased_drafts";
export { OpenIncidents } from "./today/open_incidents";
export { ShiftLine } from "./today/shift_line";
export { Week } from "./today/week";
export { leaveDays } from "./mine/leave_days";
export { Mine } from "./mine/mine";
export { Card } from "./people/card";
export { People } from "./people/people";
export { FetchRecord } from "./to_correct/fetch_record";
export { Where } from "./where/where";
