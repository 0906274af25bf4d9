// One map without tiles: our own outlines, coloured by a share. Text goes in as text, never as markup.

const COLOURS = ["#edf4f1", "#cfe5dd", "#a3cfc0", "#6fb29f", "#3d917c", "#11705e"];
const element = document.getElementById("map");
const colour = (share, low, high) => share === null || share === undefined ? "#f0f0ee" : COLOURS[Math.min(COLOURS.length - 1, Math.floor(((share - low) / (high - low || 1)) * COLOURS.length))];
const percent = (share) => share === null || share === undefined ? element.dataset.none : `${(share * 100).toFixed(1)}%`;

async function show() {
  const answer = await fetch(element.dataset.map);
  if (!answer.ok) { element.textContent = element.dataset.failed; return; }
  const shapes = await answer.json();
  const shares = shapes.features.map((one) => one.properties.share).filter((share) => share !== null);
  const low = Math.min(...shares), high = Math.max(...shares);
  const map = L.map(element, { attributionControl: false, zoomSnap: 0.25, scrollWheelZoom: false });
  const layer = L.geoJSON(shapes, {
    style: (one) => ({ color: "#fff", weight: 1.5, fillColor: colour(one.properties.share, low, high), fillOpacity: 1 }),
    pointToLayer: (one, place) => L.circleMarker(place, { radius: 7 }),
    onEachFeature: (one, shape) => {
      const words = document.createElement("div");
      const name = document.createElement("b");
      name.textContent = one.properties.name;
      const numbers = document.createElement("div");
      numbers.textContent = `${percent(one.properties.share)}  ${one.properties.numerator} / ${one.properties.denominator}`;
      words.append(name, numbers);
      shape.bindTooltip(words, { sticky: true });
      shape.on({ mouseover: () => shape.setStyle({ weight: 3, color: "#0a3f36" }), mouseout: () => layer.resetStyle(shape), click: () => { location.href = element.dataset.open + one.properties.code; } });
    },
  }).addTo(map);
  map.fitBounds(layer.getBounds(), { padding: [12, 12] });
  for (const one of shapes.features) if (one.properties.lon !== null && shapes.features.length <= 40) L.marker([one.properties.lat, one.properties.lon], { interactive: false, icon: L.divIcon({ className: "placename", html: Object.assign(document.createElement("span"), { textContent: one.properties.name }) }) }).addTo(map);
  legend(low, high);
}

function legend(low, high) {
  const box = document.getElementById("legend");
  if (!Number.isFinite(low)) return;
  for (let number = 0; number < COLOURS.length; number += 1) {
    const piece = document.createElement("span");
    const swatch = document.createElement("i");
    swatch.style.background = COLOURS[number];
    piece.append(swatch, percent(low + ((high - low) * number) / COLOURS.length));
    box.append(piece);
  }
}

show();
