//! The invented world of the demo: two institutions in two towns, three terminals, their people
//! and one day's timetable. Nobody here exists; the names are made up.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::domain::{Bilingual, GeoPoint, Lesson, PersonId, Timestamp};

/// The day that the demo plays: a Monday.
pub(super) const DAY: &str = "2026-03-02";

/// A moment of the demo's day, from `08:30`.
pub(super) fn at(time: &str) -> Timestamp {
    Timestamp::parse_shanghai(&format!("{DAY} {time}")).expect("the demo's times are times")
}

/// When everything was registered: the day before.
pub(super) fn registered() -> Timestamp {
    Timestamp::parse_shanghai("2026-03-01 10:00").expect("a time")
}

pub(super) struct Site {
    pub(super) id: &'static str,
    pub(super) institution: &'static str,
    pub(super) institution_name: (&'static str, &'static str),
    pub(super) name: (&'static str, &'static str),
    pub(super) town: (&'static str, &'static str),
    pub(super) place: GeoPoint,
}

pub(super) const SITES: [Site; 2] = [
    Site {
        id: "cd-jinjiang",
        institution: "jinjiang-school",
        institution_name: ("锦程职业培训学校（虚构）", "Jincheng Vocational School (invented)"),
        name: ("锦江教学点", "Jinjiang site"),
        town: ("成都", "Chengdu"),
        place: GeoPoint { latitude_e6: 30_657_000, longitude_e6: 104_081_000 },
    },
    Site {
        id: "my-fucheng",
        institution: "fucheng-centre",
        institution_name: ("涪江技能培训中心（虚构）", "Fujiang Skills Centre (invented)"),
        name: ("涪城教学点", "Fucheng site"),
        town: ("绵阳", "Mianyang"),
        place: GeoPoint { latitude_e6: 31_455_000, longitude_e6: 104_757_000 },
    },
];

/// Terminals by name, each with the site where it stands.
pub(super) const TERMINALS: [(&str, &str); 3] =
    [("cd-01", "cd-jinjiang"), ("cd-02", "cd-jinjiang"), ("my-01", "my-fucheng")];

/// Somebody of the demo.
pub(super) struct Person {
    pub(super) name: (&'static str, &'static str),
    /// Number of the face that is enrolled under this name. Two names with one number: fraud.
    pub(super) face: usize,
}

const fn person(zh: &'static str, en: &'static str, face: usize) -> Person {
    Person { name: (zh, en), face }
}

/// Short names for the people, so that the script reads well.
pub(super) mod who {
    pub(in crate::demo) const LI_TING: usize = 0;
    pub(in crate::demo) const WANG_QIANG: usize = 1;
    pub(in crate::demo) const ZHANG_MIN: usize = 2;
    pub(in crate::demo) const LIU_YANG: usize = 3;
    pub(in crate::demo) const CHEN_JING: usize = 4;
    pub(in crate::demo) const YANG_FAN: usize = 5;
    pub(in crate::demo) const ZHAO_LEI: usize = 6;
    pub(in crate::demo) const HUANG_LI: usize = 7;
    pub(in crate::demo) const ZHOU_KAI: usize = 8;
    pub(in crate::demo) const WU_FANG: usize = 9;
    pub(in crate::demo) const XU_HONG: usize = 10;
    pub(in crate::demo) const SUN_WEI: usize = 11;
    pub(in crate::demo) const MA_JUN: usize = 12;
    pub(in crate::demo) const ZHU_LAN: usize = 13;
    pub(in crate::demo) const HU_BIN: usize = 14;
}

/// Everybody. Wu Fang exists on paper only: Zhao Lei's face is enrolled under her name.
pub(super) const PEOPLE: [Person; 15] = [
    person("李婷", "Li Ting", 0),
    person("王强", "Wang Qiang", 1),
    person("张敏", "Zhang Min", 2),
    person("刘洋", "Liu Yang", 3),
    person("陈静", "Chen Jing", 4),
    person("杨帆", "Yang Fan", 5),
    person("赵磊", "Zhao Lei", 6),
    person("黄丽", "Huang Li", 7),
    person("周凯", "Zhou Kai", 8),
    person("吴芳", "Wu Fang", 6),
    person("徐红", "Xu Hong", 9),
    person("孙伟", "Sun Wei", 10),
    person("马骏", "Ma Jun", 11),
    person("朱兰", "Zhu Lan", 12),
    person("胡斌", "Hu Bin", 13),
];

pub(super) use crate::bench::people::FACES;

/// The id of a person. Fixed, so that two runs tell the same story; a real centre draws it at random.
pub(super) fn person_id(person: usize) -> PersonId {
    let digest: [u8; 32] =
        Sha256::digest(format!("rollcall demo {}", PEOPLE[person].name.1)).into();
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    PersonId(id)
}

/// A class with its roster and its lessons of the day.
pub(super) struct Class {
    pub(super) id: &'static str,
    pub(super) site: &'static str,
    pub(super) name: (&'static str, &'static str),
    pub(super) roster: &'static [usize],
    pub(super) lessons: &'static [(&'static str, &'static str, &'static str)],
}

pub(super) const CLASSES: [Class; 3] = [
    Class {
        id: "cd-welding",
        site: "cd-jinjiang",
        name: ("焊工（五级）", "Welding, level 5"),
        roster: &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        lessons: &[("cd-welding-am", "08:30", "11:30"), ("cd-welding-pm", "14:00", "17:00")],
    },
    Class {
        id: "cd-electric-night",
        site: "cd-jinjiang",
        name: ("电工夜校", "Electrician, evening class"),
        roster: &[0, 5, 8],
        lessons: &[("cd-electric-evening", "19:00", "21:00")],
    },
    Class {
        id: "my-care",
        site: "my-fucheng",
        name: ("养老护理员（五级）", "Care for the elderly, level 5"),
        // Liu Yang is on the rosters of two institutions.
        roster: &[3, 10, 11, 12, 13, 14],
        lessons: &[("my-care-am", "09:00", "11:30"), ("my-care-pm", "14:00", "17:00")],
    },
];

impl Class {
    pub(super) fn roster_ids(&self) -> BTreeSet<PersonId> {
        self.roster.iter().map(|&person| person_id(person)).collect()
    }

    pub(super) fn lessons(&self) -> impl Iterator<Item = Lesson> + '_ {
        self.lessons.iter().map(|&(id, starts, ends)| Lesson {
            id: id.parse().expect("the demo's names are names"),
            class: self.id.parse().expect("the demo's names are names"),
            site: self.site.parse().expect("the demo's names are names"),
            starts: at(starts),
            ends: at(ends),
        })
    }
}

/// Both languages of a pair.
pub(super) fn both((zh, en): (&str, &str)) -> Bilingual {
    Bilingual::new(zh, en)
}
