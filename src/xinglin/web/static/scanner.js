// A card reader or scanner types a number in a moment and ends with Enter, also while the keyboard is in no field.

const PAUSE_MS = 300;
const OPENING_MS = 1500; // a page that opens on a slow PC gives its box the focus so late
const NUMBERS = /^(\d{17}[\dXx]|\d{17}|\d{15}|\d{11}|\d{8})$/;
let typed = "", typedAt = 0;

// Returns whether a key outside any field belongs to such a number; with its Enter the resident is looked for.
export function scanned(event) {
  const now = event.timeStamp; // when the key was pressed: a busy page comes to it later
  if (now - typedAt > PAUSE_MS) typed = "";
  typedAt = now;
  if (/^[0-9Xx]$/.test(event.key)) { typed += event.key; return typed.length > 1; }
  if (event.key === "Shift") return typed.length > 0;
  const number = typed;
  typed = "";
  if (event.key !== "Enter" || !document.body.dataset.finder || !NUMBERS.test(number)) return false;
  event.preventDefault();
  location.assign(`/residents/find?text=${number}`);
  return true;
}

// A search box that takes the focus while a number is being typed (a page just opened) takes what came before it too.
export function takesOver(box) {
  if (typed && performance.now() - typedAt <= OPENING_MS) box.value = typed;
  typed = "";
}
