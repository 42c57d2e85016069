// The page: keeps what the feed told, bounded, and shows it. The server decides everything; this
// only filters, pauses and unfolds.

import { follow } from "./live.js";
import { anomaly, attendance, both, el, en, entry, evidence, grounds, icon, severity, terminal, unreadable } from "./draw.js";
import { KINDS, SEVERITIES, STATES, clock, iso, number, word } from "./words.js";

const SHOWN_MAX = 200; // live anomalies on the page; more by "load older"
const HELD_MAX = 1_000; // anomalies on the page however often older ones are loaded
const ATTENDANCES_MAX = 50;
const TERMINALS_MAX = 300;
const ENTRIES_MAX = 12; // entries unfolded for one anomaly
const GATHER_MS = 120; // events that come together are drawn together
const FIGURES_MS_MIN = 1_000;
const FIGURES_MS_MAX = 30_000;

const $ = (id) => document.getElementById(id);
const list = $("anomaly-list");
const scroll = $("anomaly-scroll");

let about = null;
let anomalies = []; // newest first
let fresh = []; // came while the reader was reading; newest first
let attendances = [];
const terminals = new Map();
const towns = new Map();
const off = new Set(); // severities that are filtered away
let kind = "";
let town = "";
let paused = false;
let older = null; // where to read on; null before the first answer, false at the end
let shown_max = SHOWN_MAX;
let newest_ms = 0; // time of the newest event
let unseen = 0; // anomalies that came while the page was hidden

// --- What came ------------------------------------------------------------------------------

let gathered = [];
let gathering = 0;

follow("/api/v1/events", {
  state(state) {
    const words = state === "live" ? ["实时", "Live"] : ["重新连接中", "Reconnecting"];
    if ($("link").dataset.state === state) return;
    $("link").dataset.state = state;
    $("link-state").replaceChildren(icon(state), el("span", "", ...both(words)));
    if (state === "live") {
      ask_about();
      ask_figures_soon();
    }
  },
  snapshot(events) {
    clearTimeout(gathering);
    gathering = 0;
    gathered = [];
    anomalies = [];
    fresh = [];
    attendances = [];
    terminals.clear();
    towns.clear();
    older = null;
    newest_ms = 0;
    shown_max = SHOWN_MAX;
    for (const event of events) take(event, anomalies);
    fill_towns();
    draw_all();
  },
  event(event) {
    gathered.push(event);
    if (!gathering) gathering = setTimeout(draw_gathered, GATHER_MS);
    ask_figures_soon();
  },
});

function take(event, into) {
  if (event.type === "anomaly") {
    into.unshift(event);
    if (event.where) towns.set(event.where.town.zh, event.where.town);
  } else if (event.type === "attendance") {
    attendances.unshift(event);
    attendances.length = Math.min(attendances.length, ATTENDANCES_MAX);
  } else if (event.type === "terminal") {
    terminals.set(event.terminal, event);
    if (event.where) towns.set(event.where.town.zh, event.where.town);
  }
  const at = event.committed_ms ?? event.at_ms ?? event.last?.at_ms;
  if (at > newest_ms) {
    newest_ms = at;
    $("link-time").textContent = clock(at);
    $("link-time").dateTime = iso(at);
  }
}

function draw_gathered() {
  gathering = 0;
  const came = gathered;
  gathered = [];
  const new_anomalies = [];
  const towns_before = towns.size;
  for (const event of came) take(event, new_anomalies);
  if (towns.size !== towns_before) fill_towns();
  if (came.some((event) => event.type === "terminal")) draw_terminals();
  if (came.some((event) => event.type === "attendance")) draw_attendances();
  if (!new_anomalies.length) return;
  say(new_anomalies);
  if (document.hidden) {
    unseen += new_anomalies.length;
    document.title = `(${unseen}) 点名 Rollcall`;
  }
  if (paused || reading()) {
    fresh = [...new_anomalies, ...fresh].slice(0, HELD_MAX);
    draw_fresh();
  } else {
    put_on_top(new_anomalies);
  }
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  unseen = 0;
  document.title = "点名 Rollcall";
});

// Somebody who reads must not have the text pushed away under her eyes.
function reading() {
  const scrolls_itself = scroll.scrollHeight > scroll.clientHeight + 1;
  const scrolled = scrolls_itself ? scroll.scrollTop > 8 : scroll.getBoundingClientRect().top < -8;
  return scrolled || list.querySelector("details[open]") !== null || list.contains(document.activeElement);
}

// --- Anomalies ------------------------------------------------------------------------------

const passes = (event) =>
  !off.has(event.severity) && (!kind || event.kind === kind) && (!town || event.where?.town.zh === town);

function put_on_top(events) {
  anomalies = [...events, ...anomalies];
  if (anomalies.length > shown_max) {
    anomalies.length = shown_max;
    older = anomalies[anomalies.length - 1].id;
  }
  list.prepend(...events.filter(passes).map((event) => anomaly(event, unfold)));
  const oldest = anomalies[anomalies.length - 1].id;
  while (list.lastElementChild && Number(list.lastElementChild.dataset.id) < oldest) list.lastElementChild.remove();
  draw_ends();
}

