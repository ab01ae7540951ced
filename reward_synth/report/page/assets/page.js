"use strict";
// Theme, copying, opening what a link leads to, and taking over a newer page.
(() => {
  const $ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const root = document.documentElement;
  const report = (window.report = { mounts: [] });

  const say = (text) => { document.getElementById("said").textContent = text; };

  // Theme: as the system has it, light, dark. Storage may be forbidden.
  const themes = ["auto", "light", "dark"];
  const kept = () => { try { return localStorage.getItem("report-theme"); } catch { return null; } };
  const setTheme = (name) => {
    if (name === "auto") delete root.dataset.theme;
    else root.dataset.theme = name;
    document.getElementById("theme").textContent = `Theme: ${name}`;
    try { localStorage.setItem("report-theme", name); } catch { /* stays for this view */ }
    document.dispatchEvent(new Event("themechange"));
  };
  const theme = () => root.dataset.theme || "auto";
  document.getElementById("theme").addEventListener("click", () => {
    setTheme(themes[(themes.indexOf(theme()) + 1) % themes.length]);
  });
  if (themes.includes(kept())) setTheme(kept());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    document.dispatchEvent(new Event("themechange"));
  });

  // Copying, also where the clipboard's own interface is not allowed.
  const copy = async (text) => {
    try { return await navigator.clipboard.writeText(text); } catch { /* the old way */ }
    const area = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    const lines = $(".l", document.getElementById(button.dataset.copy));
    const before = button.textContent;
    await copy(lines.map((line) => line.textContent).join("\n"));
    button.textContent = "Copied";
    say("Copied");
    button.focus();
    setTimeout(() => { button.textContent = before; }, 1500);
  });

  // A link into something folded opens it.
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    target.scrollIntoView();
  };
  window.addEventListener("hashchange", reveal);

  // On paper nothing can be unfolded: the chosen programs are.
  addEventListener("beforeprint", () => {
    for (const item of $("#programs > details:not([open], [data-key=others])")) item.open = item.dataset.printed = true;
  });
  addEventListener("afterprint", () => {
    for (const item of $("[data-printed]")) { item.open = false; delete item.dataset.printed; }
  });

  // What has the focus, in words that hold in the newer page, too.
  const focused = () => {
    const at = document.activeElement;
    if (!at || at === document.body) return () => null;
    if (at.id) { const id = at.id; return () => document.getElementById(id); }
    const key = at.closest("details")?.dataset.key;
    if (at.tagName === "SUMMARY" && key) return () => folded(key)?.querySelector("summary");
    const section = at.closest("section")?.id;
    const place = section ? $("a, button, input, summary, [tabindex]", at.closest("section")).indexOf(at) : -1;
    return () => (place < 0 ? null : $("a, button, input, summary, [tabindex]", document.getElementById(section) || root)[place]);
  };
  const folded = (key) => $("details[data-key]").find((item) => item.dataset.key === key);

  // Replaces the sections that differ; what the reader opened, focused and scrolled to stays.
  report.refresh = (html) => {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    const state = new Map($("details[data-key]").map((item) => [item.dataset.key, item.open]));
    const focus = focused();
    const before = document.activeElement;
    const seen = $("main > section").find((item) => item.getBoundingClientRect().bottom > 0);
    const place = seen && [seen.id, seen.getBoundingClientRect().top];
    const changed = replaceSections(fresh);
    for (const part of [".top .state", ".top h1", "nav ol"]) swap(part, fresh);
    document.title = fresh.title;
    for (const item of $("details[data-key]")) if (state.has(item.dataset.key)) item.open = state.get(item.dataset.key);
    for (const id of changed) for (const mount of report.mounts) mount(document.getElementById(id));
    if (!before?.isConnected) focus()?.focus({ preventScroll: true });
    const now = place && document.getElementById(place[0]);
    if (now) scrollBy(0, now.getBoundingClientRect().top - place[1]);
    return changed;
  };

  const replaceSections = (fresh) => {
    const main = document.getElementById("main");
    const changed = [];
    const wanted = $("main > section", fresh);
    const names = new Set(wanted.map((item) => item.id));
    for (const old of $("main > section")) if (!names.has(old.id)) old.remove();
    wanted.forEach((item, index) => {
      const old = document.getElementById(item.id);
      if (old && old.dataset.digest === item.dataset.digest) return;
      const made = document.importNode(item, true);
      if (old) old.replaceWith(made);
      else main.insertBefore(made, main.children[index] || null);
      changed.push(item.id);
    });
    return changed;
  };

  const swap = (selector, fresh) => {
    const [old] = $(selector), [now] = $(selector, fresh);
    if (old && now && old.outerHTML !== now.outerHTML) old.replaceWith(document.importNode(now, true));
  };

  if (location.hash) reveal();
})();
