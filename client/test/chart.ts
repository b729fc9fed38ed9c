/** The map's canvas for measuring: window.chart.Chart. */

export { Chart } from "../src/map/area_map";
