// Follows a submission: when the service says that something changed, the page's own HTML is fetched again
// and the live part is put in its place. Without this script the page reloads itself every few seconds.
"use strict";
(() => {
  const live = document.getElementById("live");
  if (!live || !live.dataset.events || !window.EventSource) return;
  const source = new EventSource(live.dataset.events);
  let busy = false;
  let again = false;

  async function refresh() {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const response = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!response.ok || response.redirected) { source.close(); return; }
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const fresh = page.getElementById("live");
      if (!fresh) return;
      const open = [...live.querySelectorAll("details[open]")].map((one) => one.id);
      live.replaceChildren(...fresh.childNodes);
      for (const id of open) document.getElementById(id)?.setAttribute("open", "");
      document.title = page.title;
      if (!fresh.dataset.events) source.close();
    } finally {
      busy = false;
      if (again) { again = false; refresh(); }
    }
  }

  source.addEventListener("changed", refresh);
})();
