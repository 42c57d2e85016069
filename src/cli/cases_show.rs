//! How `rollcall cases` tells of cases: persons masked, numbers with what they are made of.

use serde_json::json;

use super::collector::Told;
use super::collector_sheet::people_failed;
use crate::cases::{Case, Found};
use crate::collector::Config;
use crate::collector::cases::{Reading, Teller};
use crate::collector::people::People;
use crate::domain::{CaseStep, PersonId, Timestamp, masked_name};
use crate::web::{CaseLine, CaseView, LivedView, StepView, by_urgency, is_wanted};

/// Who is who, where this machine knows it.
pub(super) struct Persons(Option<People>);

impl Persons {
    pub(super) fn of(config: &Config) -> Told<Self> {
        let known = People::are_in(&config.data_dir);
        let people = known.then(|| People::open(&config.data_dir)).transpose();
        people.map(Self).map_err(|error| people_failed(&error))
    }

    fn name(&self, person: &PersonId) -> Option<String> {
        self.0.as_ref().and_then(|people| people.name(*person).ok().flatten())
    }

    /// Masked, where her name is known here; else the beginning of her id.
    fn called(&self, person: &PersonId) -> String {
        self.name(person).map_or_else(
            || format!("№ {}", person.to_string().chars().take(6).collect::<String>()),
            |name| masked_name(&name),
        )
    }

    /// Whether what would stand in the ledger for ever names one of them.
    pub(super) fn are_named_in(&self, people: &[PersonId], step: &CaseStep) -> bool {
        people.iter().filter_map(|person| self.name(person)).any(|name| {
            let name = name.trim();
            !name.is_empty()
                && [Some(&step.by), step.text.as_ref()]
                    .into_iter()
                    .flatten()
                    .any(|text| text.contains(name))
        })
    }
}

fn teller<T>(
    reading: &Reading,
    persons: &Persons,
    now: Timestamp,
    tell: impl FnOnce(&Teller<'_>) -> T,
) -> T {
    let called = |person: &PersonId| persons.called(person);
    let (gathered, registry) = (&reading.gathered, &reading.registry);
    tell(&Teller { gathered, registry, called: &called, now })
}

pub(super) fn list(
    reading: &Reading,
    persons: &Persons,
    now: Timestamp,
    state: &str,
    as_json: bool,
) {
    let mut lines = teller(reading, persons, now, |teller| teller.lines());
    lines.retain(|line| is_wanted(line, state));
    by_urgency(&mut lines);
    if as_json {
        say!("{:#}", json!({ "now_ms": now, "cases": lines }));
        return;
    }
    if lines.is_empty() {
        say!("没有案件 no cases ({state})");
    }
    for line in &lines {
        say!("{}", told(line));
    }
}

fn told(line: &CaseLine) -> String {
    let kinds: Vec<_> = line.kinds.iter().map(|kind| kind.as_str()).collect();
    let place = line.place.as_ref();
    let place = place.map_or_else(String::new, |it| format!("  {} · {}", it.town.zh, it.site.zh));
    let owner = line.owner.as_ref().map_or_else(String::new, |owner| format!("  经办 {owner}"));
    format!(
        "{:>3}  {}  {:<8}  {}{place}  {} ×{}  {}{owner}",
        line.score,
        line.id,
        standing(line),
        line.subject.name,
        kinds.join(", "),
        line.anomalies,
        line.newest,
    )
}

fn standing(line: &CaseLine) -> String {
    match (&line.verdict, line.snoozed_until) {
        (Some(it), _) => format!("{} {} ({})", it.verdict.zh, it.verdict.code, it.reason.zh),
        (None, Some(until)) => format!("暂缓 snoozed – {until}"),
        (None, None) => match line.state {
            "taken" => "办理 taken".into(),
            "appealed" => "申诉 appealed".into(),
            _ => "待办 open".into(),
        },
    }
}

pub(super) fn show(
    reading: &Reading,
    persons: &Persons,
    now: Timestamp,
    case: &Case,
    found: &[Found],
    as_json: bool,
) {
    let view = teller(reading, persons, now, |teller| teller.case(case, found));
    if as_json {
        say!("{:#}", json!(view));
        return;
    }
    whole(&view);
}

fn whole(view: &CaseView) {
    say!("{}", told(&view.line));
    say!("# 风险分 score: {}", view.risk.score);
    for part in &view.risk.parts {
        say!(
            "  {:<22} ×{:<3} {:>6} = {} × {} × {} × {}",
            part.kind.as_str(),
            part.count,
            part.points,
            part.weight,
            part.repetition,
            part.precision,
            part.age,
        );
    }
    say!("  (严重程度 severity × 重复 repetition × 查实率 precision as lived × 新近 age)");
    say!("  × {} (类型数 kinds), 至多 at most 100", view.risk.variety);
    if !view.as_judged {
        say!("# 注意：结论所依据的异常与现在的不同 note: the verdict was about other anomalies");
    }
    say!("# 异常 anomalies");
    for found in &view.found {
        say!("  {}  {}  {}", found.at, found.kind, found.who.join(", "));
        say!("    {}", found.why.zh);
        say!("    {}", found.why.en);
        let entries: Vec<_> = found.evidence.iter().map(u64::to_string).collect();
        let (rule, policy) = (found.rule, &found.policy);
        let entries = entries.join(", ");
        say!("    证据 evidence: {entries}  规则 policy: {policy}  检测版本 rule version: {rule}");
    }
    say!("# 经过 history");
    for step in &view.steps {
        say!("  {}  {}", step.at, done(step));
    }
}

fn done(step: &StepView) -> String {
    let what = match (&step.verdict, step.until, &step.party) {
        (Some(it), ..) => {
            format!("{} {}: {} {}", it.verdict.zh, it.verdict.code, it.reason.zh, it.reason.code)
        }
        (None, Some(until), _) => format!("snoozed – {until}"),
        (None, None, Some(party)) => format!("appealed: {} {}", party.zh, party.code),
        (None, None, None) => step.step.to_owned(),
    };
    let text = step.text.as_ref().map_or_else(String::new, |text| format!(": {text}"));
    format!("{what}  [{}]{text}", step.by)
}

pub(super) fn precision(reading: &Reading, as_json: bool) {
    let lived: Vec<_> =
        reading.gathered.lived().iter().map(|(kind, it)| LivedView::of(*kind, it)).collect();
    if as_json {
        say!("{:#}", json!({ "detectors": lived }));
        return;
    }
    if lived.is_empty() {
        say!("尚无结论 no verdicts yet");
    }
    for it in &lived {
        let rate = it.precision.map_or_else(|| "–".into(), |it| format!("{:.0} %", it * 100.0));
        let [low, high] = it.interval.map(|it| it * 100.0);
        let reasons: Vec<_> =
            it.errors.iter().map(|(why, n)| format!("{} {} {n}", why.zh, why.code)).collect();
        say!(
            "{:<22} {rate:>6}  ({} / {}; 95 %: {low:.0}–{high:.0} %)  差错 error {}  未定 undecided {}  {}",
            it.kind.as_str(),
            it.fraud,
            it.decided,
            it.error,
            it.undecided,
            reasons.join(", "),
        );
    }
}
