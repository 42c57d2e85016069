use std::sync::Arc;

use super::*;
use crate::collector::Judging;
use crate::collector::{Broker, Collector, Home, Names, Setup};
use crate::domain::{
    Anomaly, AnomalyId, AnomalyKind, Bilingual, Policy, Severity, Step, Verdict, VerdictReason,
};
use crate::ingest::Limits;
use crate::platform::clock::SystemClock;

fn anomaly() -> Anomaly {
    Anomaly {
        id: AnomalyId::of(AnomalyKind::MultiDevice, &[1, 2]),
        kind: AnomalyKind::MultiDevice,
        severity: Severity::Alarm,
        at: Timestamp::from_ms(1_772_411_405_000),
        who: vec![PersonId([1; 16])],
        terminals: vec!["t-1".parse().unwrap()],
        site: None,
        why: Bilingual::new("异地同时", "two places at once"),
        evidence: vec![1, 2],
        policy: "sichuan-2025/1".into(),
        rule: 1,
        inputs: std::collections::BTreeMap::new(),
        ledger: crate::domain::LedgerRange { first: 0, last: 4 },
    }
}

fn nobody_listens() -> Setup {
    let broker = Broker {
        host: "127.0.0.1".into(),
        port: 1,
        client_id: "test".into(),
        login: None,
        tls: None,
    };
    Setup { broker, origin: "test".into(), limits: Limits::default(), tick_ms: None }
}

#[test]
fn a_step_is_judged_and_stated_once_also_when_the_collector_died_before_it_forgot_it() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::create(folder.path()).unwrap();
    let store = home.store().clone();
    store.open_cases().unwrap().store(&[anomaly()]).unwrap();
    let watch = Watch::open(&store, Judging::by(Policy::sichuan_2025()), Names::Numbers).unwrap();
    let clock = Arc::new(SystemClock::start());
    let now = clock.now();
    let collector = Collector::start(home, nobody_listens(), clock, watch.hooks()).unwrap();
    let waiting = waiting(folder.path()).unwrap();
    let steps =
        Steps { watch: watch.clone(), waiting: waiting.clone(), stater: collector.stater() };

    let case = CaseId::opened_by(anomaly().id);
    let (anomalies, digest) = watch.ask(|book, _| book.gathered().case(case).unwrap().seen());
    let step = |id: u8, reason: VerdictReason| CaseStep {
        id: [id; 16],
        case,
        step: Step::Judged { verdict: reason.verdict(), reason, anomalies, digest },
        by: "Wang, bureau".into(),
        text: Some("looked at both sites".into()),
    };
    let leave = |step: &CaseStep| waiting.leave(&name_of(step), step).unwrap();
    let comment = CaseStep { step: Step::Commented, ..step(0, VerdictReason::MadeUp) };
    leave(&comment);
    leave(&step(1, VerdictReason::MadeUp));
    // It comes third, when the case is judged already.
    leave(&step(2, VerdictReason::HonestMistake));
    leave(&CaseStep { case: CaseId([9; 16]), ..step(3, VerdictReason::MadeUp) });
    steps.look(now).unwrap();
    // As if the program had died before it removed the files.
    leave(&comment);
    leave(&step(1, VerdictReason::MadeUp));
    steps.look(now).unwrap();
    assert_eq!(waiting.all().unwrap(), []);

    let reading = Reading::of(&store).unwrap();
    let case = reading.gathered.case(case).unwrap();
    let ids: Vec<u8> = case.steps.iter().map(|stated| stated.step.id[0]).collect();
    assert_eq!(ids, [0, 1], "{case:?}");
    assert_eq!(case.verdict(), Some((Verdict::Fraud, VerdictReason::MadeUp)));
    assert!(reading.has_step(&[1; 16]) && !reading.has_step(&[2; 16]));
    let known = watch.ask(|book, _| book.gathered().case(case.id).cloned());
    assert_eq!(known.as_ref(), Some(case), "the running centre knows the same");
    collector.stop().unwrap();
}

#[test]
fn what_is_no_step_is_removed_and_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    let waiting = waiting(folder.path()).unwrap();
    let path = folder.path().join("case-steps/00.wish.json");
    crate::platform::durable::write(&path, b"{\"x\":1}", crate::platform::durable::Access::Owner)
        .unwrap();
    assert_eq!(waiting.all().unwrap(), []);
    assert!(!path.exists());
}
