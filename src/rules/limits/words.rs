//! What an objection says, for people to read. Names nobody.

use crate::domain::{Bilingual, ClassPlan, Level, Limit, Project, Subject, Timestamp, Word};

/// What was found.
pub(in crate::rules) fn why(limit: Limit, found: u32, allowed: u32) -> Bilingual {
    let (zh, en) = match limit {
        Limit::SubsidiesPerYear => (
            format!("连同本次，一年内的培训补贴为 {found} 次，限 {allowed} 次"),
            format!("with this one, {found} subsidies within a year; {allowed} are allowed"),
        ),
        Limit::EmploymentFundPerYear => (
            format!("连同本次，一年内从就业补助资金列支的补贴为 {found} 次，限 {allowed} 次"),
            format!(
                "with this one, {found} subsidies from the employment fund within a year; {allowed} allowed"
            ),
        ),
        Limit::OccupationLevel => (
            format!(
                "连同本次，同一职业同一等级的补贴为 {found} 次，限 {allowed} 次（含技能提升补贴）"
            ),
            format!(
                "with this one, {found} subsidies for the same occupation and level, skill subsidies \
                 among them; {allowed} allowed"
            ),
        ),
        Limit::LowerLevel => (
            "已有同一职业更高等级的证书或补贴，不得再申领低等级补贴".to_owned(),
            "a higher level of the same occupation is held already; no lower one may follow"
                .to_owned(),
        ),
        Limit::HoursBeyondLedger => (
            format!("申领 {found} 学时，账本至多能证明 {allowed} 学时"),
            format!("{found} lesson hours claimed; the ledger can prove {allowed} at most"),
        ),
        Limit::HoursUnproven => (
            format!("申领 {found} 学时，账本目前证明 {allowed} 学时，终端尚未报齐"),
            format!(
                "{found} lesson hours claimed; the ledger proves {allowed} so far, and terminals may \
                 still report"
            ),
        ),
        Limit::OfflineShare => (
            format!("以实操为主的职业，线下学时占 {found}%，不得低于 {allowed}%"),
            format!(
                "an occupation led by practice: {found} % of its hours offline; at least {allowed} %"
            ),
        ),
        Limit::OnlineShare => (
            format!("线上学时占 {found}%，一般不超过 {allowed}%"),
            format!("{found} % of its hours online; in general at most {allowed} %"),
        ),
        Limit::OnlinePractice => (
            format!("有实操安排在线上（{found} 学时或课次）"),
            format!("practice is held online ({found} hours or lessons)"),
        ),
        Limit::TeacherInstitutions => (
            format!("兼职教师一年内在 {found} 家机构任教，限 {allowed} 家"),
            format!("a part-time teacher at {found} institutions within a year; {allowed} allowed"),
        ),
        Limit::FulltimeShare => (
            format!("民办机构专职教师 {found} 人，须有 {allowed} 人"),
            format!("a private institution with {found} full-time teachers; {allowed} are needed"),
        ),
        Limit::Unqualified => (
            "教师既无资格也无从业经验".to_owned(),
            "a teacher with neither qualification nor experience".to_owned(),
        ),
        Limit::ExamUnseen => (
            "已有本班证书，账本中未见其参加考核".to_owned(),
            "a certificate of this class, and its holder was seen in none of its examinations"
                .to_owned(),
        ),
        Limit::UnpublishedProject => (
            "培训项目未公开发布，原则上不予补贴".to_owned(),
            "its project is not published, and in principle not subsidised".to_owned(),
        ),
        Limit::ProjectPersons => (
            format!("连同先登记的班级，项目下共 {found} 人，公布 {allowed} 人"),
            format!(
                "with the classes registered before it, the project has {found} persons; it is published \
                 for {allowed}"
            ),
        ),
        Limit::ProjectHours => {
            let (zh, en) =
                if found > allowed { ("至多", "at most") } else { ("至少", "at least") };
            (
                format!("计划 {found} 学时，项目公布{zh} {allowed} 学时"),
                format!(
                    "{found} lesson hours planned; the project is published with {en} {allowed}"
                ),
            )
        }
        Limit::ProjectOccupation => (
            "职业工种或等级与公布的培训项目不符".to_owned(),
            "another occupation or level than its project is published with".to_owned(),
        ),
    };
    Bilingual::new(zh, en)
}

/// Its project is not on the list on the day when the class opens.
pub(super) fn unpublished(project: &str, opens: Timestamp) -> Bilingual {
    let day = opens.shanghai().strftime("%Y-%m-%d").to_string();
    Bilingual::new(
        format!("培训项目“{project}”在开班日 {day} 未公开发布，原则上不予补贴"),
        format!(
            "project {project} is not published on {day}, when the class opens, and in principle not subsidised"
        ),
    )
}

/// What the plan teaches, and what its project is published with.
pub(super) fn other_occupation(plan: &ClassPlan, project: &Project) -> Bilingual {
    let told =
        |name: &str, code: &Option<String>, level: Option<Level>, of: fn(Level) -> &'static str| {
            let parts = [Some(name), code.as_deref(), level.map(of)];
            parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
        };
    let both = |of: fn(Level) -> &'static str| {
        let planned = told(&plan.occupation, &plan.occupation_code, Some(plan.level), of);
        (planned, told(&project.occupation, &project.occupation_code, project.level, of))
    };
    let ((planned, published), (planned_en, published_en)) = (both(Level::zh), both(Level::code));
    Bilingual::new(
        format!("职业工种或等级：计划“{planned}”，项目公布“{published}”"),
        format!(
            "occupation or level: {planned_en} planned; the project is published with {published_en}"
        ),
    )
}

/// What it is about: `补贴申领 cook-a-1`.
pub(in crate::rules) fn of(subject: &Subject) -> Bilingual {
    let (kind, id) = (subject.kind(), subject.id());
    Bilingual::new(format!("{} {id}", kind.zh()), format!("{} {id}", kind.code()))
}
