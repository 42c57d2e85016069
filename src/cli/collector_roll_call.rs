//! `rollcall collector roll-call`: somebody who supervises has the roll called, and sees each answer as it
//! comes.

use std::thread::sleep;
use std::time::Duration;

use clap::Args as ClapArgs;
use serde_json::json;

use super::cases::folder_failed;
use super::collector::{ConfigArg, Told, home_failed, load, store};
use super::collector_sheet::people_failed;
use super::report::{Exit, Report};
use crate::collector::dispatch::Projection;
use crate::collector::people::People;
use crate::collector::roll_calls::{Answer, Orders, Protocol, Seen, Wish, Wishes, judge};
use crate::collector::{Config, Home, HomeError, Stater, Store};
use crate::domain::{Fact, LessonId, PersonId, Policy, TerminalId, Timestamp};
use crate::ledger::{Body, Entry, Ledger, ReadError};
use crate::platform::chance;
use crate::platform::clock::{Clock, SystemClock};

/// How often it is looked for answers.
const LOOK: Duration = Duration::from_millis(500);

/// How long a running collector may take to state an order, in milliseconds.
const STATED_MS_MAX: i64 = 20_000;

/// How long the last answers may be under way, in milliseconds.
const UNDER_WAY_MS: i64 = 10_000;

/// A lesson's first check-in is not longer ago than this, in milliseconds.
const LESSON_MS_MAX: i64 = 86_400_000;

/// Entries read at once.
const READ_ENTRIES: usize = 1_000;

/// See [`super::collector`].
#[derive(Debug, ClapArgs)]
pub(super) struct RollCallArgs {
    #[command(flatten)]
    config: ConfigArg,
    /// At which terminal.
    #[arg(long)]
    terminal: TerminalId,
    /// In which lesson; only needed where several are under way at the site.
    #[arg(long)]
    lesson: Option<LessonId>,
    /// How long each has to show the face; else as the policy says.
    #[arg(long)]
    minutes: Option<u32>,
    /// Who orders it: a name or an office. It stands in the ledger.
    #[arg(long)]
    by: String,
    /// How long to wait for the terminal's answer, in seconds, before it is called out of reach.
    #[arg(long, default_value_t = 60)]
    wait: u32,
    /// Prints the protocol as JSON at the end, and nothing else.
    #[arg(long)]
    json: bool,
}

/// What a running collector orders by.
pub(super) fn orders(
    config: &Config,
    policy: &Policy,
    projection: Projection,
    stater: Stater,
) -> Told<Orders> {
    let wishes = Wishes::open(&config.data_dir).map_err(|error| folder_failed(&error))?;
    Ok(Orders { projection, wishes, minutes: policy.roll_call_minutes(), stater })
}

pub(super) fn run(args: &RollCallArgs) -> Told {
    let config = load(&args.config)?;
    let (store, clock) = (store(&config)?, SystemClock::start());
    let wish = Wish {
        order: chance::random_bytes(),
        terminal: args.terminal.clone(),
        lesson: args.lesson.clone(),
        minutes: args.minutes,
        by: args.by.clone(),
        at: clock.now(),
    };
    // What the collector would pass over is told here, where somebody reads it.
    let minutes = config.policy().map_err(super::collector::config_failed)?.roll_call_minutes();
    let projection = Projection::read(&store)
        .map_err(|error| (Exit::Environment, Report::of(&error, "look at the disk")))?;
    let judged = projection.ask(|registry| judge(registry, &wish, minutes, clock.now()));
    judged.map_err(|denied| {
        let report = Report::new("could not order a roll call", denied.to_string(), denied.hint());
        (Exit::Usage, report)
    })?;
    match Home::hold(&config.data_dir) {
        Err(HomeError::Locked { .. }) => {}
        Err(error) => return Err(home_failed(error)),
        Ok(_) => {
            let because = "no collector runs here, and nothing else reaches a terminal";
            let hint = "start it: rollcall collector run";
            let report = Report::new("could not order a roll call", because, hint);
            return Err((Exit::Environment, report));
        }
    }
    let wishes = Wishes::open(&config.data_dir).map_err(|error| folder_failed(&error))?;
    wishes.leave(&wish).map_err(|error| folder_failed(&error))?;
    let people = match People::are_in(&config.data_dir) {
        true => Some(People::open(&config.data_dir).map_err(|error| people_failed(&error))?),
        false => None,
    };
    Watcher { args, wish, people, clock }.follow(&store)
}

fn ledger_failed(error: &dyn std::error::Error) -> (Exit, Report) {
    (Exit::Environment, Report::of(error, "look at the disk; the order stays what it is"))
}

/// Reads what comes.
struct Watcher<'a> {
    args: &'a RollCallArgs,
    wish: Wish,
    people: Option<People>,
    clock: SystemClock,
}

