// Charts: data-chart='{days, series: [{name, values, dashed, thin, connect}], unit}', data-limits='[140,90]' draws lines the values should stay under.
// spaced: days stand as far apart as they are.  span: what the axis of values shows at least, so that a small change looks small.
// kind "bar" or "line" (default). Tooltips are drawn on the canvas: no markup, no inline style.

const COLOURS = ["#11705e", "#d9772b", "#3f6fb5", "#8a5aa8", "#96620b"];

export function draw(element) {
  const told = JSON.parse(element.dataset.chart);
  const limits = JSON.parse(element.dataset.limits ?? "[]");
  const chart = window.echarts.init(element);
  const few = told.days.length < 3;
  const spaced = told.spaced && !few;
  const room = (range) => Math.max(0, (told.span ?? 0) - (range.max - range.min)) / 2;
  chart.setOption({
    animation: false,
    color: COLOURS,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    grid: { left: 38, right: 14, top: told.series.length > 1 ? 30 : 14, bottom: 26 },
    legend: told.series.length > 1 ? { top: 0, right: 0, itemHeight: 8, textStyle: { color: "#5d6c69" } } : undefined,
    tooltip: { trigger: "axis", renderMode: "richText", valueFormatter: (value) => (value === null || value === undefined ? "" : told.percent ? `${(value * 100).toFixed(1)}%` : `${value} ${told.unit ?? ""}`) },
    xAxis: { type: spaced ? "time" : "category", data: spaced ? undefined : told.days, axisLine: { lineStyle: { color: "#cdd6d2" } }, axisTick: { show: false }, axisLabel: { color: "#67736f", hideOverlap: true, formatter: spaced ? "{yyyy}-{MM}" : undefined } },
    yAxis: { type: "value", scale: true, min: (range) => (room(range) ? Math.max(0, Math.floor(range.min - room(range))) : null), max: (range) => (room(range) ? Math.ceil(range.max + room(range)) : null), splitLine: { lineStyle: { color: "#edf1ef" } }, axisLabel: { color: "#67736f", formatter: told.percent ? (value) => `${Math.round(value * 100)}%` : undefined } },
    series: told.series.map((one, number) => ({
      name: one.name,
      type: told.kind === "bar" ? "bar" : "line",
      data: spaced ? one.values.map((value, place) => [told.days[place], value]) : one.values,
      smooth: false,
      barMaxWidth: 26,
      symbolSize: few ? 8 : 5,
      showSymbol: told.days.length < 40 && !one.dashed,
      connectNulls: Boolean(one.connect),
      lineStyle: { width: one.thin ? 1 : 2, type: one.dashed ? "dashed" : "solid" },
      markLine: limits[number] === undefined ? undefined : { silent: true, symbol: "none", label: { formatter: String(limits[number]), color: "#b93a2e", position: "insideEndTop" }, lineStyle: { color: "#d9a59e", type: "dashed" }, data: [{ yAxis: limits[number] }] },
    })),
  });
  new ResizeObserver(() => chart.resize()).observe(element);
  return chart;
}

for (const element of document.querySelectorAll("[data-chart]")) draw(element);
document.addEventListener("htmx:afterSwap", (event) => { for (const element of event.target.querySelectorAll("[data-chart]")) draw(element); });
