// Follows a submission. When the service says that something changed, the page's own HTML is fetched again and the parts
// that differ are put in their places. Where events do not come through, it polls, as often as the service asks for.
// Without this script the page has a link by which to load it again.
"use strict";
(() => {
  const live = document.getElementById("live");
  if (!live || !live.dataset.events) return;
  const note = document.getElementById("live-note");
  const FIRST_PATIENCE = 6; // seconds for the first event: one comes at once unless something holds it back
  const BEATS = 2.5; // that may be missed before the stream counts as silent
  const AGAIN = 30; // seconds until a stream that was refused is asked for once more
  const GONE = [401, 403, 404];
  let [source, etag] = [null, ""];
  let [patience, interval, heardAt] = [FIRST_PATIENCE, 2, performance.now()];
  let [over, polling, drawing, wanted] = [false, false, false, false];
  let skew = 0; // of this machine's clock

  const seconds = (count) => new Promise((resolve) => { setTimeout(resolve, 1000 * count); });

  function say(text) {
    note.textContent = text;
    note.hidden = !text;
  }

  function stop(why = "") {
    over = true;
    source?.close();
    say(why);
  }

  function gone() {
    stop("This submission is no longer shown to you. Load the page again, and sign in if it asks you to.");
  }

  // By which a part is found again.
  function named(parts) {
    let unnamed = 0;
    for (const part of parts) if (!part.id) part.id = `live-part-${unnamed++}`;
    return parts;
  }

  // What the service sent of each part: scripts change what is shown, as a search does.
  const sent = new Map(named([...live.children]).map((part) => [part.id, part.outerHTML]));

  // The status line stays in place, and changes only when it says something else: screen readers read it out.
  function replace(old, fresh) {
    if (sent.get(old.id) === fresh.outerHTML) return;
    sent.set(old.id, fresh.outerHTML);
    if (old.id !== "progress") { old.replaceWith(fresh); return; }
    const said = old.querySelector("[role=status]");
    const says = fresh.querySelector("[role=status]");
    if (said.textContent !== says.textContent) said.replaceChildren(...says.childNodes);
    says.remove();
    for (const part of [...old.children]) if (part !== said) part.remove();
    said.after(...fresh.children);
  }

  function merge(fresh) {
    const parts = named([...fresh.children]);
    const ids = new Set(parts.map((part) => part.id));
    const open = [...live.querySelectorAll("details[open]")].map((one) => one.id);
    const focused = document.activeElement?.id;
    for (const old of [...live.children]) if (!ids.has(old.id)) { sent.delete(old.id); old.remove(); }
    parts.forEach((part, place) => {
      const old = [...live.children].find((one) => one.id === part.id);
      if (old) replace(old, part);
      else {
        sent.set(part.id, part.outerHTML);
        live.insertBefore(part, live.children[place] ?? null);
      }
    });
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus();
  }

  async function draw() {
    const response = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (GONE.includes(response.status) || response.redirected) { gone(); return; }
    if (!response.ok) throw new Error(response.status);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.getElementById("live");
    skew = Date.now() - Date.parse(fresh.dataset.now);
    document.title = page.title;
    merge(fresh);
    document.dispatchEvent(new Event("redrawn"));
    say("");
    if (!fresh.dataset.events) stop();
  }

  // Goes on until it has drawn what was there after it was last asked.
  async function refresh() {
    wanted = true;
    if (drawing) return;
    drawing = true;
    while (wanted && !over) {
      wanted = false;
      try {
        await draw();
      } catch {
        wanted = true;
        await seconds(interval);
      }
    }
    drawing = false;
  }

  async function ask() {
    const headers = etag ? { "If-None-Match": etag } : {};
    const response = await fetch(live.dataset.poll, { headers, cache: "no-store" });
    const asked = Number(response.headers.get("Retry-After") ?? response.headers.get("Lethe-Poll-Interval"));
    if (asked > 0) interval = Math.min(asked, 60);
    if (GONE.includes(response.status)) gone();
    else if (response.status === 200) { etag = response.headers.get("ETag"); refresh(); }
    else if (response.status !== 304) throw new Error(response.status);
    else say("");
  }

  async function poll() {
    if (polling || over) return;
    polling = true;
    while (polling && !over) {
      try {
        await ask();
      } catch {
        say("The service does not answer just now. This page goes on trying.");
      }
      await seconds(interval);
    }
  }

  function heard() {
    heardAt = performance.now();
    polling = false;
  }

  function listen() {
    if (over) return;
    source = new EventSource(live.dataset.events);
    source.addEventListener("beat", (event) => {
      heard();
      const told = JSON.parse(event.data);
      patience = BEATS * told.beat_seconds;
      interval = told.poll_seconds;
    });
    source.addEventListener("changed", (event) => {
      heard();
      if (JSON.parse(event.data).final) source.close();
      refresh();
    });
    source.addEventListener("error", () => {
      if (source.readyState !== EventSource.CLOSED || over) return; // else the browser connects again by itself
      poll();
      setTimeout(listen, 1000 * AGAIN);
    });
  }

  function duration(count) {
    if (count < 60) return `${Math.floor(count)} s`;
    const minutes = Math.floor(count / 60);
    if (minutes < 60) return `${minutes} min ${String(Math.floor(count % 60)).padStart(2, "0")} s`;
    return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
  }

  function tick() {
    if (over) return;
    if (performance.now() - heardAt > 1000 * patience) poll();
    for (const one of live.querySelectorAll("[data-since]")) {
      one.textContent = duration(Math.max(0, (Date.now() - skew - Date.parse(one.dataset.since)) / 1000));
    }
  }

  skew = Date.now() - Date.parse(live.dataset.now);
  document.addEventListener("redraw", refresh);
  setInterval(tick, 1000);
  if (window.EventSource) listen();
  else poll();
})();
