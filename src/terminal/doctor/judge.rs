//! What the doctor makes of the facts, part by part.

use std::collections::BTreeSet;

use super::{Finding, Part};
use crate::camera::Light;
use crate::checkin;
use crate::domain::{PersonId, Policy, TerminalId, Timestamp, Uptime};
use crate::face::Gallery;
use crate::journal::{Bounds, Findings};
use crate::platform::probe::Dates;
use crate::record::KeyId;
use crate::terminal::SitePlan;
use crate::terminal::evidence::Rule;
use crate::uplink::clock::{Reading, Witnesses, judge};

/// Below this grey level between the darkest and the brightest part a lens is covered: the noise of
/// a sensor alone stays within it.
const SPREAD_MIN: u8 = 12;

/// A disk that needs longer for a sync makes people wait for their green light, in milliseconds:
/// half of the second within which the answer is to stand there, for the two copies of a record.
const SYNC_MS_MAX: u128 = 250;

/// Below this room the disk is called full, in bytes: some days' records and what is written beside.
const FREE_BYTES_MIN: u64 = 64 << 20;

/// From this share of its bound on the journal is called nearly full, in percent, as on the screen.
const NEARLY_FULL_PERCENT: u64 = 80;

/// A plan without a lesson within so many days is called empty: holidays are longer than a week.
const PLAN_DAYS: i64 = 14;

/// What the camera showed.
#[derive(Debug, Clone, Default)]
pub struct Eye {
    /// Which camera, for people.
    pub name: String,
    /// Width and height of the newest picture, in pixels.
    pub size: Option<(u32, u32)>,
    /// How its pictures are lit.
    pub lights: Vec<Light>,
    /// Whether it is another one than the pinned one.
    pub other: bool,
    /// Whether every picture is the same, byte for byte.
    pub frozen: bool,
    /// Pictures that could not be used, and why the last one.
    pub lost: (usize, String),
    /// What to do about those.
    pub hint: String,
}

/// The camera gives pictures.
pub fn camera(eye: &Eye) -> Finding {
    let (lost, why) = &eye.lost;
    let seen = eye.lights.len();
    let Some((width, height)) = eye.size else {
        let what = format!("no picture comes from {}", eye.name);
        let why = if why.is_empty() { "it gives none" } else { why };
        let hint = if eye.hint.is_empty() { "check its cable and its power" } else { &eye.hint };
        return Finding::wrong(Part::Camera, what, why, hint);
    };
    let what = format!("{} gives pictures of {width} × {height} pixels", eye.name);
    if *lost > 0 {
        let because = format!("{lost} of {} pictures were lost: {why}", lost + seen);
        return Finding::warning(Part::Camera, what, because, &eye.hint);
    }
    if eye.other {
        let because = "it is another one than the one that was pinned";
        let hint =
            "if you exchanged it: `rollcall terminal camera pin --again`; else look at who did";
        return Finding::warning(Part::Camera, what, because, hint);
    }
    if eye.frozen && seen > 1 {
        let because = format!("{seen} pictures are the same, byte for byte; a sensor's never are");
        let hint = "unplug the camera and plug it in again; if it is a recording, nothing";
        return Finding::warning(Part::Camera, what, because, hint);
    }
    Finding::ok(Part::Camera, what)
}

/// Its pictures are bright enough to tell faces apart, by the numbers of a check-in; `None` without a
/// picture.
pub fn light(lights: &[Light], settings: &checkin::Settings) -> Option<Finding> {
    let mut means: Vec<f32> = lights.iter().map(|light| light.mean).collect();
    means.sort_by(f32::total_cmp);
    let mean = *means.get(means.len() / 2)?;
    let spread = lights.iter().map(|light| light.spread).max()?;
    let said = format!("mean grey level {mean:.0} of 255");
    let (least, most) = (settings.brightness_min, settings.brightness_max);
    Some(if mean < least {
        let because = format!("{said}; a face below {least:.0} is not taken");
        let hint = "turn on the light, take off the lens cover, raise the camera's exposure";
        Finding::wrong(Part::Light, "the picture is too dark", because, hint)
    } else if mean > most {
        let because = format!("{said}; a face above {most:.0} is not taken");
        let hint = "turn the camera away from the window or the lamp, lower its exposure";
        Finding::wrong(Part::Light, "the picture is too bright", because, hint)
    } else if spread < SPREAD_MIN {
        let because = format!("{said}, and almost all of it within {spread} levels");
        let hint = "take off the lens cover, wipe the lens, look at the picture on the screen";
        Finding::wrong(Part::Light, "the picture shows nothing", because, hint)
    } else {
        Finding::ok(Part::Light, format!("the picture is well lit: {said}"))
    })
}

