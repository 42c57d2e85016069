//! Closed lists of words that the centre's facts are made of. Each word has a number for CBOR, a
//! code for files and the command line, and its Chinese; tables may use either of the two.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// A closed list of words.
pub trait Word: Copy + Eq + 'static {
    /// All of them, in the order of the specification.
    const ALL: &'static [Self];
    /// In files: `full_time`.
    fn code(self) -> &'static str;
    /// In Simplified Chinese.
    fn zh(self) -> &'static str;

    /// The word that `text` stands for: its code (case, blanks and hyphens aside) or its Chinese.
    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let code = text.to_ascii_lowercase().replace(['-', ' '], "_");
        Self::ALL.iter().copied().find(|word| word.code() == code || word.zh() == text)
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident {
        $( $(#[$word_doc:meta])* $n:literal $word:ident $code:literal $zh:literal, )+
    }) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
            Encode, Decode,
        )]
        #[serde(rename_all = "snake_case")]
        #[cbor(index_only)]
        pub enum $name { $( $(#[$word_doc])* #[n($n)] $word, )+ }

        impl Word for $name {
            const ALL: &'static [Self] = &[$(Self::$word),+];
            fn code(self) -> &'static str {
                match self { $(Self::$word => $code,)+ }
            }
            fn zh(self) -> &'static str {
                match self { $(Self::$word => $zh,)+ }
            }
        }
    };
}

pub(super) use words;

words! {
    /// What becomes of a policy profile that is no longer, or not yet, in force.
    TrialStep {
        /// It is tried out from here on.
        1 Named "named" "试行",
        /// It is tried out no longer.
        2 Withdrawn "withdrawn" "撤回",
        /// It comes into force.
        3 Promoted "promoted" "启用",
    }
}

words! {
    /// Who owns an institution: some rules bind private ones only.
    Ownership {
        /// By the state.
        1 Public "public" "公办",
        /// By anybody else.
        2 Private "private" "民办",
        /// A company that trains its own people.
        3 Company "company" "企业",
    }
}

words! {
    /// The one system that a class belongs to.
    Target {
        /// Training for a job (就业技能培训).
        1 Employment "employment" "就业培训",
        /// Training to found a business.
        2 Entrepreneurship "entrepreneurship" "创业培训",
        /// Training of people in work.
        3 Employees "employees" "职工培训",
        /// Training in the place of work (以工代训).
        4 OnTheJob "on_the_job" "以工代训",
    }
}

words! {
    /// The level that a class leads to.
    Level {
        /// No level: a special skill, or none.
        1 None "none" "无等级",
        /// Level five.
        2 Junior "junior" "初级工",
        /// Level four.
        3 Intermediate "intermediate" "中级工",
        /// Level three.
        4 Senior "senior" "高级工",
        /// Level two.
        5 Technician "technician" "技师",
        /// Level one.
        6 SeniorTechnician "senior_technician" "高级技师",
    }
}

words! {
    /// What a lesson is for.
    LessonKind {
        /// Knowledge.
        1 Theory "theory" "理论",
        /// Doing it.
        2 Practice "practice" "实操",
        /// An examination: presence is checked as in any lesson.
        3 Exam "exam" "考核",
    }
}

words! {
    /// Where a lesson is held.
    LessonMode {
        /// In a room, before a terminal.
        1 Offline "offline" "线下",
        /// On a platform.
        2 Online "online" "线上",
    }
}

words! {
    /// How a teacher is employed.
    Employment {
        /// By this institution alone.
        1 FullTime "full_time" "专职",
        /// By others too.
        2 PartTime "part_time" "兼职",
    }
}

words! {
    /// What makes a teacher fit to teach.
    Qualification {
        /// A teacher's certificate.
        1 Certificate "certificate" "教师资格",
        /// A trade certificate of the level that is taught, or above.
        2 Trade "trade" "职业资格",
        /// Long experience.
        3 Experience "experience" "从业经验",
        /// Nothing that the centre knows of.
        4 None "none" "无",
    }
}

words! {
    /// Why somebody is no longer on a roster.
    LeaveReason {
        /// Went away on her own wish.
        1 Withdrawn "withdrawn" "退学",
        /// Finished the class.
        2 Finished "finished" "结业",
        /// Was excluded.
        3 Excluded "excluded" "除名",
        /// Went to another class.
        4 Moved "moved" "转班",
        /// Was never on it: entered by mistake.
        5 Mistaken "mistaken" "误登",
    }
}

