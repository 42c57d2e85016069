// The page of cases: a list by urgency, one case with everything that its score and its verdict rest on,
// and how often each rule was right. It only reads: who judges says who she is, and does it by command.

import { both, el, en, entry, evidence, grounds, severity, unreadable } from "./draw.js";
import { KINDS, clock, day, full, iso, number, word } from "./words.js";

const ENTRIES_MAX = 12; // entries unfolded for one anomaly
const ASK_MS = 15_000;

const STANDINGS = {
  waiting: ["待处理", "Waiting"],
  open: ["未接手", "Open"],
  taken: ["办理中", "Taken"],
  appealed: ["申诉中", "Contested"],
  snoozed: ["已暂缓", "Put off"],
  judged: ["已有结论", "Judged"],
  all: ["全部", "All"],
};

const SUBJECTS = {
  person: ["人员", "Person"],
  terminal: ["终端", "Terminal"],
  site: ["教学点", "Site"],
  rule: ["规则", "Rule"],
};

const STEPS = {
  taken: ["接手", "took it"],
  commented: ["备注", "commented"],
  snoozed: ["暂缓", "put it off"],
  judged: ["结论", "judged"],
  appealed: ["申诉", "contested"],
  reopened: ["撤回结论", "took the verdict back"],
};

// The words of verdicts and reasons come from the server in Chinese; here is their English.
const CODES = {
  fraud: "fraud", error: "error", undecided: "undecided",
  proxy_attendance: "stood in for somebody else", made_up: "attendance made up",
  device_misused: "device misused", other_fraud: "another deceit",
  honest_mistake: "honest mistake", device_fault: "device failed", wrong_data: "wrong registration",
  lookalike: "two people look alike", rule_wrong: "the rule is wrong",
  not_proven: "not proven", proof_lost: "proof is lost", nobody_reached: "nobody could be reached",
  institution: "institution", trainee: "trainee",
};

const $ = (id) => document.getElementById(id);
let state = "waiting";
let shown = null; // the name of the case that is shown

const coded = (it) => [it.zh, CODES[it.code] ?? it.code];

function time(ms) {
  const element = el("time", "", full(ms));
  element.dateTime = iso(ms);
  return element;
}

function score(points) {
  const level = points >= 60 ? " score-high" : points >= 30 ? " score-middle" : "";
  const box = el("span", `score${level}`, number(points));
  box.title = "风险分 0–100 score";
  return box;
}

function standing(line) {
  const [name, words] = line.verdict
    ? [line.verdict.verdict.code, coded(line.verdict.verdict)]
    : [line.state, word(STANDINGS, line.state)];
  return el("span", `standing standing-${name}`, ...both(words));
}

const subject = (line) =>
  el("span", "subject", line.subject.kind === "person" ? line.subject.name
    : `${word(SUBJECTS, line.subject.kind)[0]} ${line.subject.name}`);

// --- The list -------------------------------------------------------------------------------

function case_line(line) {
  const kinds = line.kinds.flatMap((kind, i) => [i ? "、" : "", word(KINDS, kind)[0]]);
  const english = line.kinds.map((kind) => word(KINDS, kind)[1]).join(", ");
  const button = el(
    "button", "case",
    el("span", "line", el("span", "", score(line.score), " ", subject(line)), standing(line)),
    el("span", "line", el("span", "", ...kinds, " ", en(english)), el("span", "quiet", `×${line.anomalies}`)),
    el("span", "line quiet",
      el("span", "", ...(line.where ? [line.where.town.zh, " · ", line.where.site.zh] : ["—"])),
      el("span", "", line.owner ? `${line.owner} · ` : "", `${day(line.newest_ms)} ${clock(line.newest_ms)}`)),
  );
  button.type = "button";
  button.dataset.case = line.id;
  button.setAttribute("aria-current", String(line.id === shown));
  button.addEventListener("click", () => { location.hash = line.id; });
  return el("li", "", button);
}

async function draw_list() {
  let answer;
  try {
    answer = await ask(`/api/v1/cases?state=${state}`);
  } catch (error) {
    $("say").textContent = `无法读取案件 could not read the cases: ${error.message}`;
    return;
  }
  const options = Object.entries(STANDINGS).map(([key, [zh, english]]) => {
    const option = el("option", "", `${zh} ${english} (${answer.counts[key]})`);
    option.value = key;
    option.selected = key === state;
    return option;
  });
  $("state").replaceChildren(...options);
  const items = answer.cases.map(case_line);
  if (answer.left_out) items.push(el("li", "empty", `另有 ${answer.left_out} 件 `, en(`${answer.left_out} more`)));
  $("list").replaceChildren(...items);
  $("list-empty").hidden = answer.cases.length > 0;
  $("list-empty").replaceChildren(
    el("p", "empty-title", "没有案件 ", en("No cases")),
    el("p", "", "发现异常后会自动归案。 ", en("Whatever a rule finds becomes part of a case by itself.")),
  );
  if (!shown && !location.hash && answer.cases.length) show(answer.cases[0].id);
}