/// The clock against what is known to have been; nothing is known where the journal cannot be read.
pub fn clock(now: Timestamp, journal: Option<&Findings>, tolerance_ms: i64) -> Finding {
    let reading = Reading { wall: now, uptime: Uptime::from_ms(0) };
    let newest_signed = journal.and_then(|journal| journal.newest_signed);
    let newest_own = journal.and_then(|journal| journal.newest_own);
    let known = Witnesses { newest_signed, newest_own, began: reading, answer: None };
    let last = [newest_signed, newest_own].into_iter().flatten().max();
    match (judge(reading, &known, tolerance_ms), last) {
        (Err(doubt), _) => {
            let what = format!("the clock shows {now}");
            let last = last.map_or("unknown".into(), |at| at.to_string());
            let because = format!("it {}; the newest time known is {last}", doubt.text().en);
            let hint = "set the clock, or connect the network; until then check-in goes on, and \
                        records say that their time is doubtful";
            Finding::wrong(Part::Clock, what, because, hint)
        }
        (Ok(_), Some(last)) => {
            Finding::ok(Part::Clock, format!("it shows {now}; the newest time known is {last}"))
        }
        (Ok(_), None) => {
            let what = format!("it shows {now}; nothing is known yet to hold it against");
            Finding::ok(Part::Clock, what)
        }
    }
}

/// Room for what the journal may hold, and a sync that ends in time.
pub fn disk(free_bytes: u64, sync_ms: u128, bounds: &Bounds) -> Finding {
    let mib = |bytes: u64| bytes >> 20;
    // All of it lies twice.
    let needed = bounds.bytes_max.saturating_add(bounds.kept_bytes_max).saturating_mul(2);
    let said = format!("{} MiB free, a sync takes {sync_ms} ms", mib(free_bytes));
    if free_bytes < FREE_BYTES_MIN {
        let because = format!("{said}; {} MiB are the least", mib(FREE_BYTES_MIN));
        let hint = "delete what does not belong here, or put the journal on a larger disk";
        return Finding::wrong(Part::Disk, "the journal's disk is full", because, hint);
    }
    if sync_ms > SYNC_MS_MAX {
        let because = format!("{said}; people wait for two of them at each answer");
        let hint = "look at the disk (an old SD card?), and at what else writes to it";
        return Finding::warning(Part::Disk, "the journal's disk is slow", because, hint);
    }
    if free_bytes < needed {
        let because = format!("{said}; a full journal takes {} MiB", mib(needed));
        let hint = "make room, or lower bytes_max and kept_bytes_max in [journal]";
        let what = "the journal's disk has less room than the journal may take";
        return Finding::warning(Part::Disk, what, because, hint);
    }
    Finding::ok(Part::Disk, said)
}

/// What is known of the journal.
#[derive(Debug, Clone, Copy)]
pub struct JournalFacts<'f> {
    /// What stands in it.
    pub findings: &'f Findings,
    /// What it may hold.
    pub bounds: &'f Bounds,
    /// Whose it should be.
    pub terminal: &'f TerminalId,
}

