//! Vectors of plans, rosters, teachers, statuses of each kind of subject, claims, what is held and objected: part
//! of the generator `vectors`.

use rollcall::domain::{
    Activity, Bilingual, Claim, ClaimLine, ClassPlan, Employment, Evidenced, Fact, Fund, Happened,
    Happening, Held, HeldKind, InstitutionDetails, Joined, LeaveReason, Left, LessonDetails,
    LessonId, LessonKind, LessonMode, Level, Limit, Objected, Ownership, Platform,
    PlatformFunction, Project, Qualification, RollOrder, State, Status, Subject, Target, Teacher,
    Timestamp, Trial, TrialStep, Word,
};

use crate::vectors::{MORNING, key, opening};

/// With all fields, and without those that may be absent.
pub(crate) fn of_the_centre() -> Vec<Fact> {
    let member = opening(0x61, 0xa1).commitment().0;
    let class = || "welding-1".parse().expect("a name");
    let status = |of: Subject, state: State, until: Option<Timestamp>| {
        let basis = until.map(|_| "示例〔2026〕1号".to_owned());
        Fact::Status(Status { of, state, from: MORNING, until, basis })
    };
    let later = Some(MORNING.plus_ms(30 * 86_400_000));
    vec![
        Fact::InstitutionDetails(InstitutionDetails {
            institution: "north".parse().expect("a name"),
            credit_code: Some("91350100M000100Y43".into()),
            ownership: Some(Ownership::Private),
            area: Some("510700".into()),
        }),
        Fact::InstitutionDetails(InstitutionDetails {
            institution: "south".parse().expect("a name"),
            credit_code: None,
            ownership: None,
            area: None,
        }),
        Fact::ClassPlan(ClassPlan {
            class: class(),
            project: "焊工（初级）".into(),
            occupation: "焊工".into(),
            occupation_code: Some("6-18-02-04".into()),
            level: Level::Junior,
            starts: MORNING,
            ends: MORNING.plus_ms(60 * 86_400_000),
            hours: 240,
            hours_practice: Some(160),
            hours_online: Some(0),
            target: Target::OnTheJob,
        }),
        Fact::LessonDetails(LessonDetails {
            lesson: "welding-1-0302-am".parse().expect("a name"),
            teacher: Some("north-t01".parse().expect("a name")),
            kind: Some(LessonKind::Practice),
            mode: Some(LessonMode::Offline),
        }),
        Fact::Joined(Joined { class: class(), member }),
        Fact::Left(Left { class: class(), member, reason: LeaveReason::Withdrawn }),
        Fact::Teacher(Teacher {
            id: "north-t01".parse().expect("a name"),
            institution: "north".parse().expect("a name"),
            person: opening(0x62, 0xa2).commitment().0,
            employment: Employment::PartTime,
            qualification: Qualification::Trade,
        }),
        status(Subject::Institution("north".parse().expect("a name")), State::Licensed, later),
        status(Subject::Site("north-1".parse().expect("a name")), State::SiteVerified, None),
        status(Subject::Class(class()), State::Opened, None),
        status(
            Subject::Lesson("welding-1-0302-am".parse().expect("a name")),
            State::Cancelled,
            None,
        ),
        status(Subject::Teacher("north-t01".parse().expect("a name")), State::Suspended, later),
        status(Subject::Claim("welding-1-a".parse().expect("a name")), State::Submitted, None),
        Fact::Claim(Claim {
            id: "welding-1-a".parse().expect("a name"),
            institution: "north".parse().expect("a name"),
            class: class(),
            persons: 1,
            hours: 240,
            amount_fen: 150_000,
            basis: "初级工 1500元/人".into(),
        }),
        Fact::ClaimLine(ClaimLine {
            claim: "welding-1-a".parse().expect("a name"),
            member,
            hours: 240,
            amount_fen: 150_000,
        }),
        Fact::RollOrdered(RollOrder {
            order: [0x71; 32],
            terminal: "t-1".parse().expect("a name"),
            lesson: "welding-1-0302-am".parse().expect("a name"),
            minutes: 10,
            by: "示例监管科".into(),
        }),
        Fact::Held(Held {
            id: "cert-2025-0001".parse().expect("a name"),
            person: opening(0x63, 0xa1).commitment().0,
            kind: HeldKind::Subsidy,
            occupation: "焊工".into(),
            occupation_code: Some("6-18-02-04".into()),
            level: Level::Intermediate,
            on: MORNING,
            fund: Some(Fund::UnemploymentFund),
            class: Some(class()),
            source: "示例系统".into(),
        }),
        Fact::Held(Held {
            id: "cert-2025-0002".parse().expect("a name"),
            person: opening(0x64, 0xa1).commitment().0,
            kind: HeldKind::Certificate,
            occupation: "焊工".into(),
            occupation_code: None,
            level: Level::Senior,
            on: MORNING,
            fund: None,
            class: None,
            source: "示例系统".into(),
        }),
        Fact::Project(Project {
            name: "焊工（初级）".into(),
            occupation: "焊工".into(),
            occupation_code: Some("6-18-02-04".into()),
            level: Some(Level::Junior),
            hours_min: Some(200),
            hours_max: Some(240),
            persons_max: Some(120),
            notice: "示例公告〔2026〕5号".into(),
            from: MORNING,
            until: later,
        }),
        Fact::Project(Project {
            name: "电工".into(),
            occupation: "电工".into(),
            occupation_code: None,
            level: None,
            hours_min: None,
            hours_max: None,
            persons_max: None,
            notice: "示例公告〔2026〕5号".into(),
            from: MORNING,
            until: None,
        }),
        Fact::Objected(Objected {
            of: Subject::Claim("welding-1-a".parse().expect("a name")),
            limit: Limit::HoursBeyondLedger,
            persons: 1,
            found: 240,
            allowed: 180,
            policy: "sichuan-2025/1".into(),
        }),
        Fact::PictureOpened {
            digest: [0x91; 32],
            terminal: "t-1".parse().expect("a name"),
            seq: 10,
            by: "示例市人社局 张".into(),
            reason: "case 7: a contradicted claim".into(),
        },
        Fact::Platform(Platform {
            id: "xuexi".parse().expect("a name"),
            name: Bilingual::new("示例学习平台", "Sample platform"),
            key: key("terminal").verifying_key().to_bytes(),
            functions: vec![
                Evidenced {
                    function: PlatformFunction::RealNames,
                    basis: "验收〔2026〕3号".into(),
                },
                Evidenced {
                    function: PlatformFunction::Faces, basis: "验收〔2026〕3号".into()
                },
            ],
            listed: Some("公告〔2026〕5号".into()),
        }),
        Fact::Platform(Platform {
            id: "bare".parse().expect("a name"),
            name: Bilingual::new("示例", "Bare"),
            key: key("centre").verifying_key().to_bytes(),
            functions: Vec::new(),
            listed: None,
        }),
        Fact::Activity(activity(Some("welding-1-0302-am".parse().expect("a name")))),
        Fact::Activity(activity(None)),
        Fact::Trial(Trial {
            profile: "sichuan-2025/2".into(),
            digest: [0xce; 32],
            step: TrialStep::Named,
            by: "示例市人社局 张".into(),
            reason: "更严的路程时速 a stricter speed of travel".into(),
        }),
    ]
}

/// A stretch in which all happens that can happen.
pub(crate) fn activity(lesson: Option<LessonId>) -> Activity {
    let happened = |(after_ms, what): (u32, Happening)| {
        let pages = (what == Happening::Beat).then_some(2);
        Happened { after_ms, what, pages }
    };
    Activity {
        platform: "xuexi".parse().expect("a name"),
        report: 7,
        digest: [0x95; 32],
        session: [0x96; 16],
        account: [0x97; 32],
        device: [0x98; 32],
        person: opening(0x65, 0xa1).commitment().0,
        lesson,
        from: MORNING,
        happenings: Happening::ALL
            .iter()
            .zip(0..)
            .map(|(what, n)| happened((n * 60_000, *what)))
            .collect(),
        opened: None,
    }
}
