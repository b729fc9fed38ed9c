/** What few exchanges need: a piece of its own. */

export { eraseUnsent } from "../storage/ended_cards";
export { letGo } from "../storage/keeping";
export { forgetOldCopies } from "../storage/old_copies";
export { migrateFirstVersion } from "../storage/first_version";
export { exchangeLabels, forgetSealedLabels, learnPassword, openWithPassword } from "./labels";
