/** That another phone joined in this worker's name. */

import { t } from "../../i18n";
import { saveAccount } from "../../storage/vault";
import { formatMoment } from "../day";
import { useApp } from "../state";

/** Says so of each phone until the worker has read it. */
export function JoinedPhones() {
  const { vault, refresh } = useApp();
  const { joined = [], seenPhones = [] } = vault.account;
  const dismiss = async (device: string): Promise<void> => {
    // Only what is still listed: the list would grow for ever.
    const seen = seenPhones.filter((each) => joined.some((phone) => phone.device === each));
    vault.account.seenPhones = [...seen, device];
    await saveAccount(vault);
    await refresh();
  };
  return (
    <>
      {joined
        .filter(({ device }) => !seenPhones.includes(device))
        .map(({ device, label, at }) => (
          <p class="state danger" role="status" key={device}>
            {t(
              "Another phone joined in your name: {phone}, {when}. Was it not you? Tell your centre now: they can lock that phone.",
              { phone: label, when: formatMoment(Date.parse(at)) },
            )}{" "}
            <button type="button" class="link" onClick={() => void dismiss(device)}>
              {t("It was me")}
            </button>
          </p>
        ))}
    </>
  );
}
