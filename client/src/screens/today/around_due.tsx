/** What Today shows above and below what is due, a moment after it was drawn. */

import { AskTeam } from "../crisis_team/from_team";
import { FirstDay } from "../first_day/first_day";
import { useApp } from "../state";
import { Referrals } from "../to_correct/referrals";
import { ToCorrect } from "../to_correct/to_correct";
import { Drafts } from "./drafts";
import { ErasedDrafts } from "./erased_drafts";
import { HandOverRecords } from "./hand_over_records";
import { JoinedPhones } from "./joined_phones";
import { OpenIncidents } from "./open_incidents";
import { ShiftLine } from "./shift_line";
import { Week } from "./week";

export function AboveDue() {
  const { book, ledger, drafts } = useApp();
  // Not of somebody who has people already, and comes with a new phone.
  const isFirstDay = ledger.made === 0 && drafts.length === 0 && book.people.length === 0;
  return (
    <>
      {isFirstDay && <FirstDay />}
      <JoinedPhones />
      <ErasedDrafts />
      <ShiftLine />
      <ToCorrect />
      <AskTeam />
    </>
  );
}

export function BelowDue() {
  return (
    <>
      <OpenIncidents />
      <HandOverRecords />
      <Referrals />
      <Drafts />
      <Week />
    </>
  );
}
