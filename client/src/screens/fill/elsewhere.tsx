/** A record that is not there in the way that its address says. */

import { useEffect } from "preact/hooks";
import { t } from "../../i18n";
import { replaceWith, useApp } from "../state";
import { NotHere } from "./not_here";

interface ElsewhereProps {
  id: string;
  as: "fill" | "record"; // what it may be instead: a draft again, or finished
}

/** Shows the record as what it is by now, as after Back and Forward; else says that it is gone. */
export function Elsewhere({ id, as }: ElsewhereProps) {
  const { lines, drafts } = useApp();
  const isIt = (each: { id: string; hasCopy?: boolean }): boolean =>
    each.id === id && (as === "fill" || each.hasCopy === true);
  const isThere = (as === "fill" ? drafts : lines).some(isIt);
  useEffect(() => {
    if (isThere) replaceWith(`/${as}/${id}`);
  }, [isThere]);
  if (isThere) return null;
  return (
    <NotHere
      title={t("This is not on the phone")}
      text={t("The record was finished or deleted, or belongs to somebody else.")}
    />
  );
}
