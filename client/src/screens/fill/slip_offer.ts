/** Offering a slip before a record is sealed: only so can the person still do without it. */

import { useRef, useState } from "preact/hooks";

export interface SlipOffer {
  slip: string; // that is offered; "" while none is
  isMade: boolean; // the form is not shown any more
  /** Show a new slip; return it once they have it, "" when they do not want it. */
  make: (slip: string) => Promise<string>;
  choose: (isTaken: boolean) => void;
  /** Show the form again: the record could not be finished. */
  end: () => void;
}

/** The slip is in memory alone, and no longer than it is shown. */
export function useSlipOffer(): SlipOffer {
  const [slip, setSlip] = useState("");
  const [isMade, setMade] = useState(false);
  const answer = useRef<((slip: string) => void) | null>(null);
  return {
    slip,
    isMade,
    make: (newSlip) =>
      new Promise((done) => {
        setSlip(newSlip);
        answer.current = done;
        setMade(true);
      }),
    choose: (isTaken) => {
      setSlip("");
      answer.current?.(isTaken ? slip : "");
    },
    end: () => setMade(false),
  };
}
