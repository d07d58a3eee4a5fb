"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const picture = JSON.parse(document.getElementById("picture").textContent);
const element = id => document.getElementById(id);
const BINS = 50, SMALL = 8;  // pixels on the screen below which an outline gets no rim

// --- the map: its coordinates are those of the plane from its lower left corner, y for latitude ---

const Plane = L.extend({}, L.CRS.Simple, {distance: (a, b) => L.CRS.Simple.distance(a, b) * data.scale});
const map = L.map("map", {crs: Plane, minZoom: -40, maxZoom: 40, zoomSnap: 0.25, zoomDelta: 1, wheelPxPerZoomLevel: 90});
map.attributionControl.setPrefix('<a href="https://leafletjs.com">Leaflet</a>');

const Scale = L.Control.Scale.extend({
  _updateMetric(most) {
    if (data.unit === "m") return L.Control.Scale.prototype._updateMetric.call(this, most);
    const round = this._getRoundNum(most);
    this._updateScale(this._mScale, `${round.toLocaleString("en")} ${data.unit}`, round / most);
  },
});
new Scale({imperial: false, maxWidth: 140}).addTo(map);

// --- polygons: as in the preview, a tint and a line of the colour with a dark rim ---

const Canvas = L.Canvas.extend({
  _fillStroke(ctx, layer) {
    const size = layer._rawPxBounds.getSize(), isSmall = Math.max(size.x, size.y) < SMALL;
    ctx.lineJoin = "round";
    ctx.fillStyle = ctx.strokeStyle = layer.options.color;
    ctx.globalAlpha = 0.3;
    ctx.fill("evenodd");
    if (!isSmall) {
      ctx.globalAlpha = 0.55;
      ctx.lineWidth = 3.4;
      ctx.strokeStyle = "#000";
      ctx.stroke();
      ctx.strokeStyle = layer.options.color;
    }
    ctx.globalAlpha = 1;
    ctx.lineWidth = isSmall ? 1 : 1.6;
    ctx.stroke();
  },
});
const Outline = L.Polygon.extend({
  _updatePath() { if (this.isShown) this._renderer._updatePoly(this, true); },
  _containsPoint(point) { return this.isShown && L.Polygon.prototype._containsPoint.call(this, point); },
});
const canvas = new Canvas({padding: 0.2, tolerance: 2});

function corners(ring) {
  const places = [];
  let x = 0, y = 0;
  for (let i = 0; i < ring.length; i += 2) {
    x += ring[i];
    y += ring[i + 1];
    places.push(L.latLng(y * data.step, x * data.step));
  }
  return places;
}

const outlines = data.rings.map((rings, index) => {
  const {colour} = data.phrases[data.phrase[index]];
  const outline = new Outline(rings.map(corners), {renderer: canvas, color: colour, smoothFactor: 0.6});
  return Object.assign(outline, {index, isShown: true});
});

function told(outline) {
  const index = outline.index, area = data.area[index];
  const unit = {m: "m²", px: "px", units: "square units"}[data.unit];
  const digits = area < 100 ? 1 : 0;
  const rows = [["area", `${area.toLocaleString("en", {maximumFractionDigits: digits})} ${unit}`]];
  if (data.score[index] !== null) rows.unshift(["score", data.score[index].toFixed(2)]);
  for (const [name, values] of Object.entries(data.more))
    if (values[index] !== null && values[index] !== "") rows.push([name, String(values[index])]);
  const box = document.createElement("div");
  box.appendChild(document.createElement("b")).textContent = data.phrases[data.phrase[index]].text;
  const table = box.appendChild(document.createElement("table"));
  for (const row of rows) {
    const line = table.insertRow();
    for (const text of row) line.insertCell().textContent = text;
  }
  return box;
}

