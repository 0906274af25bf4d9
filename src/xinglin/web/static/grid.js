// The grid of 批量录入: paste from a spreadsheet, arrows between rows, 135/85 into two cells.

for (const form of document.querySelectorAll("form[data-grid]")) {
  const cellsOf = (row) => [...row.querySelectorAll("input[data-field]")];
  const rows = () => [...form.querySelectorAll("tbody tr")].filter((row) => cellsOf(row).length);
  const place = (cell) => { const all = rows(); const row = all.indexOf(cell.closest("tr")); return [row, cellsOf(all[row]).indexOf(cell)]; };
  const put = (cell, text) => {
    const plain = text.normalize("NFKC").trim();
    if (cell.type === "checkbox") cell.checked = /^(1|是|√|y)/i.test(plain); else cell.value = plain;
    cell.dispatchEvent(new Event("input", { bubbles: true }));
  };

  form.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text/plain").replace(/\r\n?/g, "\n").replace(/\n$/, "");
    if (!event.target.matches("input[data-field]") || !/[\t\n]/.test(text)) return;
    event.preventDefault();
    const [top, left] = place(event.target);
    const all = rows();
    text.split("\n").forEach((line, down) => line.split("\t").forEach((piece, right) => {
      const cell = all[top + down] && cellsOf(all[top + down])[left + right];
      if (cell) put(cell, piece);
    }));
  });

  form.addEventListener("input", (event) => {
    if (!event.target.name?.endsWith(".systolic") || !/\d[/／、]/.test(event.target.value)) return;
    const [first, second] = event.target.value.normalize("NFKC").split(/[/、]/);
    const other = form.elements[event.target.name.replace(/systolic$/, "diastolic")];
    event.target.value = first.trim();
    if (second.trim()) other.value = second.trim();
    other.focus();
  });

  form.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by || !event.target.matches("input[data-field]")) return;
    event.preventDefault();
    const [row, column] = place(event.target);
    const next = rows()[row + by];
    if (next) cellsOf(next)[column].focus();
  });
}
