// Shows what a smoke run prints while it goes on, and finds words in it. Without this script a page that is loaded again
// has what was printed meanwhile, and the browser's own search finds words.
"use strict";
(() => {
  const MOST = 2000; // marks: a log may hold one letter very often
  const GONE = [401, 403, 404];
  let [words, current] = ["", -1]; // what is looked for, and which of those found is shown
  let down = null; // pixels by which a reader has scrolled down; null at the end, where the newest lines are
  let [etag, interval] = ["", 2];

  const box = () => document.getElementById("log");
  const marks = () => document.querySelectorAll("#log mark");

  function say(text) {
    document.getElementById("log-found").textContent = text;
  }

  function show() {
    const found = marks();
    found[current]?.classList.add("current");
    if (found.length) say(`${current + 1} of ${found.length}${found.length === MOST ? " or more" : ""}`);
    else say(words ? "not found" : "");
  }

  function go(step) {
    const found = marks();
    found[current]?.classList.remove("current");
    current = found.length ? (current + step + found.length) % found.length : -1;
    show();
    if (!found.length) return;
    const log = box(); // the page itself stays where it is
    const [inside, mark] = [log.getBoundingClientRect(), found[current].getBoundingClientRect()];
    log.scrollTop += mark.top - inside.top - log.clientHeight / 2;
    log.scrollLeft += Math.max(0, mark.right - inside.right + 20) + Math.min(0, mark.left - inside.left - 20);
  }

  function write(text) {
    const pre = document.querySelector("#log pre");
    const wanted = words.toLowerCase();
    const lower = text.toLowerCase();
    const parts = document.createDocumentFragment();
    let [from, count] = [0, 0];
    // lower case may have another length, as of the Turkish capital I; then only equal letters are found
    const searched = lower.length === text.length ? lower : text;
    for (let at = wanted ? searched.indexOf(wanted) : -1; at >= 0 && count < MOST; at = searched.indexOf(wanted, from)) {
      const mark = document.createElement("mark");
      mark.textContent = text.slice(at, at + wanted.length);
      parts.append(text.slice(from, at), mark);
      from = at + wanted.length;
      count += 1;
    }
    parts.append(text.slice(from));
    pre.replaceChildren(parts);
  }

  // Leaves readers where they are, unless they are at the end.
  function stay() {
    const log = box();
    if (down !== null) log.scrollTop = down - (log.scrollHeight - log.clientHeight);
  }

  function rewrite(text) {
    write(text);
    show();
  }

  function renew(text) {
    const pre = document.querySelector("#log pre");
    const old = pre?.textContent ?? "";
    if (text === old) return;
    if (!pre || !text) { document.dispatchEvent(new Event("redraw")); return; }
    if (!words && text.startsWith(old)) pre.append(text.slice(old.length)); // which keeps what is selected
    else rewrite(text);
    stay();
  }

  async function read(url) {
    const response = await fetch(url, { headers: etag ? { "If-None-Match": etag } : {}, cache: "no-store" });
    const asked = Number(response.headers.get("Retry-After") ?? response.headers.get("Lethe-Poll-Interval"));
    if (asked > 0) interval = Math.min(asked, 60);
    if (response.status === 200) {
      etag = response.headers.get("ETag");
      renew(await response.text());
    }
    return !GONE.includes(response.status);
  }

  async function follow() {
    let goes = true;
    while (goes) {
      await new Promise((resolve) => { setTimeout(resolve, 1000 * interval); });
      const url = document.getElementById("smoke-part")?.dataset.log; // there while the run goes on
      if (url && !document.hidden) goes = await read(url).catch(() => true);
    }
  }

  // on the document, for the log may come while the page is open
  document.addEventListener("input", (event) => {
    if (event.target.id !== "log-search") return;
    [words, current] = [event.target.value, -1];
    write(document.querySelector("#log pre").textContent);
    go(1);
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.id === "log-search" && event.key === "Enter") { event.preventDefault(); go(event.shiftKey ? -1 : 1); }
  });
  document.addEventListener("click", (event) => {
    if (event.target.id === "log-next") go(1);
  });
  document.addEventListener("scroll", (event) => {
    const log = event.target;
    if (log.id === "log") down = log.scrollTop > -2 ? null : log.scrollTop + log.scrollHeight - log.clientHeight;
  }, true);
  document.addEventListener("redrawn", () => {
    const search = document.getElementById("log-search");
    if (!search) return;
    if (search.value !== words) {
      search.value = words;
      rewrite(document.querySelector("#log pre").textContent);
    }
    stay();
  });
  if (document.getElementById("live")?.dataset.events) follow();
})();
