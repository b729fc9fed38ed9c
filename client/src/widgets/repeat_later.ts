/** The instances of a repeat, which few forms have. */

import { loadLater } from "./load_later";
import type { RepeatProps } from "./repeat";

export const RepeatView = loadLater<RepeatProps>((widgets) => widgets.RepeatView);
