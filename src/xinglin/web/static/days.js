// A day as people type it: 20261121, 2026年11月21日 and 1121 become 2026-11-21. The server reads every day again.

export function readDate(text, today = new Date()) {
  const plain = text.normalize("NFKC").trim();
  const full = /^(\d{4})[-./年 ]?(\d{1,2})[-./月 ]?(\d{1,2})日?$/.exec(plain);
  const short = full ? null : /^(\d{1,2})[-./月 ]?(\d{2})日?$/.exec(plain);
  if (!full && !short) return plain;
  let [year, month, day] = (full ? full.slice(1) : [today.getFullYear(), ...short.slice(1)]).map(Number);
  if (short && new Date(year, month - 1, day) > today) year -= 1;
  const found = new Date(year, month - 1, day);
  if (found.getMonth() !== month - 1 || found.getDate() !== day) return plain;
  return [year, String(month).padStart(2, "0"), String(day).padStart(2, "0")].join("-");
}
