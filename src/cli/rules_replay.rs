//! `rollcall rules replay`: what another profile would have raised in a collector's ledger. Changes nothing.

use std::collections::{BTreeMap, HashMap};

use clap::Args as ClapArgs;
use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::collector::{ConfigArg, Told, config_failed, load, store};
use super::collector_sheet::people_failed;
use super::policy::profile;
use super::report::{Exit, Report};
use crate::collector::Store;
use crate::collector::cases::Reading;
use crate::collector::people::People;
use crate::collector::profiles::{Profiles, ProfilesError};
use crate::collector::replay::{Comparison, Difference, Replay, Shown, Verdicts};
use crate::domain::{AnomalyId, AnomalyKind, Policy, Timestamp, Verdict};
use crate::ledger::{self, Entry, Ledger};
use crate::registry::Registry;
use crate::rules::{Judge, Version};

/// See [`super::rules`].
#[derive(Debug, ClapArgs)]
pub(super) struct ReplayArgs {
    #[command(flatten)]
    config: ConfigArg,
    /// The candidate: a profile file, or a profile of the program by its name.
    #[arg(long, value_name = "PROFILE")]
    with: String,
    /// First day that is compared, China standard time; else from the beginning.
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Option<Date>,
    /// Last day that is compared; else to the end.
    #[arg(long, value_name = "YYYY-MM-DD")]
    to: Option<Date>,
    #[command(flatten)]
    shown: ShownArgs,
}

/// How much is shown.
#[derive(Debug, ClapArgs)]
pub(super) struct ShownArgs {
    /// How many examples of each rule and difference are shown.
    #[arg(long, default_value_t = 3, value_name = "N")]
    examples: usize,
    /// Prints it as JSON.
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: &ReplayArgs) -> Told {
    let range = range(args.from, args.to)?;
    let candidate = profile(&args.with)?;
    let config = load(&args.config)?;
    let configured = config.policy().map_err(config_failed)?;
    let profiles = Profiles::open(&config.data_dir).map_err(|error| profiles_failed(&error))?;
    let standing = Judge::knowing(configured, profiles.kept().to_vec());
    let rules = standing.versions();
    let mut replay =
        Replay::new(standing, Judge::of_candidate(candidate.clone(), Registry::default()), range);
    let store = store(&config)?;
    let ledger = store.read_ledger().map_err(|error| {
        (Exit::Environment, Report::of(&error, "look at [store] and the folder"))
    })?;
    let verdicts = verdicts(&store)?;
    each_entry(&*ledger, |entry| replay.take(entry, &|id| verdicts.get(id).copied()))?;
    let comparison = replay.conclude();
    let people = people(&config.data_dir)?;
    let told = Telling { people: people.as_ref(), rules: &rules, args: &args.shown };
    let days = [args.from, args.to].map(|day| day.map(|day| day.to_string()));
    let head = vec![("from", json!(days[0])), ("to", json!(days[1]))];
    told.tell(&candidate, head, &comparison);
    Ok(())
}

/// What reviewers have found of anomalies, by the case that each belongs to.
pub(super) fn verdicts(store: &Store) -> Told<HashMap<AnomalyId, Verdict>> {
    if !store.has_cases() {
        return Ok(HashMap::new());
    }
    let reading = Reading::of(store).map_err(|error| {
        (Exit::Environment, Report::of(&error, "look at [store] and the folder"))
    })?;
    let judged = reading.gathered.cases().iter().filter_map(|case| Some((case, case.verdict()?.0)));
    let of_each =
        judged.flat_map(|(case, verdict)| case.anomalies.iter().map(move |it| (it.id, verdict)));
    Ok(of_each.collect())
}

/// From the begin of the first day until the end of the last, China standard time.
fn range(from: Option<Date>, to: Option<Date>) -> Told<(Timestamp, Timestamp)> {
    let wrong = |because: String| {
        let what = "could not replay that range";
        (Exit::Usage, Report::new(what, because, "write --from 2026-03-01 --to 2026-03-31"))
    };
    let begin = |day: Date| {
        Timestamp::parse_shanghai(&format!("{day} 00:00")).map_err(|error| wrong(error.to_string()))
    };
    let first = from.map_or(Ok(Timestamp::from_ms(i64::MIN)), begin)?;
    let after = to.map(|day| day.checked_add(1.day()).map_err(|error| wrong(error.to_string())));
    let until = after.transpose()?.map_or(Ok(Timestamp::from_ms(i64::MAX)), begin)?;
    if until <= first {
        return Err(wrong("its end lies before its begin".into()));
    }
    Ok((first, until))
}

/// Hands on every entry of a ledger, in order.
pub(super) fn each_entry(ledger: &dyn Ledger, take: impl FnMut(&Entry)) -> Told {
    ledger::each_entry(ledger, take)
        .map_err(|error| (Exit::Environment, Report::of(&error, "look at the disk")))
}

pub(super) fn people(data_dir: &std::path::Path) -> Told<Option<People>> {
    match People::are_in(data_dir) {
        true => People::open(data_dir).map(Some).map_err(|error| people_failed(&error)),
        false => Ok(None),
    }
}

