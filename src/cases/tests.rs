use super::*;
use crate::domain::{
    CaseId, CaseStep, Party, PersonId, Step, TerminalId, Timestamp, Verdict, VerdictReason,
};

const DAY_MS: i64 = 86_400_000;

fn at(time: &str) -> Timestamp {
    Timestamp::parse_shanghai(&format!("2026-{time}")).unwrap()
}

fn terminal(name: &str) -> TerminalId {
    name.parse().unwrap()
}

/// The n-th anomaly, about one person.
fn found(n: u64, kind: AnomalyKind, severity: Severity, time: &str, person: u8) -> Brief {
    Brief {
        number: n,
        id: AnomalyId::of(kind, &[n]),
        kind,
        severity,
        at: at(time),
        subject: Subject::Person(PersonId([person; 16])),
        site: None,
        terminal: Some(terminal("t-1")),
    }
}

/// The n-th anomaly as a rule raises it, about one person.
fn raised(n: u64, person: u8) -> Anomaly {
    Anomaly {
        id: AnomalyId::of(AnomalyKind::Altered, &[n]),
        who: vec![PersonId([person; 16])],
        terminals: vec![terminal("t-1")],
        kind: AnomalyKind::Altered,
        severity: Severity::Alarm,
        at: at("03-02 08:00"),
        site: None,
        why: crate::domain::Bilingual::new("", ""),
        evidence: vec![n],
        policy: String::new(),
        rule: 1,
        inputs: BTreeMap::new(),
        ledger: crate::domain::LedgerRange { first: 0, last: n },
    }
}

fn alarm(n: u64, time: &str) -> Brief {
    found(n, AnomalyKind::ProxyStandIn, Severity::Alarm, time, 1)
}

fn step(n: u8, case: &Case, step: Step, by: &str) -> CaseStep {
    CaseStep { id: [n; 16], case: case.id, step, by: by.into(), text: Some("looked at it".into()) }
}

fn stated(n: u8, time: &str, step: CaseStep) -> Stated {
    Stated { index: u64::from(n), at: at(time), step }
}

fn verdict(case: &Case, verdict: Verdict, reason: VerdictReason) -> Step {
    let (anomalies, digest) = case.seen();
    Step::Judged { verdict, reason, anomalies, digest }
}

fn fraud(case: &Case) -> Step {
    verdict(case, Verdict::Fraud, VerdictReason::ProxyAttendance)
}

fn gather(found: &[Brief], steps: &[Stated]) -> Vec<Case> {
    Gathered::of(found, steps).cases().to_vec()
}

// ---- gathering --------------------------------------------------------------------------------

#[test]
fn anomalies_on_one_subject_within_thirty_days_are_one_case() {
    let found = [
        alarm(1, "03-02 08:00"),
        found(2, AnomalyKind::MultiDevice, Severity::Warning, "03-20 08:00", 1),
        found(3, AnomalyKind::MultiDevice, Severity::Warning, "03-20 08:00", 2),
        // It came late, and happened before the one that opened the case.
        alarm(4, "02-20 08:00"),
        alarm(5, "04-02 08:00"),
    ];
    let cases = gather(&found, &[]);
    let numbers: Vec<Vec<u64>> =
        cases.iter().map(|case| case.anomalies.iter().map(|it| it.number).collect()).collect();
    assert_eq!(numbers, [vec![1, 2, 4], vec![3], vec![5]]);
    assert_eq!(cases[0].id, CaseId::opened_by(found[0].id));
    assert_eq!(gather(&found, &[]), cases, "the same lists give the same cases");
}