function draw_anomalies() {
  list.replaceChildren(...anomalies.filter(passes).map((event) => anomaly(event, unfold)));
  draw_ends();
}

function draw_ends() {
  const nothing = list.childElementCount === 0;
  $("anomaly-empty").hidden = !nothing;
  if (nothing) {
    const filtered = anomalies.length > 0;
    empty(
      $("anomaly-empty"),
      filtered ? ["没有符合筛选条件的异常", "No anomaly passes these filters"] : ["目前没有异常", "No anomalies so far"],
      filtered
        ? ["放宽筛选条件，或读取更早的异常。", "Widen the filters, or load older ones."]
        : ["每条考勤入账后都会按规则判断；发现疑点会立即出现在这里，并附上证据。",
          "Every record is judged by the rules as it is committed; a finding appears here at once, with its evidence."],
    );
  }
  $("older").hidden = older === false || anomalies.length === 0 || anomalies.length >= HELD_MAX;
}

function draw_fresh() {
  const n = fresh.filter(passes).length;
  $("fresh").hidden = n === 0;
  $("fresh").replaceChildren(`↑ ${n} 条新异常 `, en(`${n} new`));
}

function show_fresh() {
  const events = fresh;
  fresh = [];
  draw_fresh();
  if (events.length) put_on_top(events);
}

$("fresh").addEventListener("click", () => {
  paused = false;
  draw_pause();
  show_fresh();
  scroll.scrollTop = 0;
  scroll.focus();
  if (scroll.getBoundingClientRect().top < 0) $("anomalies").scrollIntoView();
});

$("older").addEventListener("click", async () => {
  const button = $("older");
  button.disabled = true;
  try {
    const before = anomalies[anomalies.length - 1].id;
    const query = new URLSearchParams({ before, limit: 50 });
    const page = await ask(`/api/v1/anomalies?${query}`);
    older = page.older ?? false;
    shown_max = Math.min(Math.max(shown_max, anomalies.length + page.events.length), HELD_MAX);
    const room = page.events.slice(0, HELD_MAX - anomalies.length);
    anomalies.push(...room);
    for (const event of room) if (event.where) towns.set(event.where.town.zh, event.where.town);
    fill_towns();
    list.append(...room.filter(passes).map((event) => anomaly(event, unfold)));
    draw_ends();
  } catch (error) {
    say_text(`无法读取更早的异常 could not load older anomalies: ${error.message}`);
  }
  button.disabled = false;
});

async function unfold(event, body) {
  const parts = event.evidence.slice(0, ENTRIES_MAX).map((line) => ({ line, ...evidence(line) }));
  body.append(...parts.map((part) => part.box));
  const left = event.evidence.length - parts.length;
  if (left > 0) body.append(el("p", "quiet", `另有 ${left} 条 `, en(`and ${left} more entries`)));
  body.append(check_yourself(event));
  await Promise.all(
    parts.map(async ({ line, facts }) => {
      try {
        entry(facts, await ask(`/api/v1/entries/${line.index}`));
      } catch (error) {
        unreadable(facts, error.message);
      }
    }),
  );
}

function check_yourself(event) {
  const command = about?.verify ?? "rollcall verify --trust <公钥文件 KEYFILE> <证据包 BUNDLE>";
  const copy = el("button", "copy", "复制 ", en("Copy"));
  copy.type = "button";
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(command);
      copy.replaceChildren("已复制 ", en("Copied"));
    } catch {
      getSelection().selectAllChildren(copy.previousElementSibling);
    }
  });
  return el(
    "section", "check",
    el("h4", "", "自行核验 ", en("Check this yourself")),
    el("p", "", "无需数据库和网络：用监管中心的公钥核对导出的证据包中签名、记录链与账本证明。 ",
      en("No database, no network: check signatures, chain and ledger proofs of the exported bundle against the centre's public key.")),
    el("p", "command", el("code", "", command), copy),
    el("p", "quiet", "异常编号 ", en("Anomaly"), " ", el("code", "", event.anomaly), " · 规则 ", en("Policy"), " ", el("code", "", event.policy)),
    ...grounds(event),
  );
}

// --- The side -------------------------------------------------------------------------------

function draw_terminals() {
  const order = Object.keys(STATES);
  const all = [...terminals.values()].sort(
    (a, b) => order.indexOf(a.state) - order.indexOf(b.state) || a.terminal.localeCompare(b.terminal),
  );
  const items = all.slice(0, TERMINALS_MAX).map(terminal);
  if (all.length > items.length) {
    const left = all.length - items.length;
    items.push(el("li", "quiet", `另有 ${left} 台 `, en(`${left} more`)));
  }
  $("terminal-list").replaceChildren(...items);
  $("terminal-count").textContent = all.length ? number(all.length) : "";
  $("terminal-empty").hidden = all.length > 0;
  empty($("terminal-empty"), ["尚无终端", "No terminals yet"],
    ["登记的终端首次连接后显示在这里。", "A registered terminal appears here once it has connected."]);
}