// --- One case -------------------------------------------------------------------------------

function head(view) {
  const place = view.where
    ? el("p", "", ...both(view.where.town), " · ", ...both(view.where.institution), " · ", ...both(view.where.site)) : null;
  return el(
    "section", "",
    el("div", "case-head", score(view.score), subject(view), severity(view.severity), standing(view),
      view.verdict ? el("span", "", ...both(coded(view.verdict.reason))) : null),
    place,
    el("p", "quiet", "经办 ", en("looked after by"), " ", view.owner ?? "—", " · 编号 ", en("case"), " ", el("code", "", view.id)),
    view.state === "snoozed" ? el("p", "", "暂缓至 ", en("put off until"), " ", time(view.snoozed_until_ms)) : null,
    view.as_judged ? null : el("p", "warned", "结论所依据的异常与现在的不同。 ", en("The verdict was about other anomalies than these.")),
  );
}

function parts(view) {
  const heading = (zh, english) => el("th", "", zh, en(english));
  const rows = view.risk.parts.map((part) => el(
    "tr", "",
    el("td", "", ...both(word(KINDS, part.kind)), " ", el("span", "quiet", `×${part.count}`)),
    ...[part.weight, part.repetition, part.precision, part.age].map((it) => el("td", "", String(it))),
    el("td", "", part.points.toFixed(1)),
  ));
  const last = el("td", "", `× ${view.risk.variety} → ${view.risk.score}`);
  const label = el("td", "", "合计 × 类型数，至多 100 ", en("sum × variety of kinds, at most 100"));
  label.colSpan = 5;
  const table = el(
    "table", "parts",
    el("thead", "", el("tr", "", heading("类型", "Kind"), heading("严重程度", "Severity"), heading("重复", "Repetition"),
      heading("查实率", "Precision as lived"), heading("新近", "Age"), heading("分", "Points"))),
    el("tbody", "", ...rows),
    el("tfoot", "", el("tr", "", label, last)),
  );
  return el("section", "", el("h3", "", "风险分的组成 ", en("What the score is made of")), table);
}

function found(item) {
  const box = el("div", "proof");
  const summary = el("summary", "", "证据 ", en("Evidence"), " ",
    el("span", "indexes", item.evidence.slice(0, 8).map((index) => `#${index}`).join(" "), item.evidence.length > 8 ? " …" : ""));
  const details = el("details", "evidence", summary);
  details.addEventListener("toggle", () => {
    if (!details.open || box.isConnected) return;
    details.append(box);
    unfold(item, box);
  });
  const who = item.who.length ? item.who.join("、") : "身份不明 nobody is known";
  return el(
    "article", "found",
    el("div", "head", severity(item.severity), el("strong", "", ...both(word(KINDS, item.kind))), el("span", "when", time(item.at_ms))),
    el("p", "quiet", who, item.terminals.length ? " · " : "", el("code", "", item.terminals.join(" "))),
    el("p", "", item.why.zh, " ", en(item.why.en)),
    details,
  );
}

async function unfold(item, box) {
  for (const index of item.evidence.slice(0, ENTRIES_MAX)) {
    const part = evidence({ index, hash: "", what: ["", ""] });
    box.append(part.box);
    try {
      entry(part.facts, await ask(`/api/v1/entries/${index}`));
    } catch (error) {
      unreadable(part.facts, error.message);
    }
  }
  box.append(el("p", "quiet", "规则 ", en("Policy"), " ", el("code", "", item.policy), " · 异常编号 ", en("anomaly"), " ", el("code", "", item.anomaly)), ...grounds(item));
}

function step(it) {
  const words = [el("strong", "", ...both(word(STEPS, it.step)))];
  if (it.verdict) words.push(" ", ...both(coded(it.verdict.verdict)), " · ", ...both(coded(it.verdict.reason)));
  if (it.until_ms) words.push(" – ", time(it.until_ms));
  if (it.party) words.push(" ", ...both(coded(it.party)));
  return el(
    "li", "",
    el("span", "", time(it.at_ms)),
    el("span", "", ...words, " ", el("span", "by", `${it.by} · #${it.index}`), it.text ? el("p", "", it.text) : null),
  );
}

