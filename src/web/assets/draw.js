// Events as elements. Text reaches the page only as text nodes: nothing that a record says can
// become markup.

import {
  EVENTS, HOLDS, KINDS, OUTCOMES, SEVERITIES, STATES,
  clock, day, full, iso, number, short, word,
} from "./words.js";

const SVG = "http://www.w3.org/2000/svg";

// Each state has its own shape, so that colour is never the only sign.
const ICONS = {
  alarm: ["M5 1h6l4 4v6l-4 4H5l-4-4V5z", "M8 4.2v4.6M8 11.4v.4"],
  warning: ["M8 1.3 15.3 14.5H.7z", "M8 6v4.2M8 12.2v.3"],
  notice: ["M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1z", "M8 7.4v4.2M8 4.6v.3"],
  online: ["M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1z", "m4.8 8.2 2.3 2.3 4.2-4.8"],
  offline: [null, "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM3.8 12.2l8.4-8.4"],
  full: ["M1.5 1.5h13v13h-13z", "M4.5 5h7M4.5 8h7M4.5 11h7"],
  clock_doubtful: ["M8 .8 15.2 8 8 15.2.8 8z", "M8 4.6V8l2.3 1.6"],
  live: ["M8 3a5 5 0 1 0 0 10A5 5 0 0 0 8 3z", null],
  reconnecting: [null, "M13 8a5 5 0 1 1-1.6-3.7M11.8 1.6v3h-3"],
  check_in: [null, "M2 8h8M7 4.5 10.5 8 7 11.5M13.5 3v10"],
  check_out: [null, "M13.5 8h-8M9 4.5 5.5 8 9 11.5M2.5 3v10"],
  attempt: [null, "m4 4 8 8M12 4l-8 8"],
  gap: [null, "M2 8h3M11 8h3M7 5v6M9 5v6"],
};

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const [shape, line] = ICONS[name] ?? ICONS.notice;
  for (const [d, part] of [[shape, "shape"], [line, "line"]]) {
    if (!d) continue;
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    path.setAttribute("class", shape ? part : "stroke");
    svg.append(path);
  }
  return svg;
}

export function el(tag, name, ...children) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const en = (text) => {
  const span = el("span", "en", text);
  span.lang = "en";
  return span;
};

// Both languages, Chinese first.
export function both(text) {
  const [zh, english] = Array.isArray(text) ? text : [text.zh, text.en];
  return english && english !== zh ? [zh, " ", en(english)] : [zh];
}

function time(ms, text, name) {
  const element = el("time", name, text);
  element.dateTime = iso(ms);
  element.title = `${full(ms)} 北京时间 China standard time`;
  return element;
}

const dot = () => el("span", "dot", "·");
const space = () => " ";
const joined = (parts, between) => parts.flatMap((part, i) => (i ? [between(), ...part] : part));
const codes = (words) => joined(words.map((text) => [el("code", "", text)]), space);

function placed(where, terminals) {
  const parts = [];
  if (where) parts.push(both(where.town), both(where.institution), both(where.site));
  const spans = parts.map((part) => [el("span", "part", ...part)]);
  if (terminals.length) spans.push(codes(terminals));
  return joined(spans, dot);
}

function row(label, ...value) {
  return [el("dt", "", ...both(label)), el("dd", "", ...value)];
}

export function severity(name) {
  return el("span", `severity severity-${name}`, icon(name), el("span", "", ...both(word(SEVERITIES, name))));
}

// `open` is called once, with the element to fill, when the evidence is first looked at.
export function anomaly(event, open) {
  const title = el("h3", "", ...both(word(KINDS, event.kind)));
  title.id = `anomaly-${event.id}`;
  const head = el(
    "div", "head",
    severity(event.severity), title,
    el("span", "when", time(event.at_ms, day(event.at_ms), "date"), " ", time(event.at_ms, clock(event.at_ms), "clock")),
  );
  const who = event.who.length
    ? joined(event.who.map((p) => [el("span", "part", ...both(p.role), " ", el("strong", "", p.name))]), dot)
    : ["身份不明 ", en("nobody is known")];
  const where = event.where || event.terminals.length ? placed(event.where, event.terminals) : ["未知 ", en("unknown")];
  const why = [el("span", "zh", event.why.zh), en(event.why.en)];
  const facts = el(
    "dl", "facts",
    ...row(["涉及", "Who"], ...who),
    ...row(["地点", "Where"], ...where),
    el("dt", "", ...both(["缘由", "Why"])), el("dd", "why", ...why),
  );
  const indexes = codes(event.evidence.slice(0, 6).map((line) => `#${line.index}`));
  const summary = el(
    "summary", "",
    "证据 ", en("Evidence"), " ", el("span", "indexes", ...indexes, event.evidence.length > 6 ? " …" : ""),
  );
  const details = el("details", "evidence", summary);
  details.addEventListener("toggle", () => {
    if (!details.open || details.childElementCount > 1) return;
    const body = el("div", "proof");
    details.append(body);
    open(event, body);
  });
  const article = el("article", `anomaly is-${event.severity}`, head, facts, details);
  article.setAttribute("aria-labelledby", title.id);
  const item = el("li", "", article);
  item.dataset.id = event.id;
  return item;
}