#[test]
fn what_many_people_did_is_about_the_door_and_a_pair_about_whom_was_claimed() {
    let anomaly = |who: &[u8], terminals: &[&str]| Anomaly {
        who: who.iter().map(|n| PersonId([*n; 16])).collect(),
        terminals: terminals.iter().map(|name| terminal(name)).collect(),
        ..raised(0, 0)
    };
    let of = |who: &[u8], terminals: &[&str]| Subject::of(&anomaly(who, terminals));
    assert_eq!(of(&[1], &["t-1", "t-2"]), Subject::Person(PersonId([1; 16])));
    assert_eq!(of(&[2, 1], &["t-1"]), Subject::Person(PersonId([2; 16])));
    assert_eq!(of(&[3, 2, 1], &["t-1"]), Subject::Terminal(terminal("t-1")));
    assert_eq!(of(&[], &["t-1"]), Subject::Terminal(terminal("t-1")));
    assert_eq!(of(&[3, 2, 1], &[]), Subject::Person(PersonId([3; 16])));
    assert_eq!(of(&[], &[]), Subject::Rule(AnomalyKind::Altered));
}

#[test]
fn a_case_ends_at_a_hundred_anomalies() {
    let found: Vec<Brief> = (0..250).map(|n| alarm(n, "03-02 08:00")).collect();
    let sizes: Vec<usize> = gather(&found, &[]).iter().map(|case| case.anomalies.len()).collect();
    assert_eq!(sizes, [100, 100, 50]);
}

#[test]
fn what_is_found_after_the_verdict_opens_another_case() {
    let mut all = vec![alarm(1, "03-02 08:00"), alarm(2, "03-03 08:00")];
    let case = gather(&all, &[]).remove(0);
    let steps = [stated(9, "03-04 10:00", step(1, &case, fraud(&case), "Wang, bureau"))];
    all.push(alarm(3, "03-04 08:00"));
    let cases = gather(&all, &steps);
    assert_eq!(cases.len(), 2);
    assert!(matches!(cases[0].state(at("03-05 08:00")), State::Judged(Verdict::Fraud, _)));
    assert!(cases[0].is_as_judged());
    assert_eq!(cases[1].state(at("03-05 08:00")), State::Open);
    assert_eq!(cases[1].anomalies[0].number, 3);
}

/// Other rules may find another anomaly first: what was decided stays with what it was about, and it shows
/// that the case is not the one of before.
#[test]
fn a_store_that_is_made_anew_in_another_order_keeps_the_steps_and_says_so() {
    let (one, two) = (alarm(1, "03-02 08:00"), alarm(2, "03-03 08:00"));
    let case = gather(&[one.clone(), two.clone()], &[]).remove(0);
    let steps = [stated(9, "03-04 10:00", step(1, &case, fraud(&case), "Wang, bureau"))];
    let other = Brief { number: 1, ..two };
    let again = gather(&[other, Brief { number: 2, ..one }], &steps);
    assert_eq!(again.len(), 1);
    assert!(matches!(again[0].verdict(), Some((Verdict::Fraud, _))));
    assert!(!again[0].is_as_judged());
}

/// What a running centre carries on is what a start gathers at once, in whatever order both lists come.
#[test]
fn what_is_carried_on_is_what_is_gathered_at_once() {
    let found: Vec<Found> = (1..=9)
        .map(|n| Found { number: n, anomaly: raised(n, u8::try_from(n % 2).unwrap()) })
        .collect();
    let briefs: Vec<Brief> = found.iter().map(Brief::of).collect();
    let first = gather(&briefs[..4], &[]);
    let stated: Vec<Stated> = (1_u8..)
        .zip([Step::Taken, fraud(&first[0]), Step::Reopened, fraud(&first[1])])
        .map(|(n, it)| stated(n, "03-04 10:00", step(n, &first[usize::from(n == 4)], it, "Li")))
        .collect();
    let entry = |it: &Stated| crate::ledger::Entry {
        index: it.index,
        committed_at: it.at,
        body: crate::ledger::Body::Fact(crate::domain::Fact::CaseStep(it.step.clone())),
    };
    let expected = gather(&briefs, &stated);
    assert_eq!(expected.len(), 4, "what came after the verdicts opened others");
    // The steps come after this many anomalies; 0: before all, as never in life; 9: as at a start.
    for before in 0..=9 {
        for asked in [false, true] {
            let mut book = Book::default();
            book.find(&found[..before]);
            for it in &stated {
                book.apply(&entry(it));
                if asked {
                    assert!(book.gathered().cases().len() <= expected.len());
                }
            }
            book.find(&found[before..]);
            assert_eq!(book.gathered().cases(), expected, "steps after {before}");
            assert_eq!(*book.gathered().lived(), lived(&expected));
        }
    }
}

