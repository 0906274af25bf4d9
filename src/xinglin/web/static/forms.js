// The keyboard of a form. The server reads every value again; nothing here decides what is recorded.
// form[data-form]: Enter / Shift+Enter move, F2 saves, F4 saves and goes on, F8 confirms what was brought over, F9 leaves it to be completed,
// Escape leaves the form; the browser asks first when something typed is not saved. data-dirty: what it holds came back unsaved.
// data-compute: address that answers {fields: {id: {value, error, warning}}} for what is computed.

const AWAY_MS = 5 * 60 * 1000;

for (const form of document.querySelectorAll("form[data-form]")) start(form);

function start(form) {
  let dirty = "dirty" in form.dataset, timer = 0, asked = 0, answered = Date.now();
  const fields = () => [...form.querySelectorAll("[data-field]")].filter((field) => !field.disabled && field.offsetParent !== null);
  const box = (field) => field.closest("[data-fld]");

  form.addEventListener("keydown", (event) => {
    if (event.target.matches("input[type=radio][data-field]") && /^[1-9]$/.test(event.key)) {
      const chosen = [...form.querySelectorAll("input[type=radio][data-field]")].filter((one) => one.name === event.target.name)[event.key - 1];
      if (chosen && !chosen.disabled) { event.preventDefault(); chosen.checked = true; chosen.focus(); chosen.dispatchEvent(new Event("input", { bubbles: true })); }
    }
    if (event.key === "Enter" && event.target.matches("[data-field]") && !event.ctrlKey && !event.isComposing) {
      event.preventDefault();
      if (event.target.matches("[data-carried]")) confirm(event.target);
      step(event.target, event.shiftKey ? -1 : 1);
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.isComposing && !event.defaultPrevented) form.querySelector("[data-cancel]")?.click();
    const button = { F2: "[data-save]", F4: "[data-save-next]", F8: "[data-confirm-carried]", F9: "[data-wait]" }[event.key];
    const found = button && form.querySelector(button);
    if (!found || found.hidden) return;
    event.preventDefault();
    const held = document.activeElement;
    held?.blur();
    found.click();
    if (event.key === "F8") held?.focus();
  });
  form.addEventListener("input", (event) => {
    const field = event.target;
    dirty = true;
    if (field.matches("[data-codes]")) readCodes(field);
    if (field.dataset.pair && /[/／、]/.test(field.value)) splitPair(field);
    if (field.matches("[data-carried]")) confirm(field);
    if (field.dataset.computed !== undefined) showOverruled(field);
    clearTimeout(timer);
    timer = setTimeout(() => compute(), 300);
  });
  form.addEventListener("focusin", (event) => { if (event.target.matches("input[data-field]")) event.target.select(); });
  form.addEventListener("click", (event) => {
    const choice = event.target.closest("[data-code]");
    if (choice) choose(choice);
    const again = event.target.closest("[data-again]");
    if (again) restore(form.elements[again.dataset.again]);
    if (event.target.closest("[data-confirm-carried]")) {
      event.preventDefault();
      for (const field of form.querySelectorAll("[data-carried]")) confirm(field);
    }
  });
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) { event.preventDefault(); return; }
    if (Date.now() - answered > AWAY_MS) {
      event.preventDefault();
      const button = event.submitter;
      renewed().then((signedIn) => { if (signedIn) form.requestSubmit(button); });
      return;
    }
    form.dataset.sent = "1";
    dirty = false;
  });
  window.addEventListener("pageshow", () => { delete form.dataset.sent; });
  window.addEventListener("beforeunload", (event) => { if (dirty) { event.preventDefault(); event.returnValue = ""; } });

  function step(from, by) {
    const all = fields();
    const inGroup = (field) => from.type === "radio" && field !== from && field.name === from.name;
    const next = all.filter((field) => !inGroup(field))[all.filter((field) => !inGroup(field)).indexOf(from) + by];
    if (next) next.focus(); else if (by > 0) form.querySelector("[data-save]")?.focus();
  }

  function readCodes(field) {
    const known = field.dataset.codes.split(",");
    const digits = field.value.normalize("NFKC").replace(/\D+/g, " ").trim();
    let found = [];
    for (let part of digits.split(" ")) while (part) {
      const code = known.includes(part.slice(0, 2)) ? part.slice(0, 2) : part[0];
      if (known.includes(code)) found.push(code);
      part = part.slice(code.length);
    }
    found = "many" in field.dataset ? [...new Set(found)] : found.slice(-1);
    field.value = found.join(",");
    show(field, found);
  }

  function show(field, codes) {
    for (const button of box(field).querySelectorAll("[data-code]")) button.classList.toggle("on", codes.includes(button.dataset.code));
  }

  function choose(button) {
    const field = box(button).querySelector("[data-codes]");
    const code = button.dataset.code;
    const held = field.value ? field.value.split(",") : [];
    const next = "many" in field.dataset ? (held.includes(code) ? held.filter((one) => one !== code) : [...held, code]) : [code];
    field.value = next.join(",");
    show(field, next);
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function splitPair(field) {
    const [first, second] = field.value.normalize("NFKC").split(/[/、]/);
    const other = document.getElementById(field.dataset.pair);
    field.value = first.trim();
    other.focus();
    if (second.trim()) other.value = second.trim();
  }

  function confirm(field) {
    if (!field.matches("[data-carried]")) return;
    delete field.dataset.carried;
    box(field).classList.remove("carried");
    box(field).querySelector(".carriedmark")?.remove();
    const mark = document.createElement("input");
    mark.type = "hidden"; mark.name = "confirmed"; mark.value = field.name;
    form.append(mark);
    dirty = true;
    countCarried();
  }

  function countCarried() {
    const count = form.querySelectorAll("[data-carried]").length;
    const button = form.querySelector("[data-confirm-carried]");
    if (!button) return;
    button.hidden = count === 0;
    button.querySelector("[data-carried-count]").textContent = count;
  }

  function showOverruled(field) {
    const other = field.value.trim() !== field.dataset.computed;
    box(field).classList.toggle("overruled", other);
    box(field).classList.toggle("computed", !other);
    const why = box(field).querySelector(".why");
    if (why) why.hidden = !other;
  }

  function restore(field) {
    field.value = field.dataset.computed;
    if (field.dataset.codes) show(field, field.value ? field.value.split(",") : []);
    const why = box(field).querySelector(".why input");
    if (why) why.value = "";
    showOverruled(field);
    compute();
  }

  // A session that ended while the form was open does not take what was typed along: who signs in again in another window goes on here.
  async function renewed() {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
    const page = answer?.ok && !answer.redirected ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
    const token = page?.querySelector('meta[name="form-token"]')?.content;
    const notice = document.querySelector("[data-expired]");
    if (notice) notice.hidden = Boolean(token) || !answer;
    if (!token) return false;
    for (const field of document.querySelectorAll("input[name=form_token]")) field.value = token;
    answered = Date.now();
    return true;
  }

  async function compute(again = false) {
    if (!form.dataset.compute) return;
    const mine = ++asked;
    const sent = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.dataset.compute, { method: "POST", body: sent, headers: { "X-Form-Token": sent.get("form_token") } }).catch(() => null);
    if (answer?.redirected || answer?.status === 403) { if (!again && await renewed()) compute(true); return; }
    if (!answer?.ok || mine !== asked) return;
    answered = Date.now();
    const told = await answer.json();
    for (const [name, words] of Object.entries(told.notes ?? {})) note(name, words);
    for (const [name, said] of Object.entries(told.fields)) {
      const field = form.elements[name];
      if (!field?.dataset || !box(field)) continue;
      if (said.value !== undefined) take(field, said.value);
      if (said.fill && !field.value.trim()) { field.value = said.fill; if (field.dataset.codes) show(field, [said.fill]); }
      say(field, said);
    }
  }

  function note(name, words) {
    const place = document.querySelector(`[data-note="${name}"]`);
    if (!place) return;
    place.hidden = !words;
    (place.querySelector("[data-words]") ?? place).textContent = words;
  }

  function take(field, value) {
    const untouched = field.value.trim() === field.dataset.computed;
    field.dataset.computed = value;
    const shown = form.elements[`computed_${field.name}`];
    if (shown) shown.value = value;
    if (untouched) field.value = value;
    if (field.dataset.codes) show(field, field.value ? field.value.split(",") : []);
    showOverruled(field);
  }

  function say(field, said) {
    const place = document.getElementById(`s-${field.name}`);
    const kind = said.error ? "bad" : said.warning ? "warn" : "faint";
    box(field).classList.toggle("wrong", Boolean(said.error));
    box(field).classList.toggle("unusual", Boolean(said.warning) && !said.error);
    field.setAttribute("aria-invalid", Boolean(said.error));
    if (!place) return;
    place.textContent = "";
    const words = document.createElement("span");
    words.className = kind;
    words.textContent = said.error || said.warning || said.hint || "";
    if (words.textContent) place.append(words);
  }

  countCarried();
  for (const field of form.querySelectorAll("[data-computed]")) showOverruled(field);
  (form.querySelector("[aria-invalid=true]") ?? form.querySelector("[data-first]") ?? fields().find((field) => !field.value) ?? fields()[0])?.focus();
}