pub(super) fn profiles_failed(error: &ProfilesError) -> (Exit, Report) {
    let exit = match error {
        ProfilesError::Folder { .. } | ProfilesError::Read(_) | ProfilesError::Write(_) => {
            Exit::Environment
        }
        ProfilesError::Damaged { .. } | ProfilesError::Changed { .. } => Exit::Usage,
    };
    (exit, Report::of(error, error.hint()))
}

/// One side of a difference.
type Side = fn(&Difference) -> &[Shown];

/// How a comparison is told.
pub(super) struct Telling<'a> {
    /// Who is who, where that is known here.
    pub(super) people: Option<&'a People>,
    /// The rules of this program.
    pub(super) rules: &'a [Version],
    /// How much.
    pub(super) args: &'a ShownArgs,
}

impl Telling<'_> {
    pub(super) fn tell(
        &self,
        candidate: &Policy,
        head: Vec<(&'static str, Value)>,
        comparison: &Comparison,
    ) {
        if self.args.json {
            say!("{:#}", self.json(candidate, head, comparison));
        } else {
            self.text(candidate, comparison);
        }
    }

    fn text(&self, candidate: &Policy, comparison: &Comparison) {
        let Comparison { entries, unjudged, rules } = comparison;
        let profile = candidate.profile();
        say!("候选 candidate {profile}：比较 {entries} 条账本条目 entries compared: {entries}");
        if *unjudged > 0 {
            say!(
                "其中 {unjudged} 条入账时的规则文本未留存，现行一方对其无判断 the profile in force at \
                 {unjudged} of them is not kept: of these only the candidate says anything"
            );
        }
        let titles = ["新增 fires", "不再 silent", "移动 moved", "不变 stays"];
        say!("{:<24} {:>10} {:>10} {:>10} {:>10}", "", titles[0], titles[1], titles[2], titles[3]);
        for (kind, it) in rules {
            let counts = [&it.fires, &it.silent, &it.moved, &it.stays].map(Vec::len);
            let name = format!("{kind} v{}", self.version(*kind));
            say!(
                "{name:<24} {:>10} {:>10} {:>10} {:>10}",
                counts[0],
                counts[1],
                counts[2],
                counts[3]
            );
        }
        let sides: [(&str, Side); 3] = [
            ("新增 would newly fire", |it| &it.fires),
            ("不再 would fall silent", |it| &it.silent),
            ("移动 would rest on other entries", |it| &it.moved),
        ];
        for (title, side) in sides {
            for (kind, difference) in rules {
                for shown in side(difference).iter().take(self.args.examples) {
                    self.example(title, *kind, shown);
                }
            }
        }
    }

    fn example(&self, title: &str, kind: AnomalyKind, shown: &Shown) {
        let anomaly = &shown.anomaly;
        let who: Vec<_> = anomaly.who.iter().map(|it| People::called(self.people, it)).collect();
        let entries: Vec<_> = anomaly.evidence.iter().map(|index| format!("#{index}")).collect();
        say!("\n{title}: {kind}  {}  {}  {}", anomaly.at, who.join("、"), entries.join(" "));
        say!("  {}", anomaly.why.zh);
        say!("  {}", anomaly.why.en);
        let Verdicts { fraud, error, undecided } = shown.verdicts;
        if fraud + error + undecided > 0 {
            say!(
                "  同一对象的认定：舞弊 {fraud}、差错 {error}、未定 {undecided} found of the same subjects: \
                 {fraud} fraud, {error} error, {undecided} undecided"
            );
        }
    }

    fn version(&self, kind: AnomalyKind) -> u16 {
        self.rules.iter().find(|rule| rule.kind == kind).map_or(0, |rule| rule.version)
    }

    fn json(
        &self,
        candidate: &Policy,
        head: Vec<(&'static str, Value)>,
        comparison: &Comparison,
    ) -> Value {
        let rules: Vec<Value> = comparison
            .rules
            .iter()
            .map(|(kind, it)| {
                json!({
                    "kind": kind,
                    "version": self.version(*kind),
                    "fires": self.side(&it.fires),
                    "silent": self.side(&it.silent),
                    "moved": self.side(&it.moved),
                    "stays": self.side(&it.stays),
                })
            })
            .collect();
        let mut all: BTreeMap<&str, Value> = head.into_iter().collect();
        let digest = data_encoding::HEXLOWER.encode(&candidate.digest());
        all.extend([
            ("candidate", json!({ "profile": candidate.profile(), "digest": digest })),
            ("entries", json!(comparison.entries)),
            ("unjudged", json!(comparison.unjudged)),
            ("rules", Value::Array(rules)),
        ]);
        json!(all)
    }

    fn side(&self, all: &[Shown]) -> Value {
        let example = |Shown { anomaly, verdicts }: &Shown| {
            let names = anomaly.who.iter().map(|person| People::called(self.people, person));
            json!({
                "id": anomaly.id.to_string(),
                "severity": anomaly.severity,
                "at": anomaly.at,
                "names": names.collect::<Vec<_>>(),
                "terminals": anomaly.terminals,
                "evidence": anomaly.evidence,
                "why": anomaly.why,
                "inputs": anomaly.inputs,
                "ledger": anomaly.ledger,
                "verdicts": {
                    "fraud": verdicts.fraud,
                    "error": verdicts.error,
                    "undecided": verdicts.undecided,
                },
            })
        };
        let examples: Vec<Value> = all.iter().take(self.args.examples).map(example).collect();
        json!({ "count": all.len(), "examples": examples })
    }
}
