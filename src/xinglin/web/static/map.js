// One map without tiles: our own outlines in the classes the server chose. Text goes in as text, never as markup; the same numbers stand in the table beside it.

const COLOURS = ["#dceee7", "#b0d8ca", "#77b9a6", "#3d917c", "#0d5c4d"];
const NONE = "#f0f0ee";
const element = document.getElementById("map");
const counts = element.dataset.count === "1";
const shapes = JSON.parse(element.dataset.shapes);
const colour = (place) => (place.class === null ? NONE : COLOURS[place.class]);
const said = (place) => (place.value === null ? element.dataset.none : counts ? String(place.value) : `${(place.value * 100).toFixed(1)}%  ${place.numerator} / ${place.denominator}`);
const row = (code) => document.querySelector(`tr[data-code="${CSS.escape(code)}"]`);

function words(place) {
  const box = document.createElement("div");
  const name = document.createElement("b");
  name.textContent = place.name;
  const numbers = document.createElement("div");
  numbers.textContent = said(place);
  box.append(name, numbers);
  return box;
}

function show() {
  const map = L.map(element, { attributionControl: false, zoomSnap: 0.25, scrollWheelZoom: false, keyboard: false });
  const drawn = new Map();
  const layer = L.geoJSON(shapes, {
    filter: (one) => one.geometry !== null,
    style: (one) => ({ color: "#fff", weight: 1.5, fillColor: colour(one.properties), fillOpacity: 1 }),
    pointToLayer: (one, place) => L.circleMarker(place, { radius: 8 }),
    onEachFeature: (one, shape) => {
      drawn.set(one.properties.code, shape);
      shape.bindTooltip(words(one.properties), { sticky: true });
      shape.on({
        mouseover: () => mark(one.properties.code, true),
        mouseout: () => mark(one.properties.code, false),
        click: () => { location.href = one.properties.path; },
      });
    },
  }).addTo(map);
  if (!drawn.size) { element.textContent = element.dataset.none; return; }
  const mark = (code, on) => {
    const shape = drawn.get(code);
    if (shape && on) { shape.setStyle({ weight: 3, color: "#0a3f36" }); shape.bringToFront?.(); }
    if (shape && !on) layer.resetStyle(shape);
    row(code)?.classList.toggle("chosen", on);
  };
  for (const line of document.querySelectorAll("tr[data-code]")) {
    for (const [event, on] of [["mouseenter", true], ["mouseleave", false], ["focusin", true], ["focusout", false]]) line.addEventListener(event, () => mark(line.dataset.code, on));
  }
  const fit = () => { map.invalidateSize(); map.fitBounds(layer.getBounds(), { padding: [12, 12] }); };
  fit();
  new ResizeObserver(fit).observe(element);
  if (shapes.features.length <= 40) name(map);
}

function name(map) {
  for (const one of shapes.features) {
    if (one.properties.lon === null) continue;
    const label = document.createElement("span");
    label.textContent = one.properties.name;
    L.marker([one.properties.lat, one.properties.lon], { interactive: false, keyboard: false, icon: L.divIcon({ className: "placename", html: label }) }).addTo(map);
  }
}

show();