function history(view) {
  const steps = view.steps.length
    ? el("ol", "steps", ...view.steps.map(step))
    : el("p", "quiet", "尚未处理。 ", en("Nothing was done yet."));
  return el("section", "", el("h3", "", "经过 ", en("History")), steps);
}

// What can be done now, as commands: this server knows nobody, and a verdict needs somebody's name.
function orders(view) {
  const name = view.id.slice(0, 12);
  const by = '--by "姓名 单位 NAME OFFICE"';
  const text = '--text "…"';
  const known = {
    take: [["接手", "Look after it"], `take ${name} ${by}`],
    snooze: [["暂缓", "Put it off"], `snooze ${name} --until 2026-12-31 ${by} ${text}`],
    verdict: [["作出结论", "Judge it"], `verdict ${name} --verdict fraud|error|undecided --reason … ${by} ${text}`],
    appeal: [["提出申诉", "Contest the verdict"], `appeal ${name} --party institution|trainee ${by} ${text}`],
    reopen: [["撤回结论", "Take the verdict back"], `reopen ${name} ${by} ${text}`],
    comment: [["备注", "Say something"], `comment ${name} ${by} ${text}`],
  };
  const possible = view.state === "judged" ? ["appeal", "reopen", "comment"]
    : view.state === "appealed" ? ["take", "verdict", "comment"] : ["take", "verdict", "snooze", "comment"];
  const list = possible.flatMap((key) => {
    const [words, command] = known[key];
    const code = `rollcall cases ${command} --config FILE`;
    return [el("dt", "", ...both(words)), el("dd", "command", el("code", "", code))];
  });
  return el(
    "section", "",
    el("h3", "", "如何处理 ", en("What can be done")),
    el("p", "quiet", "本页只供查看：结论须由具名人员在监管中心以命令作出，并记入账本；说明中不得出现学员姓名。 ",
      en("This page only shows. A named person decides, by a command at the centre, and it stands in the ledger; no text names a trainee.")),
    el("dl", "orders", ...list),
  );
}

async function show(id) {
  shown = id;
  for (const button of document.querySelectorAll(".case")) button.setAttribute("aria-current", String(button.dataset.case === id));
  try {
    const view = await ask(`/api/v1/cases/${id}`);
    if (shown !== id) return;
    const anomalies = el("section", "", el("h3", "", "异常 ", en("Anomalies"), ` ${view.anomalies}`), ...view.found.map(found));
    $("case-body").replaceChildren(head(view), parts(view), anomalies, history(view), orders(view), await precision());
    $("case-body").scrollTop = 0;
  } catch (error) {
    $("case-body").replaceChildren(el("p", "empty", error.message));
  }
}

async function precision() {
  const { detectors } = await ask("/api/v1/precision");
  const heading = (zh, english) => el("th", "", zh, en(english));
  const percent = (share) => `${Math.round(share * 100)} %`;
  const rows = detectors.map((it) => el(
    "tr", "",
    el("td", "", ...both(word(KINDS, it.kind))),
    el("td", "", it.precision === null ? "—" : percent(it.precision)),
    el("td", "", `${it.fraud} / ${it.decided}`),
    el("td", "", `${percent(it.interval[0])}–${percent(it.interval[1])}`),
    el("td", "", it.errors.map(([why, n]) => `${why.zh} ${n}`).join("、") || "0"),
    el("td", "", String(it.undecided)),
  ));
  const table = rows.length
    ? el("table", "parts",
      el("thead", "", el("tr", "", heading("规则", "Rule"), heading("查实率", "Precision"), heading("查实 / 已定", "Fraud / decided"),
        heading("95 % 区间", "Interval"), heading("差错", "Errors"), heading("未定", "Undecided"))),
      el("tbody", "", ...rows))
    : el("p", "quiet", "尚无结论；计分时每条规则按二分之一计。 ", en("No verdicts yet; in the score each rule counts as right half of the time."));
  return el("section", "", el("h3", "", "各规则查实率 ", en("How often each rule was right")), table);
}

// --- What is asked for ----------------------------------------------------------------------

async function ask(url) {
  const answer = await fetch(url, { headers: { accept: "application/json" } });
  const data = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(data.error ? `${data.error.zh} ${data.error.en}` : `HTTP ${answer.status}`);
  return data;
}

$("state").addEventListener("change", (event) => {
  state = event.target.value;
  draw_list();
});

const wanted = () => { if (/^#[0-9a-f]{32}$/.test(location.hash)) show(location.hash.slice(1)); };
addEventListener("hashchange", wanted);
wanted();
draw_list();
setInterval(draw_list, ASK_MS);
ask("/api/v1/about").then((about) => { $("demo").hidden = !about.demo; }, () => {});
