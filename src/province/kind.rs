//! What is planted: kinds of fraud, and how much care the fraudster takes. The words are this
//! module's own; which detector aims at which of them is said in `evaluate/aims.rs`, and no
//! number is shared with any rule.

use serde::{Deserialize, Serialize};

/// How much a fraudster does against being noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Care {
    /// None: greedy and careless.
    Clumsy,
    /// Some.
    Middling,
    /// Knows what is looked for, and stays below it.
    Careful,
}

impl Care {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Clumsy, Self::Middling, Self::Careful];

    /// Its stable word.
    pub fn code(self) -> &'static str {
        match self {
            Self::Clumsy => "clumsy",
            Self::Middling => "middling",
            Self::Careful => "careful",
        }
    }

    /// What people call it, in Chinese and English.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Clumsy => ("粗糙", "clumsy"),
            Self::Middling => ("一般", "middling"),
            Self::Careful => ("谨慎", "careful"),
        }
    }

    /// The one of three values that is meant for it.
    pub(super) fn of<T: Copy>(self, [clumsy, middling, careful]: [T; 3]) -> T {
        match self {
            Self::Clumsy => clumsy,
            Self::Middling => middling,
            Self::Careful => careful,
        }
    }
}

macro_rules! kinds {
    ($( $(#[$doc:meta])* $name:ident $code:literal $zh:literal $en:literal, )+) => {
        /// A kind of planted fraud.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum Kind { $( $(#[$doc])* $name, )+ }

        impl Kind {
            /// All of them, in the order of this table.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Its stable word.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// What people call it, in Chinese and English.
            pub fn words(self) -> (&'static str, &'static str) {
                match self { $(Self::$name => ($zh, $en),)+ }
            }
        }
    };
}

kinds! {
    /// Somebody else stands before the camera under a trainee's name.
    StandIn "stand_in" "替课" "stand-in under another's name",
    /// A photograph or a screen is held before the camera.
    Spoof "spoof" "照片翻拍" "photograph before the camera",
    /// One face is enrolled for, and serves, several names.
    SharedFace "shared_face" "一脸多名" "one face under several names",
    /// Names that exist on paper only: software writes their attendance.
    PaperTrainees "paper_trainees" "纸面学员" "trainees on paper only",
    /// One person is taught at two sites at the same time.
    TwoPlaces "two_places" "两地同时" "one person at two sites",
    /// Hours are made at a time without any lesson.
    NightHours "night_hours" "非课时打卡" "hours at night off the timetable",
    /// Check-outs long after the lesson.
    StretchedCheckouts "stretched_checkouts" "拖延签退" "stretched check-outs",
    /// Lessons are registered once they have begun, or are over.
    BackfilledLessons "backfilled_lessons" "补录课次" "backfilled lessons",
    /// Records are made in the evening, with the clock set back into the lesson.
    ClockSetBack "clock_set_back" "回拨时钟补造" "records made afterwards, clock set back",
    /// Records are made up without the terminal's key.
    ForgedRecords "forged_records" "伪造记录" "forged records",
    /// Genuine records are changed on their way.
    AlteredRecords "altered_records" "篡改记录" "altered records",
    /// Records of one terminal are sent as another's.
    ReplayedRecords "replayed_records" "重放记录" "replayed records",
    /// A box that nobody registered sends records.
    UnregisteredBox "unregistered_box" "私设终端" "a box that nobody registered",
    /// A terminal's key works in two places.
    ClonedTerminal "cloned_terminal" "克隆终端" "a cloned terminal",
    /// The terminal stands somewhere else than where it is registered.
    MovedTerminal "moved_terminal" "终端被搬走" "a terminal moved elsewhere",
    /// A terminal's records are kept back.
    SilentTerminal "silent_terminal" "扣留记录" "a journal kept back",
    /// The class leaves after the check-in and comes back for the check-out.
    ClassLeaves "class_leaves" "签到后离开" "the class leaves after check-in",
    /// A whole list is checked in faster than people walk through a door.
    Burst "burst" "集中刷入" "a burst faster than a door",
    /// One person sits in two classes at once.
    TwoClasses "two_classes" "同时两班" "two classes at once",
    /// The same group is claimed by two institutions.
    MovedCohort "moved_cohort" "机构间借人" "a group lent between institutions",
    /// More hours on a day than anybody learns.
    TooManyHours "too_many_hours" "超时长" "too many hours a day",
    /// The staff confirms people who are not there.
    StaffConfirms "staff_confirms" "工作人员代签" "staff confirms absent people",
    /// One hand uses many cards and PINs.
    CardBurst "card_burst" "一人多卡" "one hand, many cards",
    /// The teacher signs in and goes; nobody teaches. Leaves no trace that any rule could read.
    TeacherLeaves "teacher_leaves" "教师离岗" "the teacher leaves",
    /// Trainees are there and asleep.
    Asleep "asleep" "到场不学" "trainees asleep",
    /// Relatives who want no training fill the class, and do attend.
    Relatives "relatives" "亲属充数" "relatives who do attend",
}

impl Kind {
    /// Planted although no detector can be expected to see it: they keep the figures honest.
    pub fn is_unaimed(self) -> bool {
        matches!(self, Self::TeacherLeaves | Self::Asleep | Self::Relatives)
    }
}
