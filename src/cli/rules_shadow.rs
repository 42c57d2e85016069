//! `rollcall rules shadow` and `promote`: a candidate beside the profile in force, and its way into force.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{ArgGroup, Args as ClapArgs};
use serde_json::json;

use super::collector::{ConfigArg, Told, home_failed, load, store};
use super::report::{Exit, Report};
use super::rules_replay::{ShownArgs, Telling, each_entry, people, profiles_failed, verdicts};
use crate::cases::{Cases, ReadError};
use crate::collector::candidate::{self, CandidateError, Signed};
use crate::collector::profiles::Profiles;
use crate::collector::replay::{Comparison, Reviewed, compare};
use crate::collector::{Config, Home, StateError};
use crate::domain::{Anomaly, Fact, Policy, Timestamp, Trial, TrialStep};
use crate::ledger::{Body, Entry};
use crate::platform::clock::{Clock, SystemClock};
use crate::registry::Registry;
use crate::rules::Judge;

/// Cases read at once.
const PAGE: usize = 500;

/// See [`super::rules`].
#[derive(Debug, ClapArgs)]
#[command(group(ArgGroup::new("what").required(true).args(["with", "status", "withdraw"])))]
pub(super) struct ShadowArgs {
    #[command(flatten)]
    config: ConfigArg,
    /// Tries this profile out from now on; another candidate ends. While no collector runs.
    #[arg(long, value_name = "FILE", requires = "by", requires = "reason")]
    with: Option<PathBuf>,
    /// Shows what the candidate raises that the profile in force does not, and the other way round.
    #[arg(long)]
    status: bool,
    /// Tries the candidate out no longer. While no collector runs.
    #[arg(long, requires = "by", requires = "reason")]
    withdraw: bool,
    /// Who does it: a named person. Public for ever.
    #[arg(long)]
    by: Option<String>,
    /// Why. Public for ever.
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    shown: ShownArgs,
}

/// See [`super::rules`].
#[derive(Debug, ClapArgs)]
pub(super) struct PromoteArgs {
    /// Name and version of the candidate, as in `sichuan-2025/2`.
    profile: String,
    #[command(flatten)]
    config: ConfigArg,
    /// Who decides it: a named person. Public for ever.
    #[arg(long)]
    by: String,
    /// Why. Public for ever.
    #[arg(long)]
    reason: String,
}

pub(super) fn shadow(args: &ShadowArgs) -> Told {
    let config = load(&args.config)?;
    if args.status {
        return status(&config, &args.shown);
    }
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let signed = Signed::new(&text(&args.by), &text(&args.reason)).map_err(|it| denied(&it))?;
    let mut desk = Desk::open(&config)?;
    let Some(file) = &args.with else {
        let facts = candidate::withdraw(&desk.registry, signed).map_err(|it| denied(&it))?;
        desk.state(facts)?;
        say!("候选已撤回 withdrawn: it is tried out no longer");
        return Ok(());
    };
    let policy = super::policy::read(file)?;
    let facts = candidate::name(&desk.registry, &policy, signed).map_err(|it| denied(&it))?;
    let mut profiles = Profiles::open(&config.data_dir).map_err(|error| profiles_failed(&error))?;
    // The text first: what the ledger names can be found.
    profiles.keep_durably(&policy).map_err(|error| profiles_failed(&error))?;
    desk.state(facts)?;
    say!(
        "{} 自下次启动起试行，不影响告警 is tried out from the collector's next start on, and alarms nobody; \
         `rollcall rules shadow --status` shows what it raises",
        policy.profile()
    );
    Ok(())
}

pub(super) fn promote(args: &PromoteArgs) -> Told {
    let signed = Signed::new(&args.by, &args.reason).map_err(|it| denied(&it))?;
    let config = load(&args.config)?;
    let mut desk = Desk::open(&config)?;
    let facts = candidate::promote(&desk.registry, &args.profile, signed);
    desk.state(facts.map_err(|it| denied(&it))?)?;
    say!(
        "{} 自此生效 is in force from here on; name it in [rules] of the configuration, too",
        args.profile
    );
    Ok(())
}

/// The ledger while no collector runs, and what it says.
struct Desk {
    home: Home,
    registry: Registry,
}

impl Desk {
    fn open(config: &Config) -> Told<Self> {
        let home = Home::open_in(&config.data_dir, store(config)?).map_err(home_failed)?;
        let ledger = home.store().read_ledger().map_err(|error| {
            (Exit::Environment, Report::of(&error, "look at the disk, or at the database"))
        })?;
        let mut registry = Registry::default();
        each_entry(&*ledger, |entry| registry.apply(entry))?;
        Ok(Self { home, registry })
    }

