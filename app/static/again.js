// Looks every few seconds how far something is, and shows the page anew, until it has ended. It waits while somebody
// is at something on the page. Without this script the browser loads the page again by itself.
"use strict";
(() => {
  const SECONDS = 10;
  const BUSY = "details[open], :focus";
  const main = document.getElementById("main");

  async function look() {
    if (main.querySelector(BUSY)) return;
    const answer = await fetch(location.href).catch(() => null); // a service that is away is asked again
    if (!answer?.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (main.querySelector(BUSY)) return;
    main.replaceChildren(...page.getElementById("main").childNodes);
    if (!page.querySelector("script[src*='again.js']")) clearInterval(timer);
  }

  const timer = setInterval(look, 1000 * SECONDS);
})();
