//! Rules are changed safely: each stretch is judged by the profile in force there, a replay shows what another
//! profile changes, and a candidate beside it disturbs nothing.

use std::collections::BTreeSet;

use rollcall::cases::{Cases, SqliteCases};
use rollcall::collector::replay::{Comparison, Replay, Verdicts};
use rollcall::collector::shadow::{Shadow, Tried};
use rollcall::domain::{
    Anomaly, AnomalyId, AnomalyKind, Fact, Outcome, Policy, Timestamp, Trial, TrialStep, Verdict,
};
use rollcall::registry::Registry;
use rollcall::rules::Judge;

use crate::rules_scene::{ANN, BEA, Scene, at, comes, tries};

/// The shipped profile with other numbers.
pub(crate) fn profile(version: u32, changes: &[(&str, &str)]) -> Policy {
    let mut text = Policy::sichuan_2025().text().to_owned();
    text = text.replacen("version = 2", &format!("version = {version}"), 1);
    for (number, value) in changes {
        let (before, after) = text.split_once(&format!("[numbers.{number}]\n")).unwrap();
        let (_, rest) = after.split_once('\n').unwrap();
        text = format!("{before}[numbers.{number}]\nvalue = {value}\n{rest}");
    }
    Policy::parse(&text, "test").unwrap()
}

fn in_force(policy: &Policy) -> Fact {
    Fact::Policy { profile: policy.profile(), digest: policy.digest() }
}

fn trial(policy: &Policy, step: TrialStep) -> Fact {
    let (profile, digest) = (policy.profile(), policy.digest());
    Fact::Trial(Trial { profile, digest, step, by: "处长 陈".into(), reason: "a test".into() })
}

fn judged(mut judge: Judge, scene: &Scene) -> Vec<Anomaly> {
    scene.entries().iter().flat_map(|entry| judge.judge(entry)).collect()
}

/// She is 20 minutes outside each lesson of the day: fine by the margin of 120, not by one of 10.
fn early(scene: &mut Scene, day: &str) -> u64 {
    scene.add(comes("cd-1", &format!("03-02 {day}"), ANN).lesson("cd-am"))
}

#[test]
fn each_stretch_is_judged_by_the_profile_that_was_in_force_there() {
    let (one, two) = (Policy::sichuan_2025(), profile(3, &[("timetable_margin_minutes", "10")]));
    let mut scene = Scene::two_towns();
    scene.state("03-01 21:00", in_force(&one));
    early(&mut scene, "08:10");
    scene.state("03-02 11:00", in_force(&two));
    let late = early(&mut scene, "11:50");
    let unknown = profile(4, &[("timetable_margin_minutes", "0")]);
    scene.state("03-02 12:00", in_force(&unknown));
    early(&mut scene, "12:10");
    scene.state("03-02 12:20", in_force(&one));
    early(&mut scene, "12:30");

    let all = judged(Judge::knowing(one.clone(), vec![two.clone()]), &scene);
    assert_eq!(all.len(), 1, "{all:#?}");
    assert_eq!((all[0].evidence[0], all[0].policy.as_str()), (late, "sichuan-2025/3"));
    assert_eq!(all[0].inputs["timetable_margin_minutes"], "10");
    // What is configured does not matter where the ledger names one.
    assert_eq!(judged(Judge::knowing(two.clone(), vec![one.clone()]), &scene), all);
    // Without its text nothing is said about that stretch.
    assert_eq!(judged(Judge::new(one), &scene), []);
    // A candidate judges all of it.
    let candidate = judged(Judge::of_candidate(two, Registry::default()), &scene);
    assert_eq!(candidate.len(), 4);
}

fn replay(
    scene: &Scene,
    candidate: &Policy,
    range: (Timestamp, Timestamp),
    verdict_of: &dyn Fn(&AnomalyId) -> Option<Verdict>,
) -> Comparison {
    let standing = Judge::new(Policy::sichuan_2025());
    let judge = Judge::of_candidate(candidate.clone(), Registry::default());
    let mut replay = Replay::new(standing, judge, range);
    scene.entries().iter().for_each(|entry| replay.take(entry, verdict_of));
    replay.conclude()
}

const EVER: (Timestamp, Timestamp) = (Timestamp::from_ms(i64::MIN), Timestamp::from_ms(i64::MAX));

/// More liveness failures are allowed, and less time from any lesson.
fn candidate() -> Policy {
    let failures = ("failed_liveness_per_day_max", "5");
    profile(3, &[("timetable_margin_minutes", "10"), failures, ("stand_in_score_min", "0.8")])
}

fn scene() -> Scene {
    let mut scene = Scene::two_towns();
    early(&mut scene, "08:10");
    let stand_in = tries("cd-1", "03-02 09:10", BEA, Outcome::LooksLikeOther);
    scene.add(stand_in.claimed(1204).looks_like(ANN, 7130));
    for minute in 11..20 {
        scene.add(tries("cd-2", &format!("03-02 09:{minute}"), BEA, Outcome::NotLive));
    }
    scene.add(tries("cd-1", "03-03 03:12", BEA, Outcome::NoLesson));
    scene
}