impl Watcher<'_> {
    fn follow(&self, store: &Store) -> Told {
        let read = |error: ReadError| ledger_failed(&error);
        let mut next = {
            let ledger = store.read_ledger().map_err(|error| ledger_failed(&error))?;
            first_since(&*ledger, self.wish.at.plus_ms(-LESSON_MS_MAX)).map_err(read)?
        };
        // Entries from before the order was found: who was in stands in them.
        let mut before: Vec<Entry> = Vec::new();
        let mut protocol: Option<Protocol> = None;
        loop {
            // A reader sees the ledger as it was when it was opened.
            let ledger = store.read_ledger().map_err(|error| ledger_failed(&error))?;
            loop {
                let entries = ledger.entries_since(next, READ_ENTRIES).map_err(read)?;
                let Some(last) = entries.last() else { break };
                next = last.index + 1;
                for entry in entries {
                    match &mut protocol {
                        Some(protocol) => self.take(protocol, &entry),
                        None => protocol = self.found(entry, &mut before),
                    }
                }
            }
            let now = self.clock.now();
            match &protocol {
                None if now.ms_since(self.wish.at) > STATED_MS_MAX => {
                    let because = "the running collector did not state it";
                    let report = Report::new(
                        "could not order a roll call",
                        because,
                        "look at the collector's log",
                    );
                    return Err((Exit::Environment, report));
                }
                Some(protocol) if self.is_over(protocol, now) => return self.conclude(protocol),
                None | Some(_) => sleep(LOOK),
            }
        }
    }

    /// The order itself begins the protocol.
    fn found(&self, entry: Entry, before: &mut Vec<Entry>) -> Option<Protocol> {
        let order = match &entry.body {
            Body::Fact(Fact::RollOrdered(order)) if order.order == self.wish.order => order.clone(),
            Body::Record { record, .. } => {
                if record.terminal == self.wish.terminal {
                    before.push(entry);
                }
                return None;
            }
            Body::Fact(_) | Body::Refused { .. } => return None,
        };
        self.say(format_args!(
            "# 已责令 {terminal} 对 {lesson} 点名，限时 {minutes} 分钟 ordered: the roll of {lesson} at {terminal}, {minutes} minutes",
            terminal = order.terminal,
            lesson = order.lesson,
            minutes = order.minutes,
        ));
        let mut protocol = Protocol::new(order);
        for entry in before.drain(..) {
            protocol.take(&entry);
        }
        Some(protocol)
    }

    fn take(&self, protocol: &mut Protocol, entry: &Entry) {
        match protocol.take(entry) {
            Some(Answer::Begun { at, asked }) => self.say(format_args!(
                "{at}  点名开始，应到 {asked} 人 the roll is called, {asked} are asked"
            )),
            Some(Answer::Here { person, at }) => {
                self.say(format_args!("{at}  在场 here: {}", self.name(&person)));
            }
            None => {}
        }
    }

    fn is_over(&self, protocol: &Protocol, now: Timestamp) -> bool {
        match protocol.begun {
            None => now.ms_since(self.wish.at) > i64::from(self.args.wait) * 1_000,
            Some((_, committed)) => {
                let lasts_ms = i64::from(protocol.order.minutes) * 60_000 + UNDER_WAY_MS;
                protocol.awaited().next().is_none() || now.ms_since(committed) > lasts_ms
            }
        }
    }

    fn conclude(&self, protocol: &Protocol) -> Told {
        let awaited: Vec<String> = protocol.awaited().map(|person| self.name(person)).collect();
        if self.args.json {
            say!("{:#}", self.json(protocol));
        }
        if protocol.begun.is_none() {
            let because = format!("{} gave no answer in {} s", self.args.terminal, self.args.wait);
            let hint = "it is offline, or works by no dispatch; if it hears of the order in time it calls \
                        the roll all the same, and the ledger will say so";
            let report = Report::new("could not reach the terminal 联系不上", because, hint);
            return Err((Exit::Found, report));
        }
        let seen = protocol.people.len() - awaited.len();
        self.say(format_args!("# 已到镜头前 {seen} 人 {seen} have shown their face"));
        if awaited.is_empty() {
            return Ok(());
        }
        let because = awaited.join(", ");
        let hint = "who is not seen is not seen: no absence and no fraud by itself";
        let what = format!("could not see {} of those who were asked 未到镜头前", awaited.len());
        Err((Exit::Found, Report::new(what, because, hint)))
    }

    fn json(&self, protocol: &Protocol) -> serde_json::Value {
        let people: Vec<_> = protocol
            .people
            .iter()
            .map(|(person, seen)| {
                let at = match seen {
                    Seen::Awaited => None,
                    Seen::At(at) => Some(at.to_string()),
                };
                json!({ "person": person, "name": self.name(person), "seen_at": at })
            })
            .collect();
        json!({
            "order": protocol.order,
            "begun_at": protocol.begun.map(|(at, _)| at.to_string()),
            "people": people,
        })
    }

    fn say(&self, line: std::fmt::Arguments<'_>) {
        if !self.args.json {
            say!("{line}");
        }
    }

    /// Masked, where her name is known here; else the beginning of her id.
    fn name(&self, person: &PersonId) -> String {
        People::called(self.people.as_ref(), person)
    }
}

/// The first entry that was committed at `since` or later.
fn first_since(ledger: &dyn Ledger, since: Timestamp) -> Result<u64, ReadError> {
    let (mut low, mut high) = (0, ledger.size());
    while low < high {
        let middle = low + (high - low) / 2;
        let earlier = ledger.entries_since(middle, 1)?;
        if earlier.first().is_some_and(|entry| entry.committed_at < since) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}
