//! What is true of the terminal, beside what it says to the person before it: offline, nearly
//! full, clock in doubt. None of it turns anybody away but a full journal.

use serde::Serialize;

use crate::domain::{Bilingual, ClockDoubt};

/// From this share of its bound on a journal is called nearly full, in percent: at 40 records a
/// lesson, the default bound leaves weeks.
const NEARLY_FULL_PERCENT: u8 = 80;

/// How much somebody has to care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// Good to know.
    Note,
    /// Somebody should look at it today.
    Warning,
    /// No record can be taken.
    Stop,
}

/// One line in the strip of the screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// Stable word, for style sheets and tests.
    pub code: &'static str,
    /// How much it matters.
    pub weight: Weight,
    /// The words.
    pub text: Bilingual,
}

/// Why evidence pictures that the policy demands are not kept. None of it turns anybody away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unkept {
    /// No regulator's key is configured, and nothing is kept unencrypted.
    NoKey,
    /// There is no more room for them, and older ones are not dropped.
    Full,
    /// The disk did not take the newest one.
    Failed,
}

impl Unkept {
    /// In Chinese and English.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::NoKey => (
                "未配置监管公钥，不保存存证照片：签到照常，请联系管理员",
                "No regulator's key: evidence pictures are not kept; check-in goes on",
            ),
            Self::Full => (
                "存证照片空间已满，不再保存新照片：签到照常，请联系管理员",
                "No room for evidence pictures: no further one is kept; check-in goes on",
            ),
            Self::Failed => (
                "存证照片未能保存：签到照常，请联系管理员",
                "An evidence picture could not be kept; check-in goes on",
            ),
        }
    }
}

/// What notices are made from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The broker is reached.
    pub online: bool,
    /// Records without a receipt.
    pub waiting: u64,
    /// How full the journal is, in percent of its bound.
    pub full_percent: u8,
    /// Why the clock is not believed.
    pub doubt: Option<ClockDoubt>,
    /// A lesson is under way, or its door is open.
    pub lesson: bool,
    /// A status forbids lessons here.
    pub suspended: bool,
    /// The plan's time is over, and no newer one has come.
    pub plan_expired: bool,
    /// The camera gives no frames.
    pub camera_lost: bool,
    /// The camera is another one than the one that was pinned.
    pub camera_changed: bool,
    /// Why evidence pictures that the policy demands are not kept.
    pub unkept: Option<Unkept>,
    /// The roll is being called: how many are still to show their face, and minutes that are left.
    pub roll: Option<(usize, i64)>,
}

/// The lines of the strip, the weightiest first.
pub fn notices(facts: &Facts) -> Vec<Notice> {
    let mut notices = Vec::new();
    let mut say = |code, weight, zh: String, en: String| {
        notices.push(Notice { code, weight, text: Bilingual::new(zh, en) });
    };
    let waiting = facts.waiting;
    if facts.full_percent >= 100 {
        say(
            "full",
            Weight::Stop,
            format!("存储已满，无法签到：{waiting} 条记录待上传，请联系老师接通网络"),
            format!(
                "Full, nobody can check in: {waiting} records wait. Please connect the network"
            ),
        );
    }
    if facts.camera_lost {
        say(
            "camera_lost",
            Weight::Stop,
            "摄像头无画面：请检查连接线，或刷卡签到".into(),
            "No picture: check the camera's cable, or use your card".into(),
        );
    }
    if facts.suspended {
        say(
            "suspended",
            Weight::Warning,
            "教学已暂停：签到照常记录，是否计学时由主管部门认定".into(),
            "Teaching is suspended: check-ins are recorded; the authority decides if they count"
                .into(),
        );
    }
    if let Some((unseen, minutes)) = facts.roll {
        say(
            "roll",
            Weight::Warning,
            format!("正在点名：请每人到镜头前，还差 {unseen} 人，剩 {minutes} 分钟"),
            format!("Roll call: please show your face; {unseen} to go, {minutes} minutes left"),
        );
    }
    if facts.plan_expired {
        say(
            "plan_expired",
            Weight::Warning,
            "课表已过期：签到照常记录，请接通网络更新".into(),
            "The timetable has expired: check-ins are recorded; please connect the network".into(),
        );
    }
    if let Some(doubt) = facts.doubt {
        let Bilingual { zh, en } = doubt.text();
        say(
            "clock_doubtful",
            Weight::Warning,
            format!("终端时钟存疑（{zh}）：签到照常，联网后自动校时"),
            format!("Clock in doubt (it {en}): check-in goes on, the network will set it right"),
        );
    }
    if (NEARLY_FULL_PERCENT..100).contains(&facts.full_percent) {
        let percent = facts.full_percent;
        say(
            "nearly_full",
            Weight::Warning,
            format!("存储已用 {percent}%：请尽快接通网络"),
            format!("{percent} % full: please connect the network soon"),
        );
    }
    if facts.camera_changed {
        say(
            "camera_changed",
            Weight::Warning,
            "摄像头与登记的不同，已记录".into(),
            "The camera is not the registered one; this is on record".into(),
        );
    }
    if let Some((zh, en)) = facts.unkept.map(Unkept::words) {
        say("evidence_unkept", Weight::Warning, zh.into(), en.into());
    }
    if !facts.online {
        say(
            "offline",
            Weight::Note,
            format!("离线：{waiting} 条记录已安全保存，待上传"),
            format!("Offline: {waiting} records are safe here and wait"),
        );
    }
    if !facts.lesson {
        say("no_lesson", Weight::Note, "现在没有课".into(), "No lesson now".into());
    }
    notices.sort_by_key(|notice| std::cmp::Reverse(notice.weight));
    notices
}