/// The journal stands, is this terminal's, and has room.
pub fn journal(facts: JournalFacts<'_>) -> Finding {
    let JournalFacts { findings, bounds, terminal } = facts;
    let wrong =
        |what: &str, because: String, hint| Finding::wrong(Part::Journal, what, because, hint);
    if !findings.stands() {
        let because = match (findings.losses.first(), findings.damaged.first()) {
            (Some(loss), _) => loss.to_string(),
            (None, Some(damage)) => damage.clone(),
            (None, None) => "nothing says whose it is".into(),
        };
        let hint = "stop the terminal and run `rollcall terminal journal check`, then `repair`";
        return wrong("the journal is damaged", because, hint);
    }
    if let Some((owner, _)) = findings.owner.as_ref().filter(|(owner, _)| owner != terminal) {
        let because = format!("it belongs to {owner}, and this is {terminal}");
        let hint = "put the right folder or the right name into the configuration";
        return wrong("the journal is another terminal's", because, hint);
    }
    let share = |taken: u64, bound: u64| taken.saturating_mul(100) / bound.max(1);
    let waiting = findings.waiting;
    let percent =
        share(waiting, bounds.records_max).max(share(findings.waiting_bytes, bounds.bytes_max));
    let said = format!("{waiting} records wait, {percent} % of what it may hold");
    let hint = "connect the network: the centre's receipts make room";
    if percent >= 100 {
        return wrong("the journal is full", said, hint);
    }
    if percent >= NEARLY_FULL_PERCENT {
        return Finding::warning(Part::Journal, "the journal is nearly full", said, hint);
    }
    if !findings.is_fine() {
        let because = match findings.flaws.iter().find(|flaw| !flaw.normal) {
            Some(flaw) => flaw.to_string(),
            None => "a copy is not whole".into(),
        };
        let hint = "the next start mends it from the other copy; look at the disk";
        let what = "one copy of the journal is damaged";
        return Finding::warning(Part::Journal, what, because, hint);
    }
    Finding::ok(Part::Journal, said)
}

/// What is known of the key that seals.
#[derive(Debug, Clone, Copy)]
pub struct LockFacts<'f> {
    /// The key's short name.
    pub key: KeyId,
    /// Whose the journal is, and with which key; `None` where it cannot be read.
    pub owner: Option<&'f (TerminalId, KeyId)>,
}

/// The key that seals is the journal's.
pub fn key(facts: LockFacts<'_>) -> Finding {
    let LockFacts { key, owner } = facts;
    match owner {
        Some((_, of)) if *of != key => {
            let because = format!("the journal was begun with key {of}, and this is {key}");
            let hint = "put the terminal's own key back from its backup, or enrol it anew";
            Finding::wrong(Part::Key, "the key is not the journal's", because, hint)
        }
        Some(_) => Finding::ok(Part::Key, format!("{key}, and the journal is of the same key")),
        None => Finding::ok(Part::Key, format!("{key}, readable by its owner alone")),
    }
}

/// The dates of the terminal's certificate, and whether the believed authority issued it.
pub fn certificate(dates: &Result<Dates, String>) -> Finding {
    dated(Part::Certificate, "the terminal's certificate", dates, "`rollcall terminal renew`")
        .unwrap_or_else(|| Finding::ok(Part::Certificate, "it fits its key and its authority"))
}

fn dated(part: Part, whose: &str, dates: &Result<Dates, String>, remedy: &str) -> Option<Finding> {
    let wrong = |what: String, because: String| {
        let hint = format!("look at the clock first; then {remedy} gets a new one");
        Some(Finding::wrong(part, what, because, hint))
    };
    match dates {
        Ok(Dates::Fit) => None,
        Ok(Dates::EndSoon(at)) => {
            let what = format!("{whose} ends soon");
            let hint = format!("{remedy} gets a new one");
            Some(Finding::warning(part, what, format!("it lasts until {at}"), hint))
        }
        Ok(Dates::Ended(at)) => {
            wrong(format!("{whose} has ended"), format!("it lasted until {at}"))
        }
        Ok(Dates::NotBegun(at)) => {
            wrong(format!("{whose} is not valid yet"), format!("it begins at {at}"))
        }
        Err(why) => wrong(format!("{whose} is not to be used"), why.clone()),
    }
}

/// The broker was reached; `let_in` says whether it lets this terminal in, and is `None` where that was
/// not asked: the running terminal would be thrown out.
pub fn network(
    broker: &str,
    dates: Option<&Result<Dates, String>>,
    let_in: Option<&Result<(), String>>,
) -> Finding {
    let remedy = "`rollcall collector certificate --for broker` at the centre";
    let dated =
        dates.and_then(|dates| dated(Part::Network, "the broker's certificate", dates, remedy));
    let way = if dates.is_some() { "TLS" } else { "plain TCP" };
    match (let_in, dated) {
        (Some(Err(why)), _) => {
            let what = format!("the broker at {broker} does not let this terminal in");
            let hint =
                "ask the centre whether the terminal is revoked, and look at the broker's log";
            Finding::wrong(Part::Network, what, why, hint)
        }
        (_, Some(finding)) => finding,
        (Some(Ok(())), None) => {
            Finding::ok(Part::Network, format!("the broker at {broker} lets it in over {way}"))
        }
        (None, None) => {
            let what = format!("the broker at {broker} answers over {way}");
            Finding::ok(Part::Network, what)
        }
    }
}

