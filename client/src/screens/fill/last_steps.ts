/**
 * What comes after the last question, and what can still be done about a finished record: a piece
 * of its own, which is fetched while the worker answers. The service worker keeps it with the rest.
 */

export { makeSlip, saidYes } from "../../engine/slips";
export { finishDraft } from "../../storage/finishing";
export { hold, release } from "../../storage/hold";
export { finishNote } from "../../storage/notes";
export { changeFinished, deleteFinished } from "./change_finished";
export { FinishedRecord } from "./finished_record";
export { hasReferral, saveLastAnswers } from "./last_answers";
export { Saved } from "./saved";
export { SlipScreen } from "./slip_screen";
