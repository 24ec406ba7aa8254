// The live chart: one fetch of history, then one point a second from the page's own stream.
"use strict";
(() => {
  const box = document.getElementById("chart");
  const region = document.getElementById("live");
  if (!box || !region) return;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const narrow = matchMedia("(max-width: 600px)");
  const BRIDGED_MS = 30000;
  let chart = null, data = null, loading = false;

  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const kw = (value) => (value === null || value === undefined ? "n/a" : value.toFixed(1) + " kW");
  const clock = (ms, seconds) => new Intl.DateTimeFormat("en-GB", {
    timeZone: data.zone, hour: "2-digit", minute: "2-digit", second: seconds ? "2-digit" : undefined,
  }).format(ms);

  function line(name, colour, type, width, points, step) {
    return {
      name, type: "line", data: points, showSymbol: false, symbol: "none", connectNulls: false, animation: false,
      step, color: colour, lineStyle: { color: colour, width, type }, emphasis: { disabled: true },
    };
  }

  function options() {
    const ink = css("--muted"), rule = css("--line");
    const known = [data.actual, data.baseline, data.target].some((points) => points.some((p) => p[1] !== null));
    const seconds = data.span[1] - data.span[0] < 10 * 60 * 1000;
    const actual = line("Actual", css("--actual"), "solid", 2.25, data.actual, false);
    actual.markArea = {
      silent: true, itemStyle: { color: css("--band") }, label: { color: ink, position: "insideTopLeft", offset: [4, 2] },
      data: data.bands.map((b) => [{ name: b.label, xAxis: b.start }, { xAxis: b.end }]),
    };
    actual.markLine = {
      silent: true, symbol: "none", animation: false, label: { formatter: "now", color: ink, distance: 2 },
      lineStyle: { color: ink, type: "solid", width: 1, opacity: 0.6 }, data: [{ xAxis: data.now }],
    };
    return {
      title: {
        show: !known, text: "No data in this span yet", left: "center", top: "middle",
        textStyle: { color: ink, fontSize: 15, fontWeight: "normal" },
      },
      useUTC: true, animation: false, textStyle: { fontFamily: css("--font") },
      grid: { left: 8, right: 18, top: 44, bottom: 8, containLabel: true },
      legend: { top: 0, left: 0, itemWidth: 28, itemGap: 18, itemStyle: { opacity: 0 }, textStyle: { color: ink, fontSize: 13 } },
      tooltip: {
        trigger: "axis", renderMode: "richText", backgroundColor: css("--surface"), borderColor: rule,
        textStyle: { color: css("--ink"), fontSize: 13 }, axisPointer: { lineStyle: { color: ink } },
        formatter: (rows) => [clock(rows[0].axisValue, true)]
          .concat(rows.map((r) => r.seriesName + "  " + kw(r.value[1]))).join("\n"),
      },
      xAxis: {
        type: "time", min: data.span[0], max: data.span[1], splitNumber: narrow.matches ? 3 : 7,
        axisLine: { lineStyle: { color: ink } }, axisTick: { lineStyle: { color: ink } },
        axisLabel: { color: ink, hideOverlap: true, formatter: (ms) => clock(ms, seconds) },
      },
      yAxis: {
        type: "value", name: "kW", show: known, boundaryGap: [0, "8%"], nameTextStyle: { color: ink, align: "right", padding: [0, 6, 0, 0] },
        axisLabel: { color: ink }, splitLine: { lineStyle: { color: rule } },
      },
      series: [
        actual,
        line("Baseline", css("--baseline"), [7, 4], 1.75, data.baseline, false),
        line("Target", css("--target"), [2, 4], 2, data.target, false),
      ],
    };
  }

  function draw() {
    if (!chart) chart = echarts.init(box);
    chart.setOption(options(), { notMerge: true });
    box.dataset.points = String(data.actual.length);
  }

  async function load() {
    if (loading) return;
    loading = true;
    try {
      const answer = await fetch(box.dataset.src, { headers: { Accept: "application/json" } });
      if (answer.ok) { data = await answer.json(); draw(); }
    } finally { loading = false; }
  }

  function add(tick) {
    const length = data.span[1] - data.span[0], ahead = data.span[1] - data.now;
    data.now = tick.now;
    data.span = [tick.now + ahead - length, tick.now + ahead];
    const last = data.actual[data.actual.length - 1];
    if (last && tick.now - last[0] > BRIDGED_MS) data.actual.push([tick.now, null]); // a gap stays a gap
    data.actual.push([tick.now, tick.actual_kw]);
    while (data.actual.length && data.actual[0][0] < data.span[0]) data.actual.shift();
    draw();
  }

  region.addEventListener("tick", (event) => {
    const tick = JSON.parse(event.detail.data);
    const stale = !data || tick.revision !== data.revision || tick.now - data.now > 5000;
    if (stale) load(); else add(tick);
  });
  dark.addEventListener("change", () => { if (data) draw(); });
  new ResizeObserver(() => { if (chart) { chart.resize(); } }).observe(box);
  load();
})();