/// Everybody of the rosters can be recognised.
pub fn templates(plan: &SitePlan, enrolled: &Gallery) -> Finding {
    let on_rosters: BTreeSet<PersonId> =
        plan.plans.iter().flat_map(|plan| plan.roster.iter().copied()).collect();
    let missing = on_rosters.iter().filter(|person| !enrolled.contains(person)).count();
    let said = format!("{} people can be recognised", enrolled.len());
    if missing == 0 {
        return Finding::ok(Part::Templates, said);
    }
    let because =
        format!("{said}; {missing} of {} on the rosters have no template", on_rosters.len());
    let hint = "enrol them with `rollcall terminal enrol`, or let them come by card";
    Finding::warning(Part::Templates, "not everybody can be recognised", because, hint)
}

/// The profile is in force today.
pub fn policy(policy: &Policy, now: Timestamp) -> Finding {
    let (from, until) = policy.validity();
    let today = now.shanghai().date();
    let name = policy.profile();
    if today < from || until.is_some_and(|until| today > until) {
        let until = until.map_or("without end".into(), |until| format!("until {until}"));
        let because = format!("it is valid from {from} {until}, and the clock says {today}");
        let hint = "look at the clock; else ask the centre for the profile that is in force";
        return Finding::wrong(Part::Policy, format!("{name} is not in force"), because, hint);
    }
    Finding::ok(Part::Policy, format!("{name} is in force"))
}

/// There is a lesson to come to.
pub fn plan(plan: &SitePlan, now: Timestamp) -> Finding {
    let lessons = plan.plans.iter().map(|plan| &plan.lesson);
    let ahead = lessons.filter(|lesson| lesson.ends > now).min_by_key(|lesson| lesson.starts);
    let hint = "get the new timetable from the centre and put it into the plan";
    let what = "no lesson is near";
    match ahead {
        None => {
            let because = format!("all {} lessons of the plan are over", plan.plans.len());
            Finding::warning(Part::Plan, what, because, hint)
        }
        Some(lesson) if lesson.starts > now.plus_ms(PLAN_DAYS * 86_400_000) => {
            let because = format!("the next one, {}, starts at {}", lesson.id, lesson.starts);
            Finding::warning(Part::Plan, what, because, hint)
        }
        Some(lesson) => {
            let said = format!("the next lesson, {}, starts at {}", lesson.id, lesson.starts);
            Finding::ok(Part::Plan, said)
        }
    }
}

/// What is known of the evidence pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureFacts {
    /// What the policy demands.
    pub rule: Rule,
    /// Whether the regulator's key is configured.
    pub has_key: bool,
    /// How many are kept.
    pub kept: usize,
    /// How many bytes they have.
    pub bytes: u64,
    /// How many they may have.
    pub bytes_max: u64,
}

/// What the policy demands is kept, and has room.
pub fn evidence(facts: PictureFacts) -> Finding {
    let PictureFacts { rule, has_key, kept, bytes, bytes_max } = facts;
    let said = format!("{kept} evidence pictures are kept, {} MiB", bytes >> 20);
    if !rule.pictures {
        return Finding::ok(Part::Evidence, format!("the policy demands none; {said}"));
    }
    if !has_key {
        let because = "[evidence] key is empty, and nothing is kept unencrypted";
        let hint = "put the regulator's public key (`rollcall collector picture init` prints it) \
                    into [evidence] key";
        let what = "the policy demands evidence pictures, and none is kept";
        return Finding::warning(Part::Evidence, what, because, hint);
    }
    let percent = bytes.saturating_mul(100) / bytes_max.max(1);
    if percent >= NEARLY_FULL_PERCENT {
        let because = format!("{said}, {percent} % of what [evidence] bytes_max allows");
        let hint = "hand them over (`rollcall terminal evidence export`) and raise bytes_max; they go \
                    by themselves when they expire";
        let what = "there is little room for evidence pictures";
        return Finding::warning(Part::Evidence, what, because, hint);
    }
    Finding::ok(Part::Evidence, said)
}
