// Counts down to the reset of the quota; looks at the chosen file, and sends it to the API with byte progress. Without
// this script the plain form does the same.
"use strict";
(() => {
  const resets = document.getElementById("resets");

  function countDown() {
    const left = Math.round((Date.parse(resets.dataset.until) - Date.now() + skew) / 1000);
    if (left <= 0) { resets.textContent = "now: load the page again"; return; }
    const [hours, minutes] = [Math.floor(left / 3600), Math.floor(left / 60) % 60];
    resets.textContent = left < 60 ? `in ${left} s` : `in ${hours ? `${hours} h ` : ""}${minutes} min`;
    setTimeout(countDown, left < 90 ? 1000 : 10000);
  }

  const skew = resets ? Date.now() - Date.parse(resets.dataset.now) : 0; // of this machine's clock
  if (resets) countDown();
  const form = document.getElementById("upload");
  if (!form) return;
  const file = form.elements.namedItem("bundle");
  const note = form.elements.namedItem("note");
  const send = form.querySelector("button[type=submit]");
  const stop = document.getElementById("upload-stop");
  const progress = document.getElementById("upload-progress");
  const said = document.getElementById("upload-said");
  const place = document.getElementById("upload-problem");
  const checked = document.getElementById("upload-checked");
  const megabytes = (bytes) => (bytes < 1e5 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 1)} MB`);
  const whose = { participant: "yours", lethe: "ours, nothing is charged", nobody: "nobody's" };
  let key = form.dataset.key;

  function line(text, className) {
    const paragraph = document.createElement("p");
    paragraph.textContent = text;
    if (className) paragraph.className = className;
    return paragraph;
  }

  function codeLine(code, fault) {
    const paragraph = line("Code ", "muted");
    const link = document.createElement("a");
    link.href = `/problems#${encodeURIComponent(code)}`;
    link.textContent = code;
    paragraph.append(link, whose[fault] ? ` · whose fault: ${whose[fault]}` : "");
    return paragraph;
  }

  function show(title, detail, advice, code, fault = "participant") {
    const box = document.createElement("div");
    box.className = "box bad";
    box.setAttribute("role", "alert");
    box.append(line(`✕ ${title}`, "box-title"));
    if (detail && detail !== title) box.append(line(detail));
    if (advice) box.append(line(`What to do: ${advice}`));
    if (code) box.append(codeLine(code, fault));
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
    show(body.title || "The service gave no clear answer", body.detail, body.advice || "Try again.", body.code, body.fault);
  }

  // What the service would refuse anyway, found before a byte is sent: title, detail, advice and code, or nothing.
  async function refusal(chosen) {
    const most = Number(form.dataset.max);
    if (chosen.size > most) {
      return ["The file is larger than the competition allows.", `${chosen.name} has ${megabytes(chosen.size)}; the limit is ${megabytes(most)}.`, "Leave out data, checkpoints and caches.", "bundle_too_large"];
    }
    const start = new Uint8Array(await chosen.slice(0, 2).arrayBuffer());
    if (start[0] === 0x50 && start[1] === 0x4b) return null; // "PK"
    return ["The upload is not a zip archive.", `${chosen.name} does not begin as one.`, "Make a zip with submission.py at its root.", "not_a_zip"];
  }

  file.addEventListener("change", async () => {
    const chosen = file.files[0];
    place.replaceChildren();
    checked.hidden = !chosen;
    if (!chosen) return;
    checked.textContent = `${chosen.name}, ${megabytes(chosen.size)} of at most ${megabytes(Number(form.dataset.max))}`;
    const refused = await refusal(chosen);
    if (refused && file.files[0] === chosen) show(...refused);
  });

  form.addEventListener("submit", async (event) => {
    const chosen = file.files[0];
    if (!chosen) return;
    event.preventDefault();
    place.replaceChildren();
    send.disabled = true;
    const refused = await refusal(chosen).catch(() => ["The file cannot be read.", "It may have been moved or changed.", "Choose it again.", ""]);
    if (refused) { rest(); show(...refused); return; }
    const request = new XMLHttpRequest();
    request.open("POST", `${form.dataset.api}?note=${encodeURIComponent(note.value)}`);
    request.setRequestHeader("Content-Type", "application/zip");
    request.setRequestHeader("Idempotency-Key", key);
    request.upload.addEventListener("progress", (step) => {
      progress.firstElementChild.value = step.total ? step.loaded / step.total : 0;
      stop.hidden = step.loaded === step.total; // what has been sent whole may be taken already
      said.textContent = step.loaded < step.total
        ? `${megabytes(step.loaded)} of ${megabytes(step.total)} sent (${Math.floor(100 * step.loaded / step.total)} %)`
        : "Sent. Checking the bundle…";
    });
    request.addEventListener("load", () => answered(request));
    request.addEventListener("error", () => { rest(); show("The service cannot be reached.", "", "Check the connection and submit again; nothing is charged twice."); });
    request.addEventListener("abort", () => { rest(); place.replaceChildren(line("Cancelled. Nothing was submitted.", "muted")); });
    stop.onclick = () => request.abort();
    send.disabled = true;
    stop.hidden = false;
    progress.hidden = false;
    progress.firstElementChild.value = 0;
    said.textContent = "Starting…";
    request.send(chosen);
  });
})();
