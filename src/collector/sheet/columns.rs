//! Which columns a table has. A header may use the Chinese or the English name.

use crate::domain::Word;

/// One column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its English name, also on the command line.
    pub name: &'static str,
    /// Its Chinese name.
    pub zh: &'static str,
    /// Whether every row needs it.
    pub must: bool,
    /// Whether what stands in it names a person, and is shown nowhere.
    pub private: bool,
    /// What one writes: also the row of the template.
    pub example: &'static str,
}

impl Column {
    /// Whether `text` is its name, in either language.
    pub(super) fn is_called(&self, text: &str) -> bool {
        let code = text.to_ascii_lowercase().replace(['-', ' '], "_");
        self.name == code || self.zh == text
    }
}

const fn must(name: &'static str, zh: &'static str, example: &'static str) -> Column {
    Column { name, zh, must: true, private: false, example }
}

const fn may(name: &'static str, zh: &'static str, example: &'static str) -> Column {
    Column { name, zh, must: false, private: false, example }
}

const fn who(name: &'static str, zh: &'static str, example: &'static str) -> Column {
    Column { name, zh, must: false, private: true, example }
}

/// What a table is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Institutions.
    Institution,
    /// Sites.
    Site,
    /// Published training projects.
    Project,
    /// Classes with their plans.
    Class,
    /// The timetable.
    Lesson,
    /// Who is on which roster.
    Roster,
    /// Who teaches where.
    Teacher,
    /// Dated states.
    Status,
    /// Claims, one row for each person.
    Claim,
    /// What people hold from elsewhere.
    Held,
    /// Online platforms.
    Platform,
}

impl Kind {
    /// All of them, in the order in which they build on each other.
    pub const ALL: [Kind; 11] = [
        Kind::Institution,
        Kind::Site,
        Kind::Teacher,
        Kind::Project,
        Kind::Class,
        Kind::Roster,
        Kind::Lesson,
        Kind::Status,
        Kind::Held,
        Kind::Platform,
        Kind::Claim,
    ];

    /// For sentences: "could not add the lesson".
    pub fn singular(self) -> &'static str {
        match self {
            Kind::Institution => "institution",
            Kind::Site => "site",
            Kind::Project => "project",
            Kind::Class => "class",
            Kind::Lesson => "lesson",
            Kind::Roster => "person of a roster",
            Kind::Teacher => "teacher",
            Kind::Status => "status",
            Kind::Claim => "claim",
            Kind::Held => "certificate or subsidy",
            Kind::Platform => "platform",
        }
    }

    /// For sentences: "could not import the lessons".
    pub fn plural(self) -> &'static str {
        match self {
            Kind::Institution => "institutions",
            Kind::Site => "sites",
            Kind::Project => "projects",
            Kind::Class => "classes",
            Kind::Lesson => "lessons",
            Kind::Roster => "rosters",
            Kind::Teacher => "teachers",
            Kind::Status => "statuses",
            Kind::Claim => "claims",
            Kind::Held => "certificates and subsidies",
            Kind::Platform => "platforms",
        }
    }

    /// Its columns.
    pub fn columns(self) -> &'static [Column] {
        match self {
            Kind::Institution => INSTITUTION,
            Kind::Site => SITE,
            Kind::Project => PROJECT,
            Kind::Class => CLASS,
            Kind::Lesson => LESSON,
            Kind::Roster => ROSTER,
            Kind::Teacher => TEACHER,
            Kind::Status => STATUS,
            Kind::Claim => CLAIM,
            Kind::Held => HELD,
            Kind::Platform => PLATFORM,
        }
    }

    /// Whether its rows name people.
    pub fn names_people(self) -> bool {
        self.columns().iter().any(|column| column.private)
    }

    /// Header and one example row, to be filled in.
    pub fn template(self) -> Vec<Vec<String>> {
        let cells = |of: fn(&Column) -> &'static str| {
            self.columns().iter().map(|column| of(column).to_owned()).collect()
        };
        vec![cells(|column| column.zh), cells(|column| column.example)]
    }
}

const INSTITUTION: &[Column] = &[
    must("id", "机构编号", "huaxin"),
    must("name", "名称", "华新职业培训学校"),
    may("name_en", "英文名称", "Huaxin Vocational School"),
    may("credit_code", "统一社会信用代码", "91350100M000100Y43"),
    may("ownership", "性质", "民办"),
    may("area", "行政区划代码", "510700"),
];

const SITE: &[Column] = &[
    must("id", "教学点编号", "huaxin-1"),
    must("institution", "机构编号", "huaxin"),
    must("name", "名称", "一号教学点"),
    may("name_en", "英文名称", "Site 1"),
    must("town", "城镇", "绵阳"),
    may("town_en", "英文城镇", "Mianyang"),
    must("latitude", "纬度", "31.4675"),
    must("longitude", "经度", "104.6796"),
];

