// Draws every [data-chart] from the JSON beside it, in the colours of the theme.
(() => {
  const drawn = new Map();
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const zh = document.documentElement.lang.startsWith("zh");
  const plain = new Intl.NumberFormat(zh ? "zh-CN" : "en", { maximumFractionDigits: 2 });
  const short = new Intl.NumberFormat(zh ? "zh-CN" : "en", { notation: "compact", maximumFractionDigits: 1 });

  function reader(unit, amountUnit, axis) {
    if (unit === "percent") return (value) => `${plain.format(value * 100)}%`;
    if (unit === "amount" && amountUnit === "wan") {
      return (value) => Math.abs(value) >= 1e8 ? `${plain.format(value / 1e8)} 亿`
        : Math.abs(value) >= 1e4 ? `${plain.format(value / 1e4)} 万` : plain.format(value);
    }
    return (value) => (axis ? short : plain).format(value);
  }

  function axes(data) {
    const ink = css("--ink-2"), line = css("--line-2");
    const read = (axis) => reader(data.unit, data.amountUnit, axis);
    return {
      grid: { left: 12, right: 16, top: data.series.length > 1 ? 38 : 16, bottom: 8, containLabel: true },
      legend: { show: data.series.length > 1, top: 6, textStyle: { color: ink }, itemWidth: 18, itemHeight: 10 },
      tooltip: { trigger: "axis", valueFormatter: (value) => value == null ? "—" : read(false)(value) },
      xAxis: { type: "category", data: data.labels, axisTick: { show: false }, axisLabel: { color: ink }, axisLine: { lineStyle: { color: line } } },
      yAxis: { type: "value", max: data.max ?? undefined, min: data.min ?? undefined, splitLine: { lineStyle: { color: line } }, axisLabel: { color: ink, formatter: read(true) } },
      series: data.series.map((series) => series.kind === "bar"
        ? { name: series.name, type: "bar", barMaxWidth: 16, itemStyle: { borderRadius: [3, 3, 0, 0] }, data: series.values }
        : { name: series.name, type: "line", symbolSize: 6, step: series.kind === "step" ? "end" : false, showSymbol: series.kind === "line" && data.labels.length <= 24, lineStyle: { width: 2, type: series.kind === "dashed" ? "dashed" : "solid" }, data: series.values }),
    };
  }

  function pie(data, width) {
    const narrow = width < 380;
    const rows = data.labels.map((name, at) => ({ name, value: data.series[0].values[at] }));
    const read = reader(data.unit, data.amountUnit, false);
    return {
      tooltip: { valueFormatter: read },
      series: [{ type: "pie", radius: ["50%", "74%"], data: rows, itemStyle: { borderColor: css("--surface"), borderWidth: 2 }, avoidLabelOverlap: true, label: { show: !narrow, color: css("--ink-2"), formatter: "{b}\n{d}%" } }],
      legend: narrow ? { bottom: 0, type: "scroll", textStyle: { color: css("--ink-2") }, itemWidth: 14, itemHeight: 10 } : undefined,
    };
  }

  // A name on several lines, broken between words; a Chinese letter is as wide as two others.
  function broken(name, most) {
    const size = (text) => [...text].reduce((sum, letter) => sum + (letter > "\u2e7f" ? 2 : 1), 0);
    const lines = [""];
    for (const word of name.split(/(?<=[ ·])/)) {
      if (lines.at(-1) && size(lines.at(-1) + word.trimEnd()) > most) lines.push("");
      lines[lines.length - 1] += word;
    }
    return lines.map((line) => line.trim()).join("\n");
  }

  function radar(data, width) {
    // Long names break; the circle leaves them the room that this width has.
    const room = Math.max(64, Math.min(110, width / 4));
    return {
      legend: { bottom: 0, textStyle: { color: css("--ink-2") }, itemWidth: 18, itemHeight: 10 },
      tooltip: {},
      radar: { center: ["50%", "46%"], radius: Math.max(50, Math.min(width / 2 - room, data.height / 2 - 58)), indicator: data.labels.map((name) => ({ name, max: data.max ?? undefined })), axisName: { color: css("--ink-2"), fontSize: 11, formatter: (name) => broken(name, room / 7.5) }, splitArea: { show: false }, splitLine: { lineStyle: { color: css("--line") } }, axisLine: { lineStyle: { color: css("--line") } } },
      series: [{ type: "radar", symbolSize: 4, data: data.series.map((series, at) => ({ name: series.name, value: series.values, lineStyle: { width: 2 }, areaStyle: at ? undefined : { opacity: .12 } })) }],
    };
  }

  const kinds = { axis: axes, pie, radar };

  function draw(box) {
    const data = JSON.parse(document.getElementById(box.dataset.chart).textContent);
    const chart = drawn.get(box) ?? echarts.init(box);
    drawn.set(box, chart);
    const color = [1, 2, 3, 4, 5, 6].map((at) => css(`--chart-${at}`));
    if (data.kind !== "pie" && data.series.length === 2) color[1] = css("--chart-3");
    chart.setOption({ color, animation: false, textStyle: { fontFamily: getComputedStyle(document.body).fontFamily }, ...kinds[data.kind]({ ...data, height: box.clientHeight }, box.clientWidth) }, true);
  }

  window.drawCharts = () => {
    for (const [box, chart] of drawn) if (!box.isConnected) { chart.dispose(); drawn.delete(box); }
    document.querySelectorAll("[data-chart]").forEach(draw);
  };
  document.addEventListener("theme", () => window.drawCharts());
  addEventListener("resize", () => drawn.forEach((chart) => chart.resize()));
})();
