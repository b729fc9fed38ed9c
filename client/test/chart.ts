/** The map's canvas for measuring: window.chart.AreaMap. */

export { AreaMap } from "../src/map/area_map";