/// What a notice does not say stays empty, and is not limited.
const PROJECT: &[Column] = &[
    must("name", "培训项目", "中式烹调师（初级）"),
    must("occupation", "职业工种", "中式烹调师"),
    may("occupation_code", "职业编码", "4-03-02-01"),
    may("level", "等级", "初级工"),
    may("hours_min", "最少学时", "200"),
    may("hours_max", "最多学时", "240"),
    may("persons_max", "培训人数", "200"),
    must("notice", "公布文件", "示例公告〔2026〕5号"),
    must("from", "公布日期", "2026-01-15"),
    may("until", "截止日期", "2026-12-31"),
];

const CLASS: &[Column] = &[
    must("id", "班级编号", "cook-a"),
    must("institution", "机构编号", "huaxin"),
    must("name", "名称", "中式烹调一班"),
    may("name_en", "英文名称", "Chinese cooking, class 1"),
    must("persons", "计划人数", "40"),
    must("project", "培训项目", "中式烹调师（初级）"),
    must("occupation", "职业工种", "中式烹调师"),
    may("occupation_code", "职业编码", "4-03-02-01"),
    must("level", "等级", "初级工"),
    must("starts", "开班日期", "2026-03-02"),
    must("ends", "结班日期", "2026-04-30"),
    must("hours", "计划学时", "240"),
    may("hours_practice", "实操学时", "160"),
    may("hours_online", "线上学时", "0"),
    must("target", "归口", "就业培训"),
];

const LESSON: &[Column] = &[
    must("id", "课次编号", "cook-a-0302-1"),
    must("class", "班级编号", "cook-a"),
    must("site", "教学点编号", "huaxin-1"),
    must("starts", "开始时间", "2026-03-02 08:30"),
    must("ends", "结束时间", "2026-03-02 11:30"),
    may("teacher", "教师编号", ""),
    may("kind", "内容", "实操"),
    may("mode", "方式", "线下"),
];

/// Terminals that shall come in: no facts yet, these they become at the desk.
pub(super) const TERMINAL: &[Column] =
    &[must("id", "终端编号", "huaxin-1-a"), must("site", "教学点编号", "huaxin-1")];

const PERSON: Column = who("person", "人员编号", "");

/// What is on her card, or what she types at a terminal: a student number.
const CARD: Column = who("card", "卡号", "");

const ROSTER: &[Column] = &[
    must("class", "班级编号", "cook-a"),
    who("name", "姓名", "张三"),
    who("id_number", "身份证号", "11010519491231002X"),
    PERSON,
    may("left", "离班原因", ""),
    CARD,
];

const TEACHER: &[Column] = &[
    must("id", "教师编号", "huaxin-t01"),
    must("institution", "机构编号", "huaxin"),
    who("name", "姓名", "张三"),
    who("id_number", "身份证号", "11010519491231002X"),
    PERSON,
    must("employment", "聘用", "专职"),
    must("qualification", "资格", "职业资格"),
    CARD,
];

const STATUS: &[Column] = &[
    must("of", "对象类别", "班级"),
    must("id", "编号", "cook-a"),
    must("state", "状态", "开班"),
    must("from", "起始时间", "2026-03-01 09:00"),
    may("until", "截止时间", ""),
    may("basis", "依据", "绵人社备〔2026〕12号"),
];

const CLAIM: &[Column] = &[
    must("id", "申领编号", "cook-a-1"),
    must("institution", "机构编号", "huaxin"),
    must("class", "班级编号", "cook-a"),
    must("basis", "补贴标准", "初级工 1500元/人"),
    who("id_number", "身份证号", "11010519491231002X"),
    PERSON,
    must("hours", "学时", "240"),
    must("amount", "金额（元）", "1500.00"),
];

const HELD: &[Column] = &[
    must("id", "登记编号", "cert-2025-0001"),
    must("kind", "类别", "证书"),
    who("name", "姓名", "张三"),
    who("id_number", "身份证号", "11010519491231002X"),
    PERSON,
    must("occupation", "职业工种", "中式烹调师"),
    may("occupation_code", "职业编码", "4-03-02-01"),
    must("level", "等级", "中级工"),
    must("on", "日期", "2025-11-20"),
    may("fund", "资金来源", ""),
    may("class", "班级编号", ""),
    must("source", "来源", "技能人才评价证书全国联网查询系统"),
];

/// One column for what evidences each function that a platform must have.
const PLATFORM: &[Column] = &[
    must("id", "平台编号", "xuexi"),
    must("name", "名称", "示例学习平台"),
    may("name_en", "英文名称", "Sample platform"),
    must("key", "公钥", "ed25519:2152f8d19b791d24453242e15f2eab6cb7cffa7b6a5ed30097960e069881db12"),
    may("real_names", "实名验证", "验收〔2026〕3号"),
    may("faces", "人脸识别", "验收〔2026〕3号"),
    may("conduct", "学习行为控制", "验收〔2026〕3号"),
    may("records", "记录查询统计", "验收〔2026〕3号"),
    may("interaction", "即时互动", "验收〔2026〕3号"),
    may("quality", "质量管控", "验收〔2026〕3号"),
    may("listed", "公布名单", "示例公告〔2026〕5号"),
];

/// The words of a list, for a hint: `theory 理论, practice 实操`.
pub(super) fn words<W: Word>() -> String {
    let all = W::ALL.iter().map(|word| format!("{} {}", word.code(), word.zh()));
    all.collect::<Vec<_>>().join(", ")
}
