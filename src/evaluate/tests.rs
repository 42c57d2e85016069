//! The counting, on an example that is small enough to be counted by hand.

use std::collections::BTreeMap;

use super::*;
use crate::domain::{Anomaly, AnomalyId, Bilingual, LedgerRange, Severity, TerminalId};
use crate::province::{Kind, Mix, Plan, make};

const DAY_MS: i64 = 86_400_000;

fn day(n: i64) -> Timestamp {
    Timestamp::parse_shanghai("2026-03-16 00:00").unwrap().plus_ms(n * DAY_MS)
}

fn person(n: u8) -> PersonId {
    PersonId([n; 16])
}

fn label(kind: Kind, care: Care, who: u8, from: i64, until: i64) -> Label {
    Label {
        id: format!("{}-{who}", kind.code()),
        kind,
        care,
        institution: "i0000".parse().unwrap(),
        persons: vec![person(who)],
        terminals: Vec::new(),
        class: "i0000-c1".parse().unwrap(),
        from: day(from),
        until: day(until),
    }
}

fn anomaly(who: &[u8], terminals: &[&str], at: Timestamp) -> Anomaly {
    Anomaly {
        id: AnomalyId::of(AnomalyKind::ProxyStandIn, &[1]),
        kind: AnomalyKind::ProxyStandIn,
        severity: Severity::Alarm,
        at,
        who: who.iter().map(|n| person(*n)).collect(),
        terminals: terminals.iter().map(|it| it.parse().unwrap()).collect(),
        site: None,
        why: Bilingual::new("", ""),
        evidence: vec![1],
        policy: String::new(),
        rule: 1,
        inputs: BTreeMap::new(),
        ledger: LedgerRange { first: 0, last: 1 },
    }
}

#[test]
fn an_anomaly_matches_by_subject_and_period_with_a_day_of_tolerance() {
    let mut labels = vec![label(Kind::StandIn, Care::Clumsy, 1, 2, 4)];
    labels[0].terminals = vec!["t-1".parse::<TerminalId>().unwrap()];
    let planted = Planted::new(&labels);
    let hits = |anomaly: &Anomaly| planted.matched(anomaly).len();
    assert_eq!(hits(&anomaly(&[1], &[], day(3))), 1);
    assert_eq!(hits(&anomaly(&[1], &["t-1"], day(3))), 1, "once, by whatever it matches");
    assert_eq!(hits(&anomaly(&[9], &["t-1"], day(3))), 1);
    assert_eq!(hits(&anomaly(&[9], &["t-2"], day(3))), 0);
    assert_eq!(hits(&anomaly(&[1], &[], day(1))), 1);
    assert_eq!(hits(&anomaly(&[1], &[], day(1).plus_ms(-1))), 0);
    assert_eq!(hits(&anomaly(&[1], &[], day(5))), 1);
    assert_eq!(hits(&anomaly(&[1], &[], day(5).plus_ms(1))), 0);
    assert!(!planted.is_honest(person(1), day(2)) && planted.is_honest(person(1), day(4)));
    assert!(planted.is_honest(person(2), day(3)));
}

/// Four incidents, five alarms: two on the first incident, one on the third, two on nobody.
fn example() -> Evaluation {
    let mut labels = Labels::new(1, 1, 10, day(0));
    labels.incidents = vec![
        label(Kind::StandIn, Care::Clumsy, 1, 0, 2),
        label(Kind::StandIn, Care::Clumsy, 2, 0, 2),
        label(Kind::StretchedCheckouts, Care::Careful, 3, 1, 9),
        label(Kind::Asleep, Care::Clumsy, 4, 0, 5),
    ];
    let alarm = |kind, hours: i64, incidents: &[usize]| Raised {
        kind,
        seen: day(0).plus_ms(hours * 3_600_000),
        incidents: incidents.to_vec(),
    };
    let raised = [
        alarm(AnomalyKind::ProxyStandIn, 30, &[0]),
        alarm(AnomalyKind::ProxyStandIn, 10, &[0]),
        alarm(AnomalyKind::ProxyStandIn, 50, &[]),
        alarm(AnomalyKind::ExcessHours, 74, &[2]),
        alarm(AnomalyKind::MultiDevice, 80, &[]),
    ];
    let kinds = vec![AnomalyKind::ProxyStandIn, AnomalyKind::ExcessHours, AnomalyKind::MultiDevice];
    figured(labels, &raised, kinds, 4_000, (100, 80))
}