const box = ([left, bottom, right, top]) => [
  [bottom - data.bounds[1], left - data.bounds[0]], [top - data.bounds[1], right - data.bounds[0]],
];
map.fitBounds(box(data.bounds), {padding: [12, 12]});
map.setMinZoom(map.getZoom() - 2).setMaxZoom(map.getZoom() + 14);
const ground = picture && L.imageOverlay(picture.address, box(picture.bounds)).addTo(map);
L.featureGroup(outlines).bindPopup(told, {maxWidth: 320}).addTo(map);

function sharpen() {  // near, a person wants to see pixels, not a blur
  const image = ground.getElement();
  image.classList.toggle("near", image.width > 2 * image.naturalWidth);
}
if (ground) map.on("zoomend", sharpen) && ground.on("load", sharpen);

// --- the panel ---

element("panel").open = innerWidth > 560;
element("panel").querySelector("summary").textContent = data.title;

function row(parent, text, colour) {
  const label = parent.appendChild(document.createElement("label"));
  const box = label.appendChild(Object.assign(document.createElement("input"), {type: "checkbox", checked: true}));
  if (colour) {
    const swatch = label.appendChild(document.createElement("i"));
    swatch.className = "swatch";
    swatch.style.background = colour;
  }
  label.appendChild(document.createElement("span")).textContent = text;
  return [box, label.appendChild(document.createElement("small"))];
}

const rows = data.phrases.map(({text, colour}) => row(element("legend"), text, colour));
if (!rows.length) element("legend").textContent = "Nothing was found.";
if (ground) {
  const [box] = row(element("legend"), "raster");
  box.addEventListener("change", () => ground.setOpacity(box.checked ? 1 : 0));
}
for (const note of data.notes) {
  const line = element("panel").appendChild(document.createElement("p"));
  line.className = "note";
  line.textContent = note;
}

const scored = data.score.some(score => score !== null);
element("filter").hidden = !scored;
const bins = data.phrases.map(() => new Uint32Array(BINS));
data.score.forEach((score, index) => {
  if (score !== null) bins[data.phrase[index]][Math.min(BINS - 1, Math.floor(score * BINS))] += 1;
});

function drawHistogram(least) {
  const board = element("histogram"), ctx = board.getContext("2d"), sharp = devicePixelRatio || 1;
  board.width = board.clientWidth * sharp;
  board.height = board.clientHeight * sharp;
  const wanted = bins.filter((_, number) => rows[number][0].checked);
  const highest = Math.max(1, ...Array.from({length: BINS}, (_, bin) => bins.reduce((sum, counts) => sum + counts[bin], 0)));
  const width = board.width / BINS;
  for (let bin = 0; bin < BINS; bin += 1) {
    let base = board.height;
    ctx.globalAlpha = (bin + 1) / BINS > least ? 1 : 0.25;
    for (const counts of wanted) {
      const height = counts[bin] && Math.max(sharp, counts[bin] / highest * board.height);
      base -= height;
      ctx.fillStyle = data.phrases[bins.indexOf(counts)].colour;
      ctx.fillRect(bin * width, base, Math.max(1, width - sharp), height);
    }
  }
}

function update() {
  const least = Number(element("least").value);
  const shown = data.phrases.map(() => 0);
  for (const outline of outlines) {
    const phrase = data.phrase[outline.index], score = data.score[outline.index];
    outline.isShown = rows[phrase][0].checked && (score === null || score >= least);
    shown[phrase] += outline.isShown;
  }
  const total = shown.reduce((sum, count) => sum + count, 0);
  element("shown-least").textContent = least.toFixed(2);
  element("count").textContent = `${total.toLocaleString("en")} of ${outlines.length.toLocaleString("en")}`;
  rows.forEach(([, count], phrase) => { count.textContent = shown[phrase].toLocaleString("en"); });
  drawHistogram(least);
  requestAnimationFrame(redraw);
}

function redraw() {
  if (!canvas._map) return;  // without polygons nothing needs it
  canvas._redrawBounds = null;
  canvas._redraw();
}

element("least").addEventListener("input", update);
element("legend").addEventListener("change", update);
addEventListener("resize", update);
update();
