"use strict";
// Times as the clock of who reads has them, and in words while they are near; that of UTC is
// there to be asked for. Without scripts all are of UTC.

const near = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const far = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const here = exact.resolvedOptions().timeZone;

// inWords says when something was or will be, up to a day from now; "" beyond.
function inWords(at) {
  const seconds = Math.round((at - Date.now()) / 1000);
  if (Math.abs(seconds) < 60) {
    return "just now";
  }
  if (Math.abs(seconds) < 3600) {
    return near.format(Math.trunc(seconds / 60), "minute");
  }
  return Math.abs(seconds) < 86400 ? near.format(Math.trunc(seconds / 3600), "hour") : "";
}

function write(time) {
  const at = new Date(time.dateTime);
  if (Number.isNaN(at.getTime())) {
    return;
  }
  if (!time.title) {
    time.title = time.textContent;
  }
  // In a list of what happened the order counts, and so does each second.
  const text = time.closest(".activity, .exact") ? exact.format(at) : inWords(at) || far.format(at);
  if (time.textContent !== text) {
    time.textContent = text;
  }
}

// writeHour writes a time of day in a picture; what says that it is of UTC says it no more.
function writeHour(text) {
  const at = new Date(text.dataset.time);
  text.textContent = at.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
  document.querySelectorAll("[data-zone]").forEach((zone) => { zone.textContent = "as your clock has them"; });
}

function writeAll(within) {
  within.querySelectorAll("time[datetime]").forEach(write);
  within.querySelectorAll("text[data-time]").forEach(writeHour);
}

// A list that is narrowed by days is by those of who reads, unless its address names another zone.
document.querySelectorAll("input[name=zone]").forEach((zone) => {
  const filtered = ["from", "until"].some((name) => new URLSearchParams(location.search).get(name));
  if (zone.value === "" && !filtered) {
    document.querySelectorAll("[data-day-zone]").forEach((text) => { text.textContent = here; });
  }
  zone.value ||= here;
});

writeAll(document);
setInterval(() => writeAll(document), 30000);
new MutationObserver((changes) => {
  for (const change of changes) {
    change.addedNodes.forEach((node) => node.querySelectorAll && writeAll(node));
  }
}).observe(document.body, { childList: true, subtree: true });