// ---- how a case stands ------------------------------------------------------------------------

#[test]
fn a_case_is_taken_put_off_judged_contested_and_judged_by_somebody_else() {
    let found = [alarm(1, "03-02 08:00")];
    let case = gather(&found, &[]).remove(0);
    let now = at("03-05 08:00");
    let until = at("03-09 08:00");
    let mut steps = Vec::new();
    let mut do_next = |n: u8, next: CaseStep| {
        let before = gather(&found, &steps).remove(0);
        let asked = may(Some(&before), &next, now);
        if asked.is_ok() {
            steps.push(stated(n, "03-05 08:00", next));
        }
        let after = gather(&found, &steps).remove(0);
        (asked, after.state(now), after.owner().map(str::to_owned))
    };
    let owner = Some("Li, bureau".to_owned());
    assert_eq!(
        do_next(1, step(1, &case, Step::Taken, "Li, bureau")),
        (Ok(()), State::Taken, owner.clone())
    );
    assert_eq!(
        do_next(2, step(2, &case, Step::Snoozed { until }, "Li, bureau")),
        (Ok(()), State::Snoozed(until), owner.clone())
    );
    let judged = State::Judged(Verdict::Fraud, VerdictReason::ProxyAttendance);
    assert_eq!(
        do_next(3, step(3, &case, fraud(&case), "Li, bureau")),
        (Ok(()), judged, owner.clone())
    );
    assert_eq!(do_next(4, step(4, &case, Step::Taken, "Xu")).0, Err(Denied::Judged));
    let appeal = Step::Appealed { party: Party::Trainee };
    assert_eq!(
        do_next(5, step(5, &case, appeal.clone(), "the desk of appeals")),
        (Ok(()), State::Appealed, owner.clone())
    );
    assert_eq!(do_next(6, step(6, &case, appeal, "the desk")).0, Err(Denied::NotJudged));
    assert_eq!(
        do_next(7, step(7, &case, Step::Snoozed { until }, "Xu, bureau")).0,
        Err(Denied::Contested)
    );
    assert_eq!(
        do_next(8, step(8, &case, fraud(&case), "Li, bureau")).0,
        Err(Denied::SameJudge("Li, bureau".into()))
    );
    let mistake = verdict(&case, Verdict::Error, VerdictReason::Lookalike);
    assert_eq!(
        do_next(9, step(9, &case, mistake, "Xu, bureau")),
        (Ok(()), State::Judged(Verdict::Error, VerdictReason::Lookalike), owner)
    );
}

#[test]
fn a_snooze_ends_by_itself() {
    let found = [alarm(1, "03-02 08:00")];
    let case = gather(&found, &[]).remove(0);
    let until = at("03-09 08:00");
    let steps = [stated(1, "03-03 08:00", step(1, &case, Step::Snoozed { until }, "Li"))];
    let case = gather(&found, &steps).remove(0);
    assert_eq!(case.state(at("03-08 08:00")), State::Snoozed(until));
    assert_eq!(case.state(until), State::Open);
}

