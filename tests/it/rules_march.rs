//! The scene of rules that look at whole lessons: one class at one site with two terminals, a lesson each
//! morning of March.

use rollcall::domain::{Anomaly, AnomalyKind, ClockQuality, Fact, PersonId, Score, Way};

use crate::rules_scene::{Scene, Told, at, comes, leaves, lesson};

pub(crate) fn trainee(n: u8) -> PersonId {
    PersonId([n; 16])
}

/// The morning lesson of a day in March.
pub(crate) fn morning(day: u32) -> String {
    format!("d{day:02}")
}

/// All mornings up to a day are on the timetable.
pub(crate) fn mornings(until: u32) -> Scene {
    let mut scene = Scene::two_towns();
    for day in 3..=until {
        let (starts, ends) = (format!("03-{day:02} 08:30"), format!("03-{day:02} 11:30"));
        scene.state("03-01 21:00", lesson(&morning(day), "cd", &starts, &ends));
    }
    scene
}

/// It happens on that day, and the centre hears it in the evening.
pub(crate) fn on(day: u32, told: Told) -> Told {
    let signed = Some(at(&format!("03-{day:02} 00:00")));
    let told = told.clock(ClockQuality::Synced, signed);
    told.arrives(&format!("03-{day:02} 23:00"))
}

pub(crate) fn came(day: u32, time: &str, who: u8) -> Told {
    let told = comes("cd-1", &format!("03-{day:02} {time}"), trainee(who));
    scored(on(day, told.lesson(&morning(day))), living(day * 611))
}

pub(crate) fn left(day: u32, time: &str, who: u8) -> Told {
    let told = leaves("cd-1", &format!("03-{day:02} {time}"), trainee(who));
    scored(on(day, told.lesson(&morning(day))), living(day * 433 + 200))
}

/// A face is never twice the same.
pub(crate) fn living(chance: u32) -> i32 {
    6_400 + i32::try_from(chance % 900).unwrap()
}

pub(crate) fn elsewhere(mut told: Told) -> Told {
    told.record.terminal = "cd-2".parse().unwrap();
    told
}

pub(crate) fn scored(mut told: Told, e4: i32) -> Told {
    told.record.scores.as_mut().unwrap().match_score = Some(Score::from_e4(e4));
    told
}

pub(crate) fn by(mut told: Told, way: Way) -> Told {
    told.record.way = Some(way);
    told.record.scores = None;
    told
}

/// The grace of all lessons runs out, and the rules speak. Who has told of nothing since is a matter of its
/// own, which the other town's terminal is in every scene.
pub(crate) fn after_grace(scene: &mut Scene) -> Vec<Anomaly> {
    scene.state("04-20 12:00", Fact::Tick);
    let judged = scene.judged();
    judged.into_iter().filter(|it| it.kind != AnomalyKind::SilentTerminal).collect()
}

pub(crate) fn of_kind(anomalies: &[Anomaly], kind: AnomalyKind) -> Vec<&Anomaly> {
    anomalies.iter().filter(|anomaly| anomaly.kind == kind).collect()
}

/// Nothing but what is expected, and that once.
pub(crate) fn only(anomalies: &[Anomaly], kind: AnomalyKind) -> &Anomaly {
    assert_eq!(anomalies.iter().map(|it| it.kind).collect::<Vec<_>>(), [kind], "{anomalies:#?}");
    &anomalies[0]
}
