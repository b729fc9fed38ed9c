/**
 * The screens that a worker does not need to log something, and what Today shows beside what is
 * due: a piece of their own, loaded after Today was drawn. The service worker keeps it with the
 * rest, so they work without signal.
 */

export { AboveDue, BelowDue } from "./today/around_due";
export { Call } from "./crisis_team/call";
export { FromTeam } from "./crisis_team/from_team";
export { UsualKinds } from "./today/usual_kinds";
export { Help } from "./help/help";
export { Practice } from "./first_day/practice";
export { notePlace, readPlace } from "../storage/places";
export { leaveDays } from "./mine/leave_days";
export { Mine } from "./mine/mine";
export { Card } from "./people/card";
export { People } from "./people/people";
export { FetchRecord } from "./to_correct/fetch_record";
export { Where } from "./where/where";