#[test]
fn a_step_without_somebody_a_reason_or_the_case_of_now_is_refused() {
    let now = at("03-05 08:00");
    let case = gather(&[alarm(1, "03-02 08:00")], &[]).remove(0);
    let grown = gather(&[alarm(1, "03-02 08:00"), alarm(2, "03-03 08:00")], &[]).remove(0);
    let asked = |next: CaseStep| may(Some(&case), &next, now).unwrap_err();
    let good = || step(1, &case, Step::Commented, "Li");
    assert_eq!(may(None, &good(), now), Err(Denied::NoCase));
    assert_eq!(asked(CaseStep { by: " ".into(), ..good() }), Denied::By);
    assert_eq!(asked(CaseStep { by: "11010519491231002X".into(), ..good() }), Denied::By);
    assert_eq!(asked(CaseStep { text: None, ..good() }), Denied::NoText);
    assert_eq!(asked(CaseStep { text: Some("a\nb".into()), ..good() }), Denied::Text);
    assert_eq!(asked(CaseStep { text: Some("长".repeat(200)), ..good() }), Denied::Text);
    for until in [now, now.plus_ms(91 * DAY_MS)] {
        assert_eq!(asked(step(1, &case, Step::Snoozed { until }, "Li")), Denied::Until);
    }
    let wrong = verdict(&case, Verdict::Fraud, VerdictReason::Lookalike);
    assert_eq!(
        asked(step(1, &case, wrong, "Li")),
        Denied::Reason(VerdictReason::Lookalike, Verdict::Fraud)
    );
    // What is judged is what was looked at: one anomaly more, and it must be looked at again.
    let stale = step(1, &case, fraud(&case), "Li");
    assert_eq!(may(Some(&grown), &stale, now), Err(Denied::Outdated { now: 2 }));
}

// ---- precision and risk -----------------------------------------------------------------------

/// Cases of persons 1, 2, 3 …, each with two stand-ins and one excess of hours, judged like this.
fn judged(verdicts: &[(Verdict, VerdictReason)]) -> Vec<Case> {
    let mut all = Vec::new();
    for person in (1_u8..).take(verdicts.len()) {
        let n = u64::from(person) * 10;
        for (n, kind) in [
            (n, AnomalyKind::ProxyStandIn),
            (n + 1, AnomalyKind::ProxyStandIn),
            (n + 2, AnomalyKind::ExcessHours),
        ] {
            all.push(found(n, kind, Severity::Warning, "03-02 08:00", person));
        }
    }
    let open = gather(&all, &[]);
    let steps: Vec<Stated> = (1_u8..)
        .zip(open.iter().zip(verdicts))
        .map(|(n, (case, &(it, why)))| {
            stated(n, "03-05 08:00", step(n, case, verdict(case, it, why), "Li"))
        })
        .collect();
    gather(&all, &steps)
}

#[test]
fn cc_5_honest_mistakes_are_counted_apart_from_fraud() {
    let cases = judged(&[
        (Verdict::Fraud, VerdictReason::ProxyAttendance),
        (Verdict::Error, VerdictReason::HonestMistake),
        (Verdict::Error, VerdictReason::HonestMistake),
        (Verdict::Error, VerdictReason::DeviceFault),
        (Verdict::Undecided, VerdictReason::NotProven),
    ]);
    let lived = lived(&cases);
    let it = &lived[&AnomalyKind::ProxyStandIn];
    assert_eq!((it.fraud, it.error(), it.undecided), (1, 3, 1));
    let errors: Vec<_> = it.errors.iter().map(|(why, n)| (*why, *n)).collect();
    assert_eq!(errors, [(VerdictReason::HonestMistake, 2), (VerdictReason::DeviceFault, 1)]);
    let precision = it.precision();
    assert_eq!((precision.hits, precision.of), (1, 4), "two stand-ins in a case count once");
    assert_eq!(lived[&AnomalyKind::ExcessHours], *it, "a verdict is about the whole case");
}

#[test]
fn a_contested_verdict_counts_no_more() {
    let mut cases = judged(&[(Verdict::Fraud, VerdictReason::ProxyAttendance)]);
    let appeal = step(9, &cases[0], Step::Appealed { party: Party::Institution }, "the desk");
    cases[0].steps.push(stated(9, "03-06 08:00", appeal));
    assert_eq!(lived(&cases), BTreeMap::new());
}

