// Finds words in a log. Without this script the browser's own search does.
"use strict";
(() => {
  const MOST = 2000; // marks: a log may hold one letter very often
  let current = -1;

  const marks = () => document.querySelectorAll("#log mark");

  function go(step) {
    const found = marks();
    found[current]?.classList.remove("current");
    if (!found.length) return;
    current = (current + step + found.length) % found.length;
    found[current].classList.add("current");
    const log = document.getElementById("log"); // the page itself stays where it is
    const [inside, mark] = [log.getBoundingClientRect(), found[current].getBoundingClientRect()];
    log.scrollTop += mark.top - inside.top - log.clientHeight / 2;
    log.scrollLeft += Math.max(0, mark.right - inside.right + 20) + Math.min(0, mark.left - inside.left - 20);
    say(`${current + 1} of ${found.length}${found.length === MOST ? " or more" : ""}`);
  }

  function say(text) {
    document.getElementById("log-found").textContent = text;
  }

  function find(words) {
    const pre = document.querySelector("#log pre");
    const text = pre.textContent;
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
    current = -1;
    say(words ? "not found" : "");
    go(1);
  }

  // on the document, for the log may come while the page is open
  document.addEventListener("input", (event) => {
    if (event.target.id === "log-search") find(event.target.value);
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.id === "log-search" && event.key === "Enter") { event.preventDefault(); go(event.shiftKey ? -1 : 1); }
  });
  document.addEventListener("click", (event) => {
    if (event.target.id === "log-next") go(1);
  });
})();
