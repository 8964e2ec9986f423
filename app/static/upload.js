// Sends the bundle to the API with byte progress. Without this script the plain form does the same.
"use strict";
(() => {
  const form = document.getElementById("upload");
  if (!form) return;
  const file = form.elements.namedItem("bundle");
  const note = form.elements.namedItem("note");
  const send = form.querySelector("button[type=submit]");
  const stop = document.getElementById("upload-stop");
  const progress = document.getElementById("upload-progress");
  const said = document.getElementById("upload-said");
  const place = document.getElementById("upload-problem");
  const megabytes = (bytes) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 1)} MB`;
  let key = form.dataset.key;

  function line(text, className) {
    const paragraph = document.createElement("p");
    paragraph.textContent = text;
    if (className) paragraph.className = className;
    return paragraph;
  }

  function show(title, detail, advice, code) {
    const box = document.createElement("div");
    box.className = "box bad";
    box.setAttribute("role", "alert");
    box.append(line(`✕ ${title}`, "box-title"));
    if (detail && detail !== title) box.append(line(detail));
    if (advice) box.append(line(`What to do: ${advice}`));
    if (code) box.append(line(`Code ${code}`, "muted"));
    place.replaceChildren(box);
    box.scrollIntoView({ block: "nearest" });
  }

  function rest() {
    send.disabled = false;
    stop.hidden = true;
    progress.hidden = true;
  }

  function answered(request) {
    let body = {};
    try { body = JSON.parse(request.responseText); } catch { /* shown as an unknown answer below */ }
    if (request.status === 201 && body.links) { location.assign(body.links.html); return; }
    rest();
    key = `form-${crypto.getRandomValues(new Uint32Array(4)).join("-")}`; // another bundle, another upload
    show(body.title || "The service gave no clear answer", body.detail, body.advice || "Try again.", body.code);
  }

  form.addEventListener("submit", (event) => {
    const chosen = file.files[0];
    if (!chosen) return;
    event.preventDefault();
    place.replaceChildren();
    if (chosen.size > Number(form.dataset.max)) {
      show("The file is larger than the competition allows.", `${chosen.name} has ${megabytes(chosen.size)}; the limit is ${megabytes(Number(form.dataset.max))}.`, "Leave out data, checkpoints and caches.", "bundle_too_large");
      return;
    }
    const request = new XMLHttpRequest();
    request.open("POST", `${form.dataset.api}?note=${encodeURIComponent(note.value)}`);
    request.setRequestHeader("Content-Type", "application/zip");
    request.setRequestHeader("Idempotency-Key", key);
    request.upload.addEventListener("progress", (step) => {
      progress.firstElementChild.value = step.total ? step.loaded / step.total : 0;
      said.textContent = step.loaded < step.total
        ? `${megabytes(step.loaded)} of ${megabytes(step.total)} sent`
        : "Sent. Checking the bundle…";
    });
    request.addEventListener("load", () => answered(request));
    request.addEventListener("error", () => { rest(); show("The service cannot be reached.", "", "Check the connection and submit again; nothing is charged twice."); });
    request.addEventListener("abort", () => { rest(); place.replaceChildren(line("Stopped. Nothing was submitted.", "muted")); });
    stop.onclick = () => request.abort();
    send.disabled = true;
    stop.hidden = false;
    progress.hidden = false;
    progress.firstElementChild.value = 0;
    said.textContent = "Starting…";
    request.send(chosen);
  });
})();
