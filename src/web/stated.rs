//! What the facts of the centre about plans, rosters, teachers, statuses, claims, opened pictures and
//! cases say, field by field. They name nobody of whom there are commitments only.

use data_encoding::HEXLOWER;

use crate::domain::{
    Activity, CaseStep, Claim, ClaimLine, ClassPlan, Evidenced, Fact, Held, InstitutionDetails,
    Joined, Left, LessonDetails, Objected, Platform, Project, RollOrder, Status, Step, Teacher,
    Trial, Word,
};

/// A stable word, the field's name in Chinese and English, and its value.
type Field = (&'static str, &'static str, &'static str, String);

fn word<W: Word>(word: W) -> String {
    format!("{} {}", word.zh(), word.code())
}

fn yuan(fen: u64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

/// The fields of such a fact; none for any other.
pub(super) fn fields(fact: &Fact) -> Vec<Field> {
    let hex = |bytes: &[u8; 32]| HEXLOWER.encode(bytes);
    let (class, institution, lesson) = (
        |id: &dyn ToString| ("class", "班级", "Class", id.to_string()),
        |id: &dyn ToString| ("institution", "机构", "Institution", id.to_string()),
        |id: &dyn ToString| ("lesson", "课次", "Lesson", id.to_string()),
    );
    match fact {
        Fact::InstitutionDetails(InstitutionDetails {
            institution: id,
            credit_code,
            ownership,
            area,
        }) => {
            let mut fields = vec![institution(id)];
            fields.extend(
                credit_code.iter().map(|it| ("credit_code", "信用代码", "Credit code", it.clone())),
            );
            fields.extend(ownership.map(|it| ("ownership", "性质", "Ownership", word(it))));
            fields.extend(area.iter().map(|it| ("area", "行政区划", "Area", it.clone())));
            fields
        }
        Fact::ClassPlan(plan) => class_plan(plan),
        Fact::LessonDetails(LessonDetails { lesson: id, teacher, kind, mode }) => {
            let mut fields = vec![lesson(id)];
            fields.extend(teacher.iter().map(|it| ("teacher", "教师", "Teacher", it.to_string())));
            fields.extend(kind.map(|it| ("kind", "内容", "Kind", word(it))));
            fields.extend(mode.map(|it| ("mode", "方式", "Mode", word(it))));
            fields
        }
        Fact::Joined(Joined { class: id, member }) => {
            vec![("joined", "加入花名册", "Joined the roster", hex(member)), class(id)]
        }
        Fact::Left(Left { class: id, member, reason }) => vec![
            ("left", "离开花名册", "Left the roster", hex(member)),
            class(id),
            ("reason", "原因", "Reason", word(*reason)),
        ],
        Fact::Teacher(Teacher { id, institution: of, person, employment, qualification }) => vec![
            ("teacher", "登记教师", "Teacher registered", id.to_string()),
            institution(of),
            ("person", "本人承诺值", "Person (commitment)", hex(person)),
            ("employment", "聘用", "Employment", word(*employment)),
            ("qualification", "资格", "Qualification", word(*qualification)),
        ],
        Fact::Status(Status { of, state, from, until, basis }) => {
            let mut fields = vec![
                ("of", "对象", "Of", format!("{} {}", word(of.kind()), of.id())),
                ("state", "状态", "State", word(*state)),
                ("from", "自", "From", from.to_string()),
            ];
            fields.extend(until.map(|it| ("until", "至", "Until", it.to_string())));
            fields.extend(basis.iter().map(|it| ("basis", "依据", "Basis", it.clone())));
            fields
        }
        Fact::Claim(Claim {
            id,
            institution: of,
            class: about,
            persons,
            hours,
            amount_fen,
            basis,
        }) => {
            vec![
                ("claim", "补贴申领", "Claim", id.to_string()),
                institution(of),
                class(about),
                ("persons", "人数", "Persons", persons.to_string()),
                ("hours", "学时", "Lesson hours", hours.to_string()),
                ("amount", "金额（元）", "Amount (yuan)", yuan(*amount_fen)),
                ("basis", "标准", "Basis", basis.clone()),
            ]
        }
        Fact::ClaimLine(ClaimLine { claim, member, hours, amount_fen }) => vec![
            ("claim", "补贴申领", "Claim", claim.to_string()),
            ("member", "学员承诺值", "Member (commitment)", hex(member)),
            ("hours", "学时", "Lesson hours", hours.to_string()),
            ("amount", "金额（元）", "Amount (yuan)", yuan(*amount_fen)),
        ],
        Fact::RollOrdered(RollOrder { order, terminal, lesson: of, minutes, by }) => vec![
            ("roll_ordered", "责令点名", "Roll call ordered", hex(order)),
            ("terminal", "终端", "Terminal", terminal.to_string()),
            lesson(of),
            ("minutes", "限时（分钟）", "Minutes", minutes.to_string()),
            ("by", "责令人", "Ordered by", by.clone()),
        ],
        Fact::Held(held) => held_fields(held),
        Fact::Platform(platform) => platform_fields(platform),
        Fact::Project(project) => project_fields(project),
        Fact::Activity(activity) => activity_fields(activity),
        Fact::Objected(Objected { of, limit, persons, found, allowed, policy }) => vec![
            ("limit", "超出限制", "Beyond a limit", word(*limit)),
            ("of", "对象", "Of", format!("{} {}", word(of.kind()), of.id())),
            ("persons", "涉及人数", "Persons", persons.to_string()),
            ("found", "查得", "Found", found.to_string()),
            ("allowed", "允许", "Allowed", allowed.to_string()),
            ("policy", "策略", "Profile", policy.clone()),
        ],
        Fact::PictureOpened { digest, terminal, seq, by, reason } => vec![
            ("picture", "查看存证照片", "Evidence picture opened", hex(digest)),
            ("terminal", "终端", "Terminal", terminal.to_string()),
            ("seq", "序号", "Sequence", seq.to_string()),
            ("by", "查看人", "By", by.clone()),
            ("reason", "原因", "Reason", reason.clone()),
        ],
        Fact::Trial(Trial { profile, digest, step, by, reason }) => vec![
            ("candidate", "候选规则", "Candidate profile", profile.clone()),
            ("step", "事项", "Step", word(*step)),
            ("digest", "文件哈希", "Hash of its file", hex(digest)),
            ("by", "经办人", "By", by.clone()),
            ("reason", "原因", "Reason", reason.clone()),
        ],
        Fact::CaseStep(step) => case_step(step),
        Fact::Institution { .. }
        | Fact::Site { .. }
        | Fact::Terminal { .. }
        | Fact::Class { .. }
        | Fact::Lesson(_)
        | Fact::Policy { .. }
        | Fact::TerminalKey { .. }
        | Fact::Revocation { .. }
        | Fact::Replacement { .. }
        | Fact::Tick => Vec::new(),
    }
}

fn case_step(CaseStep { id: _, case, step, by, text }: &CaseStep) -> Vec<Field> {
    let field = |key, zh, en, value: String| -> Field { (key, zh, en, value) };
    let mut fields = vec![field("case", "案件", "Case", case.to_string())];
    let done = |zh: &str, code: &str| field("step", "处理", "Step", format!("{zh} {code}"));
    match step {
        Step::Taken => fields.push(done("接手", "taken")),
        Step::Commented => fields.push(done("备注", "commented")),
        Step::Snoozed { until } => {
            fields.push(done("暂缓", "snoozed"));
            fields.push(field("until", "至", "Until", until.to_string()));
        }
        Step::Judged { verdict, reason, anomalies, digest } => {
            fields.push(done("结论", "judged"));
            fields.push(field("verdict", "结论", "Verdict", word(*verdict)));
            fields.push(field("reason", "理由", "Reason", word(*reason)));
            fields.push(field("anomalies", "异常数", "Anomalies judged", anomalies.to_string()));
            fields.push(field("digest", "异常清单哈希", "Which ones", HEXLOWER.encode(digest)));
        }
        Step::Appealed { party } => {
            fields.push(done("申诉", "appealed"));
            fields.push(field("party", "申诉方", "Party", word(*party)));
        }
        Step::Reopened => fields.push(done("重启", "reopened")),
    }
    fields.push(field("by", "经办人", "By", by.clone()));
    fields.extend(text.iter().map(|it| field("text", "说明", "Text", it.clone())));
    fields
}

fn class_plan(plan: &ClassPlan) -> Vec<Field> {
    let code = plan.occupation_code.as_deref().unwrap_or_default();
    let mut fields = vec![
        ("class", "班级", "Class", plan.class.to_string()),
        ("project", "项目", "Project", plan.project.clone()),
        ("occupation", "职业工种", "Occupation", format!("{} {code}", plan.occupation)),
        ("level", "等级", "Level", word(plan.level)),
        ("starts", "开始", "Starts", plan.starts.to_string()),
        ("ends", "结束", "Ends", plan.ends.to_string()),
        ("hours", "学时", "Lesson hours", plan.hours.to_string()),
        ("target", "归口", "Target system", word(plan.target)),
    ];
    let number = |it: u32| it.to_string();
    let practice = plan.hours_practice.map(number);
    fields.extend(practice.map(|it| ("hours_practice", "其中实操", "Of practice", it)));
    fields.extend(plan.hours_online.map(|it| ("hours_online", "其中线上", "Online", number(it))));
    fields
}

fn held_fields(held: &Held) -> Vec<Field> {
    let code = held.occupation_code.as_deref().unwrap_or_default();
    let mut fields = vec![
        ("held", "外部证书或补贴", "Held from elsewhere", held.id.to_string()),
        ("person", "本人承诺值", "Person (commitment)", HEXLOWER.encode(&held.person)),
        ("kind", "类别", "Kind", word(held.kind)),
        ("occupation", "职业工种", "Occupation", format!("{} {code}", held.occupation)),
        ("level", "等级", "Level", word(held.level)),
        ("on", "日期", "On", held.on.to_string()),
    ];
    fields.extend(held.fund.map(|it| ("fund", "资金来源", "Fund", word(it))));
    fields.extend(held.class.iter().map(|it| ("class", "班级", "Class", it.to_string())));
    fields.push(("source", "来源", "Source", held.source.clone()));
    fields
}

fn platform_fields(platform: &Platform) -> Vec<Field> {
    let evidenced = |it: &Evidenced| format!("{} {}", word(it.function), it.basis);
    let functions: Vec<_> = platform.functions.iter().map(evidenced).collect();
    let listed = platform.listed.clone().unwrap_or_else(|| "—".to_owned());
    vec![
        ("platform", "登记线上平台", "Platform registered", platform.id.to_string()),
        ("name", "名称", "Name", format!("{} {}", platform.name.zh, platform.name.en)),
        ("key", "公钥", "Verification key", HEXLOWER.encode(&platform.key)),
        ("functions", "已证明的功能", "Functions evidenced", functions.join("; ")),
        ("listed", "公布名单", "Published list", listed),
    ]
}

fn project_fields(project: &Project) -> Vec<Field> {
    let code = project.occupation_code.as_deref().unwrap_or_default();
    let mut fields = vec![
        ("project", "公布培训项目", "Project published", project.name.clone()),
        ("occupation", "职业工种", "Occupation", format!("{} {code}", project.occupation)),
        ("notice", "公布文件", "Notice", project.notice.clone()),
        ("from", "自", "From", project.from.to_string()),
    ];
    fields.extend(project.until.map(|it| ("until", "至", "Until", it.to_string())));
    fields.extend(project.level.map(|it| ("level", "等级", "Level", word(it))));
    for (key, zh, en, number) in [
        ("hours_min", "最少学时", "Least lesson hours", project.hours_min),
        ("hours_max", "最多学时", "Most lesson hours", project.hours_max),
        ("persons_max", "培训人数", "Most persons", project.persons_max),
    ] {
        fields.extend(number.map(|it| (key, zh, en, it.to_string())));
    }
    fields
}

fn activity_fields(activity: &Activity) -> Vec<Field> {
    let mut fields = vec![
        ("platform", "平台学习记录", "Session on platform", activity.platform.to_string()),
        ("report", "报告序号", "Report", activity.report.to_string()),
        ("session", "会话", "Session", HEXLOWER.encode(&activity.session)),
        ("account", "账号", "Account", HEXLOWER.encode(&activity.account)),
        ("device", "设备", "Device", HEXLOWER.encode(&activity.device)),
        ("person", "本人承诺值", "Person (commitment)", HEXLOWER.encode(&activity.person)),
        ("from", "自", "From", activity.from.to_string()),
        ("until", "至", "Until", activity.until().to_string()),
        ("happenings", "事件数", "Happenings", activity.happenings.len().to_string()),
    ];
    fields.extend(activity.lesson.iter().map(|it| ("lesson", "课次", "Lesson", it.to_string())));
    fields
}
