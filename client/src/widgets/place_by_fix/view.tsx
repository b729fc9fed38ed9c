import { loadLater } from "../load_later";

export const MyPlace = loadLater((widgets) => widgets.MyPlace, true);
export const CellWidget = loadLater((widgets) => widgets.CellWidget);