#[test]
fn he_1_rules_raise_and_a_named_person_decides() {
    // The worst case there is stays a question until somebody who gives a name has judged it.
    let found: Vec<Brief> = [
        AnomalyKind::ProxyStandIn,
        AnomalyKind::MultiDevice,
        AnomalyKind::ExcessHours,
        AnomalyKind::SpoofAttempts,
    ]
    .into_iter()
    .zip(1..)
    .map(|(kind, n)| found(n, kind, Severity::Alarm, "03-02 08:00", 1))
    .collect();
    let case = gather(&found, &[]).remove(0);
    let now = at("03-03 08:00");
    assert_eq!(risk(&case, &BTreeMap::new(), now).score, 100);
    assert_eq!((case.state(now), case.verdict()), (State::Open, None));
    let nameless = CaseStep { by: String::new(), ..step(1, &case, fraud(&case), "") };
    assert_eq!(may(Some(&case), &nameless, now), Err(Denied::By));
    // How good a rule is, follows from verdicts alone, and says of how many.
    let cases = judged(&[
        (Verdict::Fraud, VerdictReason::ProxyAttendance),
        (Verdict::Fraud, VerdictReason::MadeUp),
        (Verdict::Error, VerdictReason::RuleWrong),
    ]);
    let precision = lived(&cases)[&AnomalyKind::ProxyStandIn].precision();
    assert_eq!((precision.hits, precision.of), (2, 3));
    let (low, high) = precision.interval();
    assert!(low < 0.21 && high > 0.93, "three verdicts prove little: {low} to {high}");
}

#[test]
fn the_score_is_the_product_and_sum_of_the_parts_that_it_shows() {
    let found = [
        alarm(1, "03-02 08:00"),
        alarm(2, "03-02 09:00"),
        found(3, AnomalyKind::ExcessHours, Severity::Notice, "03-01 08:00", 1),
    ];
    let case = gather(&found, &[]).remove(0);
    let lived =
        BTreeMap::from([(AnomalyKind::ProxyStandIn, Lived { fraud: 12, ..Lived::default() })]);
    let it = risk(&case, &lived, at("03-03 08:00"));
    let [proxy, hours] = it.parts[..] else { panic!("{it:?}") };
    // (12 + 2) / (12 + 4) of what it found was fraud, as far as can be said after twelve verdicts.
    assert_eq!((proxy.kind, proxy.count), (AnomalyKind::ProxyStandIn, 2));
    assert_eq!(
        (proxy.weight, proxy.repetition, proxy.precision, proxy.age),
        (60.0, 1.5, 0.875, 1.0)
    );
    assert_eq!(proxy.points, 78.75);
    assert_eq!((hours.weight, hours.repetition, hours.precision), (10.0, 1.0, 0.5));
    assert_eq!((hours.points, it.variety), (5.0, 1.25));
    assert_eq!(it.score, 100);
    // A quarter is left of it after a season.
    let later = risk(&case, &lived, at("08-03 08:00"));
    assert_eq!((later.parts[0].age, later.score), (0.25, 26));
}

#[test]
fn errors_lower_a_rules_weight_and_verdicts_on_others_do_not() {
    let case = gather(&[alarm(1, "03-02 08:00")], &[]).remove(0);
    let score = |kind, fraud, wrong| {
        let errors = BTreeMap::from([(VerdictReason::RuleWrong, wrong)]);
        let lived = BTreeMap::from([(kind, Lived { fraud, errors, undecided: 7 })]);
        risk(&case, &lived, at("03-03 08:00")).score
    };
    assert_eq!(score(AnomalyKind::ProxyStandIn, 0, 0), 30);
    assert_eq!(score(AnomalyKind::ProxyStandIn, 0, 16), 6);
    assert_eq!(score(AnomalyKind::ProxyStandIn, 16, 0), 54);
    assert_eq!(score(AnomalyKind::MultiDevice, 0, 16), 30);
}