#[test]
fn a_replay_tells_what_would_fire_fall_silent_move_and_stay() {
    let scene = scene();
    let all = replay(&scene, &candidate(), EVER, &|_| None);
    assert_eq!(all.entries, u64::try_from(scene.entries().len()).unwrap());
    let counts = |kind: AnomalyKind| {
        let it = &all.rules[&kind];
        [&it.fires, &it.silent, &it.moved, &it.stays].map(Vec::len)
    };
    assert_eq!(counts(AnomalyKind::OffTimetable), [1, 0, 0, 1]);
    assert_eq!(counts(AnomalyKind::ProxyStandIn), [0, 1, 0, 0]);
    // One more attempt is needed: it rests on other entries, and is about the same day.
    assert_eq!(counts(AnomalyKind::SpoofAttempts), [0, 0, 1, 0]);
    assert_eq!(counts(AnomalyKind::Forged), [0, 0, 0, 0], "every rule is listed");
    assert_eq!(all.rules.len(), Judge::new(candidate()).kinds().len());
    let fires = &all.rules[&AnomalyKind::OffTimetable].fires[0].anomaly;
    assert_eq!((fires.who.as_slice(), fires.policy.as_str()), ([ANN].as_slice(), "sichuan-2025/3"));

    // Both remember what came before the range; what was raised before it is not told.
    let range = (at("03-02 09:17"), at("03-03 00:00"));
    let some = replay(&scene, &candidate(), range, &|_| None);
    assert_eq!(some.entries, 3);
    assert!(some.rules[&AnomalyKind::OffTimetable].fires.is_empty());
    assert!(some.rules[&AnomalyKind::ProxyStandIn].silent.is_empty());
    let same = replay(&scene, &profile(3, &[]), EVER, &|_| None);
    let stays = same.rules.values().map(|it| it.stays.len()).sum::<usize>();
    assert_eq!(stays, scene.judged().len(), "the same numbers raise the same");
    assert!(same.rules.values().all(|it| it.fires.is_empty() && it.silent.is_empty()));
}

#[test]
fn what_reviewers_found_of_the_same_subjects_stands_beside_it() {
    let scene = scene();
    let stand_in = scene.judged().into_iter().find(|it| it.kind == AnomalyKind::ProxyStandIn);
    let stand_in = stand_in.unwrap().id;
    let verdict_of = |id: &AnomalyId| (*id == stand_in).then_some(Verdict::Fraud);
    let all = replay(&scene, &candidate(), EVER, &verdict_of);
    let fraud = Verdicts { fraud: 1, ..Verdicts::default() };
    // Of the stand-in itself, and of what else is about one of the two.
    assert_eq!(all.rules[&AnomalyKind::ProxyStandIn].silent[0].verdicts, fraud);
    assert_eq!(all.rules[&AnomalyKind::OffTimetable].fires[0].verdicts, fraud);
    assert_eq!(all.rules[&AnomalyKind::SpoofAttempts].moved[0].verdicts, fraud);
}

/// Where the profile in force is not kept, a replay says so instead of calling everything new.
#[test]
fn a_stretch_whose_profile_is_not_kept_is_counted() {
    let mut scene = Scene::two_towns();
    let before = scene.state("03-01 21:00", in_force(&profile(7, &[])));
    early(&mut scene, "08:10");
    let all = replay(&scene, &candidate(), EVER, &|_| None);
    assert_eq!((all.entries, all.unjudged), (before + 2, 2));
}

/// A judge in force and a candidate, fed by the same entries.
fn shadowed(scene: &Scene, known: Vec<Policy>) -> (Vec<Anomaly>, Vec<Tried>) {
    let mut judge = Judge::knowing(Policy::sichuan_2025(), known.clone());
    let mut shadow = Shadow::new(known);
    let (mut live, mut tried) = (Vec::new(), Vec::new());
    for entry in scene.entries() {
        live.extend(judge.judge(entry));
        tried.extend(shadow.take(entry, judge.registry()));
    }
    (live, tried)
}

#[test]
fn a_candidate_judges_beside_the_one_in_force_from_its_naming_to_its_end() {
    let candidate = candidate();
    let mut scene = Scene::two_towns();
    early(&mut scene, "08:10");
    let named = scene.state("03-02 11:00", trial(&candidate, TrialStep::Named));
    let seen = early(&mut scene, "11:50");
    let without = scene.judged();
    scene.state("03-02 11:55", trial(&candidate, TrialStep::Withdrawn));
    early(&mut scene, "12:00");

    let (live, tried) = shadowed(&scene, vec![candidate.clone()]);
    assert_eq!(live, without, "what is in force is not disturbed");
    assert_eq!(tried.len(), 1, "{tried:#?}");
    let Tried { candidate: digest, anomaly } = &tried[0];
    assert_eq!((*digest, anomaly.evidence[0]), (candidate.digest(), seen));
    assert_eq!(anomaly.policy, "sichuan-2025/3");
    assert_eq!(anomaly.ledger.first, named, "it says since when it has looked");
    // Judged again it is the same, byte for byte: a restart stores nothing twice.
    let cases = SqliteCases::in_memory().unwrap();
    for _ in 0..2 {
        let again = shadowed(&scene, vec![candidate.clone()]).1;
        let again: Vec<_> = again.into_iter().map(|tried| tried.anomaly).collect();
        cases.store(&again).unwrap();
    }
    assert_eq!(cases.counts().unwrap().total(), 1);
    // A candidate whose text is not here is not tried out.
    assert_eq!(shadowed(&scene, Vec::new()).1, []);
}

#[test]
fn a_promoted_candidate_is_in_force_and_tried_out_no_longer() {
    let candidate = candidate();
    let mut scene = Scene::two_towns();
    scene.state("03-01 21:00", in_force(&Policy::sichuan_2025()));
    scene.state("03-02 07:00", trial(&candidate, TrialStep::Named));
    scene.state("03-02 08:00", trial(&candidate, TrialStep::Promoted));
    scene.state("03-02 08:00", in_force(&candidate));
    let seen = early(&mut scene, "08:10");
    let (live, tried) = shadowed(&scene, vec![candidate]);
    assert_eq!(tried, []);
    let policies: BTreeSet<&str> = live.iter().map(|it| it.policy.as_str()).collect();
    assert_eq!(policies, BTreeSet::from(["sichuan-2025/3"]));
    assert_eq!(live[0].evidence, [seen]);
}
