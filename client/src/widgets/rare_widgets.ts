/** What few forms ask for: a piece of its own. */

export { CaptureWidget } from "./capture/widget";
export { DateTimeWidget, MonthField, TimeWidget, YearField } from "./date/widget";
export { IdentifierWarning } from "./identifier_warning";
export { CellWidget, MyPlace } from "./place_by_fix/widget";
export { PlaceWidget } from "./place/widget";
export { RangeWidget } from "./range/widget";
export { RankWidget } from "./rank/widget";
export { RepeatView } from "./repeat";
export { Scanner } from "./scanner";
