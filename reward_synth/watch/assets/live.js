"use strict";
// Asks whether there is a newer page, and takes it over without a reload.
(() => {
  const PAUSE = 2000; // milliseconds
  const SHARE = 5; // a page that takes long to make is asked for less often
  const GONE = "disconnected; goes on when reward_synth watch runs again at this port";
  const STRANGER = "disconnected; reward_synth watch was started anew: open the address that it printed";

  let digest = document.currentScript.dataset.digest;
  let timer = 0, asking = false;
  const bar = document.querySelector(".bar");
  const said = Object.assign(document.createElement("span"), { id: "live" });
  said.setAttribute("role", "status");
  bar.querySelector("#theme").before(said);
  if (location.pathname !== "/") {
    bar.prepend(Object.assign(document.createElement("a"), { href: "/", className: "home", textContent: "All runs" }));
  }

  const say = (text, kind = "away") => {
    if (said.textContent !== text) said.textContent = text;
    said.className = kind;
  };
  const done = () => document.querySelector(".top .state.finished") !== null;

  // What the server says of a run that cannot be read stands in the page that it sends.
  const trouble = async (answer) => {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const text = page.getElementById("trouble")?.textContent || `The server answers ${answer.status}.`;
    const shown = document.getElementById("trouble");
    if (!shown) return text;
    shown.textContent = text;
    return "not readable";
  };

  const take = async (answer) => {
    const html = await answer.text();
    if (document.getElementById("trouble")) return location.reload();
    window.report.refresh(html);
    digest = (answer.headers.get("ETag") || "").replaceAll('"', "");
  };

  const ask = async () => {
    const headers = { "If-None-Match": `"${digest}"` };
    let answer;
    try {
      answer = await fetch(location.pathname, { headers, cache: "no-store", signal: AbortSignal.timeout(60000) });
      if (answer.status === 200) await take(answer);
    } catch {
      return say(GONE);
    }
    if (answer.ok || answer.status === 304) return say(done() ? "finished" : "live", done() ? "" : "live");
    say(answer.status === 403 ? STRANGER : await trouble(answer));
  };

  const round = async () => {
    if (asking || document.hidden) return;
    clearTimeout(timer);
    asking = true;
    const began = performance.now();
    try { await ask(); } finally { asking = false; }
    const took = performance.now() - began;
    if (!done() || said.className === "away") timer = setTimeout(round, Math.max(PAUSE, SHARE * took));
  };

  // A page that nobody sees asks for nothing; it catches up when it is seen.
  document.addEventListener("visibilitychange", () => { if (!done()) round(); });
  say(done() ? "finished" : "live", done() ? "" : "live");
  if (!done()) timer = setTimeout(round, PAUSE);
})();
