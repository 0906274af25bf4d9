// What every page needs: the form token on htmx requests, notices that go away, menus that close, links by key, days as typed, exports with progress.

import { readDate } from "./days.js";
import { scanned, takesOver } from "./scanner.js";

const token = document.querySelector('meta[name="form-token"]')?.content ?? "";

document.addEventListener("htmx:configRequest", (event) => { event.detail.headers["X-Form-Token"] = token; });

document.addEventListener("click", (event) => {
  const dismiss = event.target.closest("[data-dismiss]");
  if (dismiss) dismiss.closest(".note")?.remove();
  for (const open of document.querySelectorAll("details.drop[open]")) if (!open.contains(event.target)) open.open = false;
  const printer = event.target.closest("[data-print]");
  if (printer) window.print();
  if (event.target.closest("[data-back]")) history.back();
  const opener = event.target.closest("[data-dialog]");
  if (opener) document.getElementById(opener.dataset.dialog)?.showModal();
  const closer = event.target.closest("[data-close]");
  if (closer) closer.closest("dialog")?.close();
  const exporter = event.target.closest("a[data-export]");
  if (exporter && window.ReadableStream) { event.preventDefault(); download(exporter); }
  const filler = event.target.closest("[data-fill]");
  if (filler) fill(JSON.parse(filler.dataset.fill));
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") for (const open of document.querySelectorAll("details.drop[open]")) { open.open = false; event.preventDefault(); }
  if (event.defaultPrevented) return;
  const typing = event.target.closest("input, select, textarea, [contenteditable]");
  if (!typing && scanned(event)) return;
  if (event.key === "/" && !typing) {
    const box = document.querySelector("[data-search]"), finder = document.body.dataset.finder;
    if (box) { event.preventDefault(); box.focus(); box.select(); } else if (finder) { event.preventDefault(); location.assign(finder); }
  }
  const row = event.target.closest("tr[data-row]");
  if (row && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    const rows = [...row.parentElement.querySelectorAll("tr[data-row]")];
    (rows[rows.indexOf(row) + (event.key === "ArrowDown" ? 1 : -1)] ?? row).focus();
  }
  if (row && (event.key === "PageDown" || event.key === "PageUp")) {
    const link = document.querySelector(`#list a[rel="${event.key === "PageDown" ? "next" : "prev"}"]`);
    if (link) { event.preventDefault(); link.click(); document.addEventListener("htmx:afterSettle", () => document.querySelector("tr[data-row]")?.focus(), { once: true }); }
  }
  if (row && event.target === row) {
    const link = event.key === "Enter" ? row.querySelector("a.main") : row.querySelector(`a[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (link) { event.preventDefault(); link.click(); }
  }
  const hot = !typing && !row && !event.ctrlKey && !event.metaKey && !event.altKey && document.querySelector(`a[data-hot="${CSS.escape(event.key.toLowerCase())}"]`);
  if (hot) { event.preventDefault(); hot.click(); }
  if (event.key === "ArrowDown" && (event.target === document.body || event.target.matches("[data-search]"))) {
    const first = document.querySelector("tr[data-row]");
    if (first) { event.preventDefault(); first.focus(); }
  }
});

document.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-search]")) takesOver(event.target);
});

document.addEventListener("focusout", (event) => {
  if (event.target.matches("[data-date]")) event.target.value = readDate(event.target.value);
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

// A form sent is not sent again by a second press while its answer is awaited. forms.js sees to those with data-form itself.
document.addEventListener("submit", (event) => {
  const form = event.target, question = form.dataset.confirm;
  if (event.defaultPrevented) return;
  if (form.dataset.pressed || (question && !window.confirm(question))) { event.preventDefault(); return; }
  if (form.method !== "post" || "form" in form.dataset) return;
  form.dataset.pressed = "1";
  setTimeout(() => { delete form.dataset.pressed; }, 2000);
});

function fill(values) {
  for (const [id, value] of Object.entries(values)) {
    const field = document.getElementById(id);
    if (field) { field.value = value; field.dispatchEvent(new Event("input", { bubbles: true })); }
  }
}

function notice(text, kind = "") {
  const box = document.createElement("div");
  box.className = `note ${kind}`;
  box.setAttribute("role", kind === "bad" ? "alert" : "status");
  const words = document.createElement("div");
  words.textContent = text;
  box.append(words);
  document.getElementById("notices").append(box);
  return { say(next) { words.textContent = next; }, done(after = 4000) { setTimeout(() => box.remove(), after); }, bar(element) { box.append(element); } };
}

// The answer is lines `rows <done> <all>`, then `file <name>` and the bytes; an error is a line `error <sentence>`.
async function download(link) {
  const told = notice(link.dataset.export);
  try {
    const answer = await fetch(link.href, { headers: { Accept: "application/x-xinglin-progress" } });
    if (!answer.ok) throw new Error(link.dataset.failed);
    const reader = answer.body.getReader();
    const decoder = new TextDecoder();
    let held = new Uint8Array(0), name = "", pieces = [];
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (name) { pieces.push(value); continue; }
      const joined = new Uint8Array(held.length + value.length);
      joined.set(held); joined.set(value, held.length); held = joined;
      for (let end = held.indexOf(10); end >= 0 && !name; end = held.indexOf(10)) {
        const [word, ...rest] = decoder.decode(held.slice(0, end)).split(" ");
        held = held.slice(end + 1);
        if (word === "rows") told.say(`${link.dataset.export} ${rest[0]} / ${rest[1]}`);
        if (word === "error") throw new Error(rest.join(" "));
        if (word === "file") { name = rest.join(" "); pieces.push(held); }
      }
    }
    if (!name) throw new Error(link.dataset.failed);
    const save = document.createElement("a");
    save.href = URL.createObjectURL(new Blob(pieces));
    save.download = name;
    save.click();
    setTimeout(() => URL.revokeObjectURL(save.href), 60000);
    told.say(name);
    told.done();
  } catch (error) {
    told.done(0);
    notice(error.message, "bad").done(9000);
  }
}