words! {
    /// What a status is about: states of one aspect replace each other, those of others stand.
    Aspect {
        /// Applied for, opened, closed.
        1 Opening "opening" "开班",
        /// Suspended, resumed, cancelled.
        2 Running "running" "运行",
        /// Whether it may enrol.
        3 Enrolment "enrolment" "招生",
        /// Ordered and done.
        4 Rectification "rectification" "整改",
        /// In the directory or out of it.
        5 Directory "directory" "目录",
        /// White list, black list.
        6 Colour "colour" "名单",
        /// The agreement with the authority.
        7 Agreement "agreement" "协议",
        /// The licence.
        8 Licence "licence" "许可",
        /// The last inspection.
        9 Inspection "inspection" "检查",
        /// The place was seen on the spot.
        10 Verification "verification" "场地核验",
        /// What became of a claim.
        11 Decision "decision" "审批",
        /// Declared as shared with others.
        12 Sharing "sharing" "联合",
    }
}

words! {
    /// A dated state of an institution, site, class, lesson, teacher or claim.
    State {
        /// A class: opening was applied for.
        1 Applied "applied" "申请开班",
        /// A class: it may begin.
        2 Opened "opened" "开班",
        /// A class: it has ended.
        3 Closed "closed" "结班",
        /// No lesson may be held.
        4 Suspended "suspended" "暂停",
        /// Lessons may be held again.
        5 Resumed "resumed" "恢复",
        /// A lesson that will not be held.
        6 Cancelled "cancelled" "取消",
        /// Nobody new may be enrolled.
        7 EnrolmentStopped "enrolment_stopped" "暂停招生",
        /// People may be enrolled again.
        8 EnrolmentResumed "enrolment_resumed" "恢复招生",
        /// To be put right by `until`.
        9 RectificationOrdered "rectification_ordered" "责令整改",
        /// Put right.
        10 Rectified "rectified" "整改完成",
        /// Taken into the directory.
        11 Listed "listed" "列入目录",
        /// Taken out of it.
        12 Delisted "delisted" "移出目录",
        /// On the white list.
        13 WhiteListed "white_listed" "列入白名单",
        /// On the black list.
        14 BlackListed "black_listed" "列入黑名单",
        /// On neither.
        15 Unlisted "unlisted" "移出名单",
        /// An agreement is in force until `until`.
        16 Agreement "agreement" "协议生效",
        /// It ended.
        17 AgreementEnded "agreement_ended" "协议终止",
        /// Licensed until `until`.
        18 Licensed "licensed" "许可有效",
        /// The licence was revoked.
        19 LicenceRevoked "licence_revoked" "吊销许可",
        /// An inspection took place.
        20 Inspected "inspected" "已检查",
        /// The place was verified.
        21 SiteVerified "site_verified" "场地已核验",
        /// A claim was handed in.
        22 Submitted "submitted" "已申报",
        /// A claim was granted.
        23 Approved "approved" "审核通过",
        /// A claim was not granted.
        24 Rejected "rejected" "不予补贴",
        /// A claim was paid.
        25 Paid "paid" "已拨付",
        /// A claim was taken back.
        26 TakenBack "taken_back" "已撤回",
        /// Declared as a joint class, or a shared site, before it was held.
        27 Shared "shared" "联合办班",
    }
}

words! {
    /// What somebody holds from elsewhere.
    HeldKind {
        /// A certificate of an occupation and level.
        1 Certificate "certificate" "证书",
        /// A training subsidy that was drawn.
        2 Subsidy "subsidy" "培训补贴",
        /// A skill subsidy of an insured employee.
        3 SkillSubsidy "skill_subsidy" "技能提升补贴",
    }
}

words! {
    /// Which purse a subsidy comes from.
    Fund {
        /// The employment fund.
        1 EmploymentFund "employment_fund" "就业补助资金",
        /// The unemployment insurance fund.
        2 UnemploymentFund "unemployment_fund" "失业保险基金",
        /// The account for the raising of skills.
        3 SkillAccount "skill_account" "技能提升专账资金",
        /// Any other.
        4 Other "other" "其他资金",
    }
}