export function evidence(line) {
  const facts = el("dl", "entry", pair(["读取中", "reading"], "…"));
  const head = el(
    "p", "entry-head",
    el("code", "index", `#${line.index}`), " ", el("code", "hash", line.hash), " ", ...both(line.what),
  );
  return { box: el("section", "", head, facts), facts };
}

// A field that needs the whole width stands alone in its line.
const LONG = 32;

function pair(label, ...value) {
  const box = el("div", "", ...row(label, ...value));
  if (box.lastElementChild.textContent.length > LONG) box.className = "long";
  return box;
}

export function entry(facts, view) {
  const pairs = [
    pair(["条目", "Entry"], ...both(word(HOLDS, view.holds))),
    pair(["入账时间", "Committed"], time(view.committed_ms, full(view.committed_ms))),
  ];
  if (view.hash) pairs.push(pair(["密封字节哈希", "SHA-256"], el("code", "", view.hash)));
  for (const fact of view.facts) {
    const value = fact.says ? both(fact.says) : [el("code", "", fact.value)];
    pairs.push(pair(fact.name, ...value));
  }
  facts.replaceChildren(...pairs);
}

export function unreadable(facts, message) {
  facts.replaceChildren(pair(["无法读取", "cannot be read"], message));
}

// What an auditor needs to judge again: the rule's version, the numbers it read, what it had seen.
export function grounds(event) {
  if (!event.rule || !event.ledger) return [];
  const { first, last } = event.ledger;
  const inputs = Object.entries(event.inputs).flatMap(([name, value]) => [" ", el("code", "", `${name} = ${value}`)]);
  return [
    el("p", "quiet", "检测 ", en("Rule"), " ", el("code", "", `${event.kind} v${event.rule}`),
      " · 所见账本 ", en("ledger judged"), " ", el("code", "", `#${first}–#${last}`)),
    ...(inputs.length ? [el("p", "quiet", "所用数值 ", en("Numbers used"), ...inputs)] : []),
  ];
}

export function terminal(event) {
  const state = el("span", `state state-${event.state}`, icon(event.state), el("span", "", ...both(word(STATES, event.state))));
  const name = event.where ? both(event.where.site) : [event.terminal];
  const lines = [
    el("div", "line", el("span", "name", ...name), state),
    el("div", "line quiet", el("span", "", ...(event.where ? both(event.where.town) : []), " ", el("code", "", event.terminal)),
      event.last ? el("span", "", "最近 ", en("last"), " ", el("code", "", `#${event.last.seq}`), " ", time(event.last.at_ms, short(event.last.at_ms)))
        : el("span", "", "尚无记录 ", en("no record yet"))),
  ];
  if (event.waiting) {
    lines.push(el("div", "line waiting", el("span", "", "待传记录 ", en("records waiting"), " ", el("b", "", number(event.waiting)))));
  }
  const item = el("li", "terminal", ...lines);
  item.dataset.terminal = event.terminal;
  return item;
}

export function attendance(event) {
  const plain = event.outcome === "accepted" || event.outcome === null;
  const words = [];
  if (plain || event.event !== "attempt") words.push(both(word(EVENTS, event.event)));
  if (!plain) words.push(both(word(OUTCOMES, event.outcome)));
  const what = el("span", `what what-${event.event}`, icon(event.event), el("span", "", ...joined(words, space)));
  const late = event.late_minutes
    ? el("span", "late", `迟到 ${event.late_minutes} 分 `, en(`${event.late_minutes} min late`)) : null;
  const who = event.person ? el("strong", "", event.person) : el("span", "", "不明 ", en("unknown"));
  const where = event.where ? both(event.where.site) : [el("code", "", event.terminal)];
  return el(
    "li", "attendance",
    el("div", "line", time(event.at_ms, clock(event.at_ms), "clock"), el("span", "name", who), what),
    el("div", "line quiet", el("span", "", ...where), event.lesson ? el("span", "lesson", ...both(event.lesson)) : null, late),
  );
}