    fn state(&mut self, facts: Vec<Fact>) -> Told {
        let now = SystemClock::start().now();
        self.home.state(facts, now).map(drop).map_err(|error| {
            let (exit, hint) = match &error {
                StateError::Key { .. } | StateError::TooLong { .. } => {
                    (Exit::Usage, "say it in fewer words")
                }
                StateError::Commit(_) | StateError::Ended => {
                    (Exit::Environment, "nothing was stated; mend the disk and try again")
                }
            };
            (exit, Report::of(&error, hint))
        })
    }
}

fn denied(error: &CandidateError) -> (Exit, Report) {
    (Exit::Usage, Report::of(error, error.hint()))
}

/// Since when a candidate is tried out.
#[derive(Default)]
struct Since {
    named: Option<(Trial, u64, Timestamp)>,
    entries: u64,
}

impl Since {
    fn take(&mut self, entry: &Entry) {
        self.entries += 1;
        match &entry.body {
            Body::Fact(Fact::Trial(candidate)) => match candidate.step {
                TrialStep::Named => {
                    self.named = Some((candidate.clone(), entry.index, entry.committed_at));
                    self.entries = 0;
                }
                TrialStep::Withdrawn | TrialStep::Promoted => {
                    let other = |(known, ..): &(Trial, _, _)| known.digest != candidate.digest;
                    self.named = self.named.take().filter(other);
                }
            },
            Body::Fact(_) | Body::Record { .. } | Body::Refused { .. } => {}
        }
    }
}

/// Also while a collector runs.
fn status(config: &Config, shown: &ShownArgs) -> Told {
    let store = store(config)?;
    let failed = |error: &dyn std::error::Error| {
        (Exit::Environment, Report::of(error, "look at the disk, or at the database"))
    };
    let ledger = store.read_ledger().map_err(|error| failed(&error))?;
    let mut since = Since::default();
    each_entry(&*ledger, |entry| since.take(entry))?;
    let Some((candidate, index, at)) = since.named else {
        if shown.json {
            say!("{:#}", json!({ "candidate": null }));
        } else {
            say!("没有试行的候选 nothing is being tried out");
        }
        return Ok(());
    };
    let profiles = Profiles::open(&config.data_dir).map_err(|error| profiles_failed(&error))?;
    let Some(policy) = profiles.by_digest(&candidate.digest) else {
        let what = format!("could not show {}", candidate.profile);
        let because = "its text is not in this data folder, or this program cannot read it";
        return Err((Exit::Environment, Report::new(what, because, "put it back from a backup")));
    };
    let raised = |cases: &dyn Cases| all(cases).map_err(|error| failed(&error));
    let mut standing = raised(&*store.open_cases().map_err(|error| failed(&error))?)?;
    let (verdicts, mut reviewed) = (verdicts(&store)?, Reviewed::default());
    for anomaly in &standing {
        if let Some(verdict) = verdicts.get(&anomaly.id) {
            reviewed.add(anomaly, *verdict);
        }
    }
    standing.retain(|anomaly| anomaly.ledger.last > index);
    let tried = match Profiles::trial_file(&config.data_dir, &candidate.digest).exists() {
        true => {
            let trial = Profiles::open_trial(&config.data_dir, &candidate.digest);
            raised(&trial.map_err(|error| failed(&error))?)?
        }
        // No collector has run since.
        false => Vec::new(),
    };
    let rules = rules_of(policy);
    let kinds: BTreeSet<_> = rules.iter().map(|rule| rule.kind).collect();
    let comparison = Comparison {
        entries: since.entries,
        unjudged: 0,
        rules: compare(standing, tried, kinds, &reviewed),
    };
    if !shown.json {
        say!(
            "{at} 起试行，#{index}，{by}：{reason} tried out since then, by {by}: {reason}",
            by = candidate.by,
            reason = candidate.reason
        );
    }
    let people = people(&config.data_dir)?;
    let head = vec![
        ("since", json!(index)),
        ("named_at", json!(at)),
        ("by", json!(candidate.by)),
        ("reason", json!(candidate.reason)),
    ];
    Telling { people: people.as_ref(), rules: &rules, args: shown }.tell(policy, head, &comparison);
    Ok(())
}

fn rules_of(policy: &Policy) -> Vec<crate::rules::Version> {
    Judge::new(policy.clone()).versions()
}

/// All that was ever raised.
fn all(cases: &dyn Cases) -> Result<Vec<Anomaly>, ReadError> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let page = cases.after(after, PAGE)?;
        let Some(last) = page.last() else { return Ok(all) };
        after = last.number;
        all.extend(page.into_iter().map(|found| found.anomaly));
    }
}