words! {
    /// Limits that hold for people and institutions for life, not in a window of days.
    Limit {
        /// Subsidies of one person in a year.
        1 SubsidiesPerYear "subsidies_per_year" "年度补贴次数",
        /// Those of them that come from the employment fund.
        2 EmploymentFundPerYear "employment_fund_per_year" "就业补助资金年度次数",
        /// The same occupation and level again.
        3 OccupationLevel "occupation_level" "同一职业同一等级",
        /// A lower level after a higher certificate.
        4 LowerLevel "lower_level" "高等级后低等级",
        /// More hours than the ledger can prove.
        5 HoursBeyondLedger "hours_beyond_ledger" "申领学时多于账本",
        /// More hours than the ledger proves today; terminals may still report the rest.
        6 HoursUnproven "hours_unproven" "学时尚未报齐",
        /// Too small a share of offline hours in an occupation that is led by practice.
        7 OfflineShare "offline_share" "线下学时比例",
        /// Too large a share of online hours.
        8 OnlineShare "online_share" "线上学时比例",
        /// Practice online.
        9 OnlinePractice "online_practice" "线上实操",
        /// A part-time teacher at too many institutions within a year.
        10 TeacherInstitutions "teacher_institutions" "兼职机构数",
        /// Too few full-time teachers at a private institution.
        11 FulltimeShare "fulltime_share" "专职教师比例",
        /// A teacher with neither qualification nor experience.
        12 Unqualified "unqualified" "教师无资格",
        /// A certificate of a class in whose examination its holder was not seen.
        13 ExamUnseen "exam_unseen" "未见参加考核",
        /// A class of a project that was not published when it opened.
        14 UnpublishedProject "unpublished_project" "项目未公布",
        /// More persons than the project is published for.
        15 ProjectPersons "project_persons" "超出项目人数",
        /// More or fewer hours than the project is published with.
        16 ProjectHours "project_hours" "与项目学时不符",
        /// Another occupation or level than the project is published with.
        17 ProjectOccupation "project_occupation" "与项目职业或等级不符",
    }
}

words! {
    /// What an online platform must be able to do (Hebei 七).
    PlatformFunction {
        /// Knows who its users are.
        1 RealNames "real_names" "实名验证",
        /// Compares faces.
        2 Faces "faces" "人脸识别",
        /// Controls how one learns: no skipping, no playing on unwatched.
        3 Conduct "conduct" "学习行为控制",
        /// Keeps records that can be asked and counted.
        4 Records "records" "记录查询统计",
        /// Lets teacher and trainee talk.
        5 Interaction "interaction" "即时互动",
        /// Looks after the quality of its courses.
        6 Quality "quality" "质量管控",
    }
}

words! {
    /// What happens in a session on a platform.
    Happening {
        /// Somebody logged in.
        1 Opened "opened" "登录",
        /// The session ended.
        2 Closed "closed" "退出",
        /// The page came to the front.
        3 Foreground "foreground" "转到前台",
        /// The page went to the back.
        4 Background "background" "转到后台",
        /// The player plays; tells how many pages are open.
        5 Beat "beat" "播放心跳",
        /// Somebody did something: a key, a click, an answer.
        6 Touch "touch" "操作",
    }
}

words! {
    /// What kind of thing a status is about.
    SubjectKind {
        /// An institution.
        1 Institution "institution" "机构",
        /// A site.
        2 Site "site" "教学点",
        /// A class.
        3 Class "class" "班级",
        /// A lesson.
        4 Lesson "lesson" "课次",
        /// A teacher.
        5 Teacher "teacher" "教师",
        /// A claim.
        6 Claim "claim" "补贴申领",
    }
}

impl State {
    /// What it is a state of, and of whom it can be said.
    pub fn place(self) -> (Aspect, &'static [SubjectKind]) {
        use SubjectKind as Of;
        match self {
            State::Applied | State::Opened | State::Closed => (Aspect::Opening, &[Of::Class]),
            State::Suspended | State::Resumed => {
                (Aspect::Running, &[Of::Institution, Of::Site, Of::Class, Of::Lesson, Of::Teacher])
            }
            State::Cancelled => (Aspect::Running, &[Of::Lesson]),
            State::EnrolmentStopped | State::EnrolmentResumed => {
                (Aspect::Enrolment, &[Of::Institution, Of::Class])
            }
            State::RectificationOrdered | State::Rectified => {
                (Aspect::Rectification, &[Of::Institution, Of::Site, Of::Class])
            }
            State::Listed | State::Delisted => (Aspect::Directory, &[Of::Institution]),
            State::WhiteListed | State::BlackListed | State::Unlisted => {
                (Aspect::Colour, &[Of::Institution])
            }
            State::Agreement | State::AgreementEnded => (Aspect::Agreement, &[Of::Institution]),
            State::Licensed | State::LicenceRevoked => (Aspect::Licence, &[Of::Institution]),
            State::Inspected => (Aspect::Inspection, &[Of::Institution, Of::Site, Of::Class]),
            State::SiteVerified => (Aspect::Verification, &[Of::Site, Of::Class]),
            State::Submitted
            | State::Approved
            | State::Rejected
            | State::Paid
            | State::TakenBack => (Aspect::Decision, &[Of::Claim]),
            State::Shared => (Aspect::Sharing, &[Of::Site, Of::Class, Of::Lesson]),
        }
    }
}
