"use strict";
// Shows what the server tells over its websocket. Text from outside goes into the page as text, never as markup.

const SECONDS_SHOWN = 12, MOST_COLUMNS = 1024, MOST_ROWS = 200, RETRY_MS = 2000;
// Loudness as colour, quiet to loud; on a light page quiet is light.
const RAMPS = {
  dark: [[8, 12, 40], [60, 25, 110], [150, 40, 110], [225, 85, 60], [250, 170, 50], [252, 250, 190]],
  light: [[247, 249, 252], [253, 216, 150], [244, 140, 90], [190, 60, 100], [95, 30, 110], [22, 14, 50]],
};

const at = (id) => document.getElementById(id);
const dark = matchMedia("(prefers-color-scheme: dark)");
const percent = (share) => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;

let about = null;
let columns = [];
let stale = true;
let ended = false;

function table(anchors) {
  const colours = new Uint8ClampedArray(256 * 4);
  for (let value = 0; value < 256; value++) {
    const place = (value / 255) * (anchors.length - 1);
    const low = Math.min(Math.floor(place), anchors.length - 2);
    for (let part = 0; part < 3; part++) {
      colours[4 * value + part] = anchors[low][part] + (anchors[low + 1][part] - anchors[low][part]) * (place - low);
    }
    colours[4 * value + 3] = 255;
  }
  return colours;
}

function state(name, text) {
  const pill = at("state");
  pill.dataset.state = name;
  if (pill.textContent !== text) pill.textContent = text;
}

// --- spectrogram ---

function span() {
  return Math.max(8, Math.min(MOST_COLUMNS, Math.round(SECONDS_SHOWN / about.column_seconds)));
}

function append(encoded) {
  const bands = about.bands.length;
  if (!bands || !encoded) return;
  const bytes = Uint8Array.from(atob(encoded), (one) => one.charCodeAt(0));
  for (let start = 0; start + bands <= bytes.length; start += bands) columns.push(bytes.subarray(start, start + bands));
  columns.splice(0, Math.max(0, columns.length - span()));
  stale = true;
}

function draw() {
  requestAnimationFrame(draw);
  const canvas = at("spectrogram");
  if (!stale || !about || !canvas) return;
  stale = false;
  const width = span(), bands = about.bands.length, colours = table(RAMPS[dark.matches ? "dark" : "light"]);
  if (canvas.width !== width || canvas.height !== bands) [canvas.width, canvas.height] = [width, bands];
  const context = canvas.getContext("2d"), image = context.createImageData(width, bands);
  const first = width - columns.length;
  columns.forEach((column, number) => {
    for (let band = 0; band < bands; band++) {
      const pixel = 4 * ((bands - 1 - band) * width + first + number);
      for (let part = 0; part < 4; part++) image.data[pixel + part] = colours[4 * column[band] + part];
    }
  });
  context.putImageData(image, 0, 0);
}

function hertz(value) {
  return value >= 1000 ? `${(value / 1000).toFixed(1)} kHz` : `${Math.round(value)} Hz`;
}

function axes() {
  const bands = about.bands;
  if (!bands.length) return;
  at("high").textContent = hertz(bands[bands.length - 1]);
  at("middle").textContent = hertz(bands[Math.floor(bands.length / 2)]);
  at("low").textContent = hertz(bands[0]);
  at("oldest").textContent = `${Math.round(span() * about.column_seconds)} s ago`;
}

// --- decisions ---

function highest(scores) {
  return scores.length ? percent((Math.max(...scores) + 128) / 256) : "";
}

function cell(row, text, kind) {
  const made = row.insertCell();
  made.textContent = text;
  if (kind) made.className = kind;
}

function record(decision) {
  const row = at("log").insertRow(0);
  row.dataset.file = decision.file;
  row.dataset.window = decision.window;
  row.dataset.said = decision.said;
  cell(row, decision.seconds.toFixed(1));
  cell(row, decision.file);
  cell(row, decision.said);
  cell(row, highest(decision.scores), "number");
  while (at("log").rows.length > MOST_ROWS) at("log").deleteRow(-1);
}

// Scrolls a list of many classes, and not the page, to a row that is out of sight.
function reveal(row) {
  const list = row.parentElement, top = row.offsetTop - list.offsetTop;
  if (top < list.scrollTop || top + row.offsetHeight > list.scrollTop + list.clientHeight) {
    list.scrollTop = top - list.clientHeight / 2;
  }
}

function bars(decision) {
  if (!decision.scores.length) return;
  const best = decision.scores.indexOf(Math.max(...decision.scores));
  Array.from(at("bars").children).forEach((row, number) => {
    const share = (decision.scores[number] + 128) / 256;
    row.querySelector(".fill").style.width = `${100 * share}%`;
    row.querySelector(".value").textContent = percent(share);
    row.classList.toggle("best", number === best);
    if (number === best) reveal(row);
  });
}

function show(decision) {
  const said = at("said");
  said.textContent = decision.said;
  said.classList.toggle("none", !about.labels.includes(decision.said));
  bars(decision);
}

function loads(figures) {
  if (!figures.length) return;
  at("loads").replaceChildren(...figures.map((figure) => {
    const row = document.createElement("li");
    for (const [tag, kind, text] of [
      ["span", "share", percent(figure.share)],
      ["span", "how", `${figure.how}, of ${figure.of}`],
      ["small", "by", figure.by],
    ]) {
      const part = document.createElement(tag);
      part.className = kind;
      part.textContent = text;
      row.append(part);
    }
    return row;
  }));
}

function level(decibels) {
  if (decibels === null) return;
  at("level").style.width = `${Math.max(0, Math.min(100, 100 + (100 * decibels) / 60))}%`;
  at("decibels").textContent = `${Math.round(decibels)} dBFS`;
}

// --- messages ---

const takes = {
  about(message) {
    about = message.about;
    columns = [];
    at("log").replaceChildren();
    append(message.columns);
    axes();
    message.decisions.forEach(record);
    if (message.decisions.length) show(message.decisions[message.decisions.length - 1]);
    loads(message.loads);
    state("live", "live");
    if (message.ended) takes.end({ why: message.ended });
  },
  heard(message) {
    if (message.file) at("place").textContent = `${message.file}, ${message.seconds.toFixed(1)} s`;
    append(message.columns);
    level(message.level);
    loads(message.loads);
    if (message.decision) {
      record(message.decision);
      show(message.decision);
    }
    if (message.remark) at("remark").textContent = message.remark;
  },
  lost(message) {
    at("lost").textContent = `This browser was too slow for ${message.messages} messages; the session is not affected.`;
  },
  end(message) {
    ended = true;
    state("lost", "ended");
    at("remark").textContent = message.why;
  },
};

function connect() {
  const address = new URL("heard", location.href);
  address.protocol = "ws:";
  const socket = new WebSocket(address);
  socket.addEventListener("message", (event) => {
    const message = JSON.parse(event.data);
    takes[message.kind](message);
  });
  socket.addEventListener("close", () => {
    if (ended) return;
    state("lost", "connection lost");
    setTimeout(connect, RETRY_MS);
  });
}

dark.addEventListener("change", () => { stale = true; });
connect();
requestAnimationFrame(draw);