#[test]
fn figures_are_those_that_one_counts_by_hand() {
    let it = example();
    assert_eq!(it.overall.precision, Share { hits: 3, of: 5 });
    assert_eq!(it.overall.recall_of(Care::Clumsy), Share { hits: 1, of: 3 });
    assert_eq!(it.overall.recall_of(Care::Middling), Share { hits: 0, of: 0 });
    assert_eq!(it.overall.recall_of(Care::Careful), Share { hits: 1, of: 1 });
    assert_eq!(it.overall.false_alarms_per_1000_days(), Some(0.5));
    // The first alarm on each: 10 h after the begin, and 74 − 24.
    assert_eq!(it.overall.delays_h, [10.0, 50.0]);
    assert_eq!(it.visible.recall_of(Care::Clumsy), Share { hits: 1, of: 2 });

    let detector = |kind| &it.detectors.iter().find(|(it, _)| *it == kind).unwrap().1;
    let stand_in = detector(AnomalyKind::ProxyStandIn);
    assert_eq!(stand_in.precision, Share { hits: 2, of: 3 });
    assert_eq!(stand_in.recall_of(Care::Clumsy), Share { hits: 1, of: 2 });
    assert_eq!(stand_in.recall_of(Care::Careful).rate(), None);
    assert_eq!(stand_in.false_alarms_per_1000_days(), Some(0.25));
    assert_eq!(detector(AnomalyKind::ExcessHours).recall_of(Care::Careful).rate(), Some(1.0));
    assert_eq!(detector(AnomalyKind::MultiDevice).precision.rate(), Some(0.0));

    let by_aim = it.by_aim.map(|share| (share.hits, share.of));
    assert_eq!(by_aim, [(1, 3), (0, 0), (1, 1)]);
    assert_eq!(it.cells.len(), 3);
    assert_eq!((it.cells[0].kind, it.cells[0].found), (Kind::StandIn, Share { hits: 1, of: 2 }));
    let met: Vec<_> = reached(&it.overall).iter().map(|(aim, it)| aim.is_met(*it)).collect();
    assert_eq!(met, [false, false, true, true]);
}

/// Against values of Wilson's formula worked out by hand: 8 of 10, and nothing of 20.
#[test]
fn intervals_are_wilsons() {
    let near = |(low, high): (f64, f64), (l, h): (f64, f64)| {
        assert!((low - l).abs() < 5e-4 && (high - h).abs() < 5e-4, "{low} {high}");
    };
    near(Share { hits: 8, of: 10 }.interval(), (0.4902, 0.9433));
    near(Share { hits: 0, of: 20 }.interval(), (0.0, 0.1611));
    near(Share { hits: 20, of: 20 }.interval(), (0.8389, 1.0));
    assert_eq!(Share::default().interval(), (0.0, 1.0));
}

#[test]
fn json_has_the_same_fields_for_all_and_for_each_detector() {
    let json: serde_json::Value = serde_json::from_str(&example().to_json()).unwrap();
    for figures in [&json["overall"], &json["detectors"]["proxy_stand_in"]] {
        for field in [
            "precision",
            "recall_clumsy",
            "recall_careful",
            "false_alarms_per_1000_days",
            "intervals",
        ] {
            assert!(figures.get(field).is_some(), "{field} in {figures}");
        }
    }
    assert_eq!(json["overall"]["precision"], 0.6);
    assert_eq!(json["detectors"]["proxy_stand_in"]["recall_careful"], serde_json::Value::Null);
    assert_eq!(json["kinds"]["asleep"]["unaimed"], true);
    assert_eq!(json["kinds"]["stand_in"]["clumsy"]["found"], 1);
}

#[test]
fn the_page_says_why_what_was_missed_looks_honest_and_loads_nothing() {
    let page = example().to_html();
    assert!(page.contains("替课") && page.contains("No detector aims at it today"));
    assert!(page.contains("whom no roster knows") && page.contains("1/2"));
    assert!(!page.contains("a few kilometres"), "of what was not planted nothing is said");
    for foreign in ["<script", "http://", "https://", "@import", "url("] {
        assert!(!page.contains(foreign), "{foreign}");
    }
}

/// What honest life raises today, counted exactly, so that a rule or a world that changes it says so: ten
/// alarms on 13,794 honest days. The aim is one in 1,000.
#[test]
fn honest_worlds_raise_what_they_raise_today() {
    let raised = [11, 12, 13].map(|seed| {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("world");
        let (mix, policy) = (Mix::honest(), Policy::sichuan_2025());
        let plan = Plan { seed, institutions: 8, days: 20, mix, policy: policy.clone() };
        make(&plan, &out, None).unwrap();
        let it = evaluate(&out, policy).unwrap();
        assert_eq!(it.overall.precision.hits, 0);
        let by = it.detectors.iter().filter(|(_, figures)| figures.precision.of > 0);
        let mut by: Vec<_> = by.map(|(kind, it)| (kind.as_str(), it.precision.of)).collect();
        by.sort_unstable();
        (it.honest_days, by)
    });
    let expected = [
        (4_860, vec![("excess_hours", 1), ("missed_roll_call", 1)]),
        (4_660, vec![("excess_hours", 2), ("missed_roll_call", 2), ("proxy_shared_face", 1)]),
        (4_274, vec![("excess_hours", 2), ("proxy_stand_in", 1)]),
    ];
    assert_eq!(raised, expected);
}
