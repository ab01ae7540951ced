"use strict";
// Learning curves: which measure, which designs, single seeds, and reading values.
(() => {
  const view = { metric: "success_any", designs: new Map(), seeds: false };
  const dashes = { sparse: [6, 4] };
  const plots = new Map();
  const share = () => view.metric.startsWith("success");
  const short = (value) => {
    for (const [size, letter] of [[1e9, " G"], [1e6, " M"], [1e3, " k"]]) {
      if (Math.abs(value) >= size) return +(value / size).toPrecision(3) + letter;
    }
    return String(+value.toPrecision(3));
  };
  const told = (value) => (share() ? `${Math.round(100 * value)} %` : short(value));
  const shown = (design) => view.designs.get(design) !== false;

  // Colours stand in the style sheet alone; a canvas has to ask for them.
  const colour = (holder, style, name = "--c") => {
    const probe = document.createElement("i");
    probe.className = style;
    holder.append(probe);
    probe.style.color = `var(${name})`;
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };
  const thin = (text, part) => text.replace(/rgba?\(([^)]+)\)/, (_, rgb) => `rgba(${rgb.split(",").slice(0, 3)}, ${part})`);

  const build = (holder, data) => {
    const { bands, seeds } = data.metrics[view.metric];
    const tables = [], series = [{}], fills = [], rows = [];
    for (const band of bands) {
      const style = data.styles[band.design], stroke = colour(holder, style), at = series.length;
      const edge = { width: 0, points: { show: false } };
      tables.push([band.x, band.mean, band.low, band.high]);
      series.push({ stroke, width: 2, dash: dashes[style], points: { show: false } }, edge, { ...edge });
      fills.push({ series: [at + 2, at + 1], fill: thin(stroke, 0.15) });
      rows.push({ design: band.design, at, name: data.names[band.design], style });
      rows.push({ design: band.design, at: at + 1 }, { design: band.design, at: at + 2 });
    }
    for (const seed of seeds) {
      const stroke = thin(colour(holder, data.styles[seed.design]), 0.55);
      tables.push([seed.x, seed.y]);
      rows.push({ design: seed.design, at: series.length, seed: true });
      series.push({ stroke, width: 1, points: { show: false } });
    }
    return { values: tables.length ? uPlot.join(tables) : [[]], series, fills, rows };
  };

  const axis = (holder, values, more) => ({
    stroke: colour(holder, "", "--quiet"), font: "12px system-ui, sans-serif",
    grid: { stroke: colour(holder, "", "--rule"), width: 1 }, ticks: { show: false },
    values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : values(tick))), ...more,
  });

  const draw = (holder) => {
    plots.get(holder)?.plot.destroy();
    const data = JSON.parse(holder.querySelector("script").textContent);
    const { values, series, fills, rows } = build(holder, data);
    const readout = holder.parentElement.querySelector(".readout");
    const said = { plot: null, rows, values, readout };
    const y = share() ? { range: [-0.02, 1.02] } : {};
    said.plot = new uPlot({
      width: holder.clientWidth, height: 250, series, bands: fills,
      scales: { x: { time: false }, y },
      axes: [axis(holder, short, { size: 32 }), axis(holder, told, { size: 52 })],
      cursor: { y: false, points: { show: false } },
      hooks: { setCursor: [(plot) => read(said, plot)] },
    }, values, holder);
    plots.set(holder, said);
    holder.classList.add("live");
    apply(said);
  };

  // What is shown of a plot, after a choice.
  const apply = (said) => {
    said.plot.batch(() => {
      for (const row of said.rows) said.plot.setSeries(row.at, { show: shown(row.design) && (!row.seed || view.seeds) });
    });
    read(said, said.plot);
  };

  const nearest = (values, index) => {
    for (let at = index; at >= 0; at -= 1) if (values[at] != null) return values[at];
    return null;
  };
  const read = (said, plot) => {
    const index = plot?.cursor?.idx ?? said.values[0].length - 1;
    const parts = said.rows.filter((row) => row.name !== undefined && shown(row.design)).map((row) => {
      const value = nearest(said.values[row.at], index);
      const item = document.createElement("span"), key = document.createElement("i");
      key.className = `key ${row.style}`;
      item.append(key, `${row.name} ${value === null ? "–" : told(value)}`);
      return item;
    });
    const when = document.createElement("span");
    when.textContent = index < 0 ? "" : `At ${short(said.values[0][index])} steps:`;
    said.readout.replaceChildren(when, ...parts);
  };

  // Arrow keys move the reading line.
  const keys = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };
  const onKey = (event) => {
    const said = plots.get(event.currentTarget);
    if (!said || !(event.key in keys)) return;
    event.preventDefault();
    const last = said.values[0].length - 1;
    const now = Math.max(0, Math.min(last, (said.plot.cursor.idx ?? (keys[event.key] > 0 ? -1 : last + 1)) + keys[event.key]));
    said.plot.setCursor({ left: said.plot.valToPos(said.values[0][now], "x"), top: 10 });
  };

  const resized = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const said = plots.get(target);
      if (said && target.clientWidth && said.plot.width !== target.clientWidth) said.plot.setSize({ width: target.clientWidth, height: 250 });
    }
  });
  // Charts are drawn when they come near the window.
  const near = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting && !plots.has(target)) { draw(target); resized.observe(target); }
    }
  }, { rootMargin: "600px" });

  const controls = () => document.querySelectorAll(".controls input");
  const redraw = () => { for (const holder of plots.keys()) draw(holder); };
  const statics = () => {
    for (const item of document.querySelectorAll("[data-metric]")) item.hidden = item.dataset.metric !== view.metric;
    for (const item of document.querySelectorAll("g[data-design]")) item.classList.toggle("off", !shown(+item.dataset.design));
  };
  const onChange = (event) => {
    const { name, id, value, checked } = event.target;
    if (name === "metric") view.metric = value;
    if (name === "design") view.designs.set(+value, checked);
    if (id === "seeds") view.seeds = checked;
    statics();
    if (name === "metric") redraw();
    else for (const said of plots.values()) apply(said);
  };

  const mount = (section) => {
    if (section?.id !== "curves") return;
    for (const [holder, said] of plots) if (!holder.isConnected) { said.plot.destroy(); resized.unobserve(holder); plots.delete(holder); }
    for (const input of controls()) {
      if (input.name === "metric") input.checked = input.value === view.metric;
      if (input.name === "design" && view.designs.has(+input.value)) input.checked = view.designs.get(+input.value);
      if (input.name === "design") view.designs.set(+input.value, input.checked);
      if (input.id === "seeds") input.checked = view.seeds;
    }
    section.querySelector(".controls").addEventListener("change", onChange);
    for (const holder of section.querySelectorAll(".plot")) {
      holder.tabIndex = 0;
      holder.setAttribute("role", "group");
      holder.setAttribute("aria-label", `Curves of ${holder.parentElement.querySelector("h3").textContent}; arrow keys read values`);
      holder.addEventListener("keydown", onKey);
      near.observe(holder);
    }
    statics();
  };
  window.report.mounts.push(mount);
  document.addEventListener("themechange", redraw);
  mount(document.getElementById("curves"));
})();
