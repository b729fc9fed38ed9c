/** Where and when to go: the centre's last map, which works without signal. */

import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { currentLanguage, t } from "../../i18n";
import { findAreaList } from "../../engine/roles";
import type { Outlines } from "../../engine/areas";
import type { Night, Spots, SpotWords } from "../../map/spot_data";
import type { SpotMapProps } from "../../map/spot_map";
import { findOutlines } from "../../storage/forms";
import { type Maps, readMaps } from "../../storage/maps";
import { formatDay } from "../day";
import { Tabs, Top } from "../parts";
import { useApp } from "../state";

declare const MAP_STYLE: string; // filled in by the build: the address of its styles

const makeWords = (): SpotWords => ({
  all: t("All times"),
  areas: t("Neighbourhoods"),
  before: t("Before"),
  busy: t("Busier than usual, over all neighbourhoods: {times}."),
  chart: t("Map"),
  closer: t("Closer"),
  farther: t("Farther"),
  even: t("No time is busier than chance explains."),
  few: t("too few to show"),
  go: t("Places and times"),
  legend: t(
    "Dark: more than expected for our hours there at night. Light: about as expected. Dashed: we were not there, so nobody knows.",
  ),
  more: t("more than expected"),
  not_there: t("we were not there"),
  map: t("Map of the neighbourhoods; the same is in the table below"),
  nothing: t("Too few to name a place and time. Choose a longer span, or all times."),
  number: t("Number"),
  place: t("Neighbourhood"),
  sentence: t("{place}: {day}, {time} ({n})"),
  spot: t("For our hours there"),
  table: t("All neighbourhoods"),
  times: t("Days and times; choose some to narrow the map"),
  usual: t("about as expected"),
  what: t("What to show"),
  when: t("When"),
  whole: t("Whole city"),
});

type Span = "week" | "month";
const MORNING = 6; // until then it is still the night that began the day before

const findTonight = (now: Date): Night => {
  const begun = new Date(now);
  begun.setHours(now.getHours() - MORNING);
  return begun.getDay() >= 5 ? "weekend" : "week";
};

/** The map and what it is drawn from, once both are here; it is a piece of the app of its own. */
interface LoadedMap {
  SpotMap: ComponentType<SpotMapProps>;
  outlines: Outlines | null;
}

async function loadMap(user: number, areaList: string): Promise<LoadedMap> {
  const [{ SpotMap }, outlines] = await Promise.all([
    import("../../map/spot_map"),
    findOutlines(user, areaList),
  ]);
  return { SpotMap, outlines };
}

export function Where() {
  const { vault, forms, health } = useApp(); // health is read anew with all that came
  const [maps, setMaps] = useState<Maps<Spots> | null | undefined>(undefined);
  const [loaded, setLoaded] = useState<LoadedMap | null>(null);
  const [span, setSpan] = useState<Span>("week");
  useEffect(() => {
    if (!maps) void readMaps<Spots>(vault).then(setMaps);
  }, [vault, health]);
  // Outlines come after the maps: a screen that was open before is drawn again once they are here.
  useEffect(() => {
    if (!loaded?.outlines) void loadMap(vault.account.user, findAreaList(forms)).then(setLoaded);
  }, [vault, health]);
  const spots = maps?.maps[span] ?? null;
  const language = currentLanguage();
  return (
    <>
      <Top title={t("Where and when")} />
      <main class="screen" id="main">
        {maps === null && (
          <p class="empty">
            {t(
              "No map on this phone yet. It comes with the next sync, when your centre builds one.",
            )}
          </p>
        )}
        {maps && <ChooseSpan span={span} choose={setSpan} />}
        {maps && !spots && <p class="empty">{t("Your centre has not built this map yet.")}</p>}
        {spots && (
          <p class="soft">
            {t("Up to {day}. Rounded to 5; numbers under {n}, or all on one day, are hidden.", {
              day: formatDay(spots.last),
              n: spots.threshold,
            })}
          </p>
        )}
        <link rel="stylesheet" href={MAP_STYLE} />
        <div class="spots" key={span}>
          {maps && spots && loaded && (
            <loaded.SpotMap
              key={String(loaded.outlines !== null)}
              spots={spots}
              outlines={loaded.outlines}
              viewer={maps.viewer}
              words={makeWords()}
              language={language}
              night={findTonight(new Date())}
            />
          )}
        </div>
      </main>
      <Tabs here="new" />
    </>
  );
}

function ChooseSpan({ span, choose }: { span: Span; choose: (span: Span) => void }) {
  return (
    <div class="row start">
      {(["week", "month"] as const).map((each) => (
        <button
          type="button"
          key={each}
          class="btn quiet"
          aria-pressed={span === each}
          onClick={() => choose(each)}
        >
          {each === "week" ? t("Four weeks") : t("Twelve weeks")}
        </button>
      ))}
    </div>
  );
}