function draw_attendances() {
  $("attendance-list").replaceChildren(...attendances.map(attendance));
  $("attendance-empty").hidden = attendances.length > 0;
  empty($("attendance-empty"), ["尚无考勤", "No attendance yet"],
    ["记录入账后显示在这里，最新的在最上面。", "Records appear here once they are committed, newest on top."]);
}

function empty(box, title, text) {
  box.replaceChildren(el("p", "empty-title", ...both(title)), el("p", "", ...both(text)));
}

function draw_all() {
  draw_anomalies();
  draw_fresh();
  draw_terminals();
  draw_attendances();
}

// --- Filters, pause, tabs -------------------------------------------------------------------

for (const name of Object.keys(SEVERITIES)) {
  const button = el("button", `toggle toggle-${name}`, severity(name));
  button.type = "button";
  button.setAttribute("aria-pressed", "true");
  button.addEventListener("click", () => {
    if (off.has(name)) off.delete(name);
    else off.add(name);
    button.setAttribute("aria-pressed", String(!off.has(name)));
    draw_anomalies();
    draw_fresh();
  });
  $("filter-severity").append(button);
}

const option = (value, text) => {
  const item = el("option", "", text);
  item.value = value;
  return item;
};

$("filter-kind").append(
  option("", "类型 Kind"),
  ...Object.entries(KINDS).map(([key, [zh, english]]) => option(key, `${zh} ${english}`)),
);
$("filter-kind").addEventListener("change", (event) => {
  kind = event.target.value;
  draw_anomalies();
  draw_fresh();
});

function fill_towns() {
  const names = [...towns.values()].sort((a, b) => a.en.localeCompare(b.en));
  $("filter-town").replaceChildren(
    option("", "城镇 Town"),
    ...names.map((name) => option(name.zh, `${name.zh} ${name.en}`)),
  );
  if (!towns.has(town)) town = "";
  $("filter-town").value = town;
}
$("filter-town").addEventListener("change", (event) => {
  town = event.target.value;
  draw_anomalies();
  draw_fresh();
});

function draw_pause() {
  $("pause").setAttribute("aria-pressed", String(paused));
  $("pause").replaceChildren(...(paused ? ["▶ 继续 ", en("Resume")] : ["❚❚ 暂停 ", en("Pause")]));
}
$("pause").addEventListener("click", () => {
  paused = !paused;
  draw_pause();
  if (!paused) show_fresh();
});

for (const button of document.querySelectorAll(".tabs button")) {
  button.addEventListener("click", () => {
    document.body.dataset.tab = button.dataset.tab;
    for (const other of document.querySelectorAll(".tabs button")) other.removeAttribute("aria-current");
    button.setAttribute("aria-current", "true");
  });
}

// --- What is asked for ----------------------------------------------------------------------

async function ask(url) {
  const answer = await fetch(url, { headers: { accept: "application/json" } });
  const data = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(data.error ? `${data.error.zh} ${data.error.en}` : `HTTP ${answer.status}`);
  return data;
}

async function ask_about() {
  try {
    about = await ask("/api/v1/about");
  } catch {
    return; // the next connection asks again
  }
  $("demo").hidden = !about.demo;
  $("about").replaceChildren(
    "账本 ", en("ledger"), " ", el("code", "", about.origin), " · 规则 ", en("policy"), " ",
    el("code", "", about.policy), " · ", el("code", "", `v${about.version}`),
  );
}

let figures_timer = 0;
let figures_soon = false;

function ask_figures_soon() {
  if (figures_soon) return;
  figures_soon = true;
  clearTimeout(figures_timer);
  figures_timer = setTimeout(ask_figures, FIGURES_MS_MIN);
}

async function ask_figures() {
  figures_soon = false;
  try {
    const figures = await ask("/api/v1/figures");
    const marks = Object.keys(SEVERITIES).map((name) => {
      const mark = severity(name);
      mark.prepend(el("b", "", number(figures.anomalies[name])));
      return mark;
    });
    $("figure-anomalies").replaceChildren(...marks);
    $("figure-attendances").textContent = number(figures.attendances);
    $("figure-day").textContent = figures.day;
    $("figure-online").textContent = number(figures.terminals.online);
    $("figure-terminals").textContent = number(figures.terminals.all);
    $("figure-entries").textContent = number(figures.entries);
  } catch {
    // The state of the connection already says that the server is away.
  }
  if (!figures_soon) figures_timer = setTimeout(ask_figures, FIGURES_MS_MAX);
}

// --- Said aloud -----------------------------------------------------------------------------

let saying = [];

function say(events) {
  if (!saying.length) setTimeout(say_all, 1_000);
  saying.push(...events);
}

function say_all() {
  const events = saying;
  saying = [];
  const [one] = events;
  const [zh, english] = word(KINDS, one.kind);
  const [level] = word(SEVERITIES, one.severity);
  say_text(events.length === 1 ? `新异常 ${level}：${zh} ${english}` : `${events.length} 条新异常 ${events.length} new anomalies`);
}

function say_text(text) {
  $("say").textContent = text;
}

draw_pause();
fill_towns();
draw_all();
ask_about();
ask_figures();
