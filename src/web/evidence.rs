//! A ledger entry as a reader sees it: every field with its name in two languages. Persons appear
//! as the record's commitments only; ids and openings stay where they are.

use data_encoding::HEXLOWER;
use serde::Serialize;

use crate::domain::{
    Bilingual, ClockQuality, Event, Fact, Outcome, Refusal, TerminalId, Timestamp, Way,
};
use crate::ledger::{Body, Entry};
use crate::record::Record;

/// One entry, decoded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntryView {
    /// Its place in the ledger.
    pub index: u64,
    /// When the centre committed it.
    #[serde(rename = "committed_ms")]
    pub committed_at: Timestamp,
    /// `record`, `refused` or `fact`.
    pub holds: &'static str,
    /// Whose record it is, or under whose name the refused bytes came.
    pub terminal: Option<TerminalId>,
    /// SHA-256 of the sealed bytes; facts of the centre are not sealed by a terminal.
    pub hash: Option<String>,
    /// What it says, field by field.
    pub facts: Vec<FactView>,
}

/// One field of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FactView {
    /// A stable word.
    pub key: &'static str,
    /// The field's name.
    pub name: Bilingual,
    /// Its value, as a program would write it.
    pub value: String,
    /// Its value in words, where there are any.
    pub says: Option<Bilingual>,
}

impl EntryView {
    /// What `entry` says.
    pub fn of(entry: &Entry) -> Self {
        let (holds, terminal, hash, facts) = match &entry.body {
            Body::Record { record, hash, .. } => {
                let mut facts = Facts::default();
                facts.record(record);
                ("record", Some(record.terminal.clone()), Some(hash.to_string()), facts)
            }
            Body::Refused { terminal, refusal, claims, hash } => {
                let mut facts = Facts::default();
                facts.refusal(refusal);
                if let Some(claims) = claims {
                    facts.record(claims);
                }
                ("refused", Some(terminal.clone()), Some(hash.to_string()), facts)
            }
            Body::Fact(fact) => {
                let mut facts = Facts::default();
                facts.fact(fact);
                ("fact", None, None, facts)
            }
        };
        Self {
            index: entry.index,
            committed_at: entry.committed_at,
            holds,
            terminal,
            hash,
            facts: facts.0,
        }
    }
}

#[derive(Default)]
struct Facts(Vec<FactView>);

impl Facts {
    fn put(&mut self, key: &'static str, zh: &str, en: &str, value: impl ToString) {
        let name = Bilingual::new(zh, en);
        self.0.push(FactView { key, name, value: value.to_string(), says: None });
    }

    fn word(&mut self, key: &'static str, name: (&str, &str), value: &str, says: (&str, &str)) {
        self.put(key, name.0, name.1, value);
        if let Some(last) = self.0.last_mut() {
            last.says = Some(Bilingual::new(says.0, says.1));
        }
    }

    fn record(&mut self, record: &Record) {
        let (value, zh, en) = Event::words(record.event);
        self.word("event", ("事件", "Event"), value, (zh, en));
        if let Some(outcome) = record.outcome {
            let (value, zh, en) = Outcome::words(outcome);
            self.word("outcome", ("结果", "Outcome"), value, (zh, en));
        }
        if let Some(notice) = record.notice {
            let (value, zh, en) = notice.kind.words();
            self.word("notice", ("声明", "Notice"), value, (zh, en));
            if let Some(digest) = notice.digest {
                self.put(
                    "digest",
                    "所指之物的哈希",
                    "Hash of what it is about",
                    HEXLOWER.encode(&digest),
                );
            }
        }
        self.put("terminal", "终端", "Terminal", &record.terminal);
        self.put("seq", "序号", "Sequence", record.seq);
        if let Some(gap) = record.gap {
            self.put("gap", "缺号", "Missing numbers", format!("{}–{}", gap.first, gap.last));
        }
        self.put("wall", "终端时间", "Terminal time", record.clock.wall);
        let (value, zh, en) = clock_words(record.clock.quality);
        self.word("clock", ("时钟状态", "Clock"), value, (zh, en));
        if let Some(signed) = record.clock.signed {
            self.put("signed", "签名时间", "Signed time", signed);
        }
        if let Some(lesson) = &record.lesson {
            self.put("lesson", "课次", "Lesson", lesson);
        }
        if let Some(way) = record.way {
            let (value, zh, en) = match way {
                Way::Claimed => ("claimed", "本人声明身份，1:1 比对", "claimed, compared 1:1"),
                Way::Open => ("open", "名册内搜索，1:N", "searched in the roster, 1:N"),
                Way::Credential => ("credential", "卡号加密码，未用人脸", "card and PIN, no face"),
                Way::Staff => ("staff", "工作人员确认，未用人脸", "confirmed by staff, no face"),
            };
            self.word("way", ("识别方式", "Identified by"), value, (zh, en));
        }
        if let Some(person) = record.person {
            let name = HEXLOWER.encode(&person.0);
            self.put("person", "人员承诺值", "Commitment", name);
        }
        if let Some(scores) = record.scores {
            if let Some(score) = scores.match_score {
                self.put("match", "相似度", "Similarity", score);
            }
            if let Some(score) = scores.second_score {
                self.put("second", "次高相似度", "Next best similarity", score);
            }
            self.put("threshold", "阈值", "Threshold", scores.threshold);
            if let Some(score) = scores.liveness {
                self.put("liveness", "活体", "Liveness", score);
            }
            if let Some(pictures) = scores.pictures {
                self.put("pictures", "图像数", "Pictures", pictures);
            }
            if let Some(challenged) = scores.challenge {
                let (value, zh, en) = challenged.words();
                self.word("challenge", ("动作活体", "Challenge"), value, (zh, en));
            }
        }
        if let Some(other) = record.other {
            self.put("other", "与他人相似度", "Similarity to another", other.score);
        }
        if let Some(same) = record.same_face {
            self.put("same_face", "同脸记录序号", "Same face as record", same.seq);
            self.put("same_face_score", "同脸相似度", "Similarity of both", same.score);
        }
        self.put("prev", "前一条哈希", "Previous hash", record.prev);
        self.put("policy", "规则版本", "Policy", &record.policy);
        self.put("firmware", "程序版本", "Firmware", &record.firmware);
    }

    fn refusal(&mut self, refusal: &Refusal) {
        let says = match refusal {
            Refusal::Malformed { .. } => ("不是可识别的记录", "no record of a known version"),
            Refusal::UnknownTerminal => ("终端未登记", "a terminal that nobody registered"),
            Refusal::ForeignTerminal { .. } => {
                ("以别的终端之名发送", "sent under another terminal's name")
            }
            Refusal::ForeignKey => {
                ("签名密钥不是该终端登记的密钥", "sealed with a key that is not the terminal's")
            }
            Refusal::BadSignature { fits_chain: true } => (
                "签名不符，但与记录链相接：真记录被改动",
                "the signature does not fit, the chain does: a genuine record was altered",
            ),
            Refusal::BadSignature { fits_chain: false } => {
                ("签名不符，且与记录链不相接：凭空编造", "neither signature nor chain fit: made up")
            }
            Refusal::Forked => ("同一序号已有另一条记录", "another record has this number"),
            Refusal::BrokenChain => ("与前一条记录不相接", "does not follow the record before it"),
            Refusal::BadOpening => ("随附身份与承诺值不符", "the opening does not fit"),
            Refusal::Revoked => ("该终端已被吊销", "the terminal is revoked"),
        };
        self.word("refusal", ("拒收原因", "Refused because"), refusal.code(), says);
        match refusal {
            Refusal::Malformed { detail } => self.put("detail", "细节", "Detail", detail),
            Refusal::ForeignTerminal { named } => {
                self.put("named", "记录自称的终端", "Terminal that it names", named);
            }
            Refusal::UnknownTerminal
            | Refusal::ForeignKey
            | Refusal::BadSignature { .. }
            | Refusal::Forked
            | Refusal::BrokenChain
            | Refusal::BadOpening
            | Refusal::Revoked => {}
        }
    }

    fn fact(&mut self, fact: &Fact) {
        let says = |name: &Bilingual| format!("{} {}", name.zh, name.en);
        match fact {
            Fact::Institution { id, name } => {
                self.put("institution", "登记机构", "Institution registered", id);
                self.put("name", "名称", "Name", says(name));
            }
            Fact::Site { id, institution, name, town, place } => {
                self.put("site", "登记教学点", "Site registered", id);
                self.put("institution", "机构", "Institution", institution);
                self.put("name", "名称", "Name", says(name));
                self.put("town", "城镇", "Town", says(town));
                let degrees = |e6: i32| f64::from(e6) / 1e6;
                let place = (degrees(place.latitude_e6), degrees(place.longitude_e6));
                self.put("place", "坐标", "Place", format!("{:.6}, {:.6}", place.0, place.1));
            }
            Fact::Terminal { id, site, key } => {
                self.put("terminal", "登记终端", "Terminal registered", id);
                self.put("site", "教学点", "Site", site);
                self.put("key", "公钥", "Verification key", HEXLOWER.encode(key));
            }
            Fact::Class { id, institution, name, persons, roster } => {
                self.put("class", "登记班级", "Class registered", id);
                self.put("institution", "机构", "Institution", institution);
                self.put("name", "名称", "Name", says(name));
                self.put("persons", "人数", "Persons", persons);
                self.put("roster", "名册承诺值", "Roster (commitment)", HEXLOWER.encode(roster));
            }
            Fact::Lesson(lesson) => {
                self.put("lesson", "登记课次", "Lesson registered", &lesson.id);
                self.put("class", "班级", "Class", &lesson.class);
                self.put("site", "教学点", "Site", &lesson.site);
                self.put("starts", "开始", "Starts", lesson.starts);
                self.put("ends", "结束", "Ends", lesson.ends);
            }
            Fact::Policy { profile, digest } => {
                self.put("policy", "规则生效", "Policy in force", profile);
                self.put("digest", "文件哈希", "Hash of its file", HEXLOWER.encode(digest));
            }
            Fact::InstitutionDetails(_)
            | Fact::ClassPlan(_)
            | Fact::LessonDetails(_)
            | Fact::Joined(_)
            | Fact::Left(_)
            | Fact::Teacher(_)
            | Fact::Status(_)
            | Fact::Claim(_)
            | Fact::ClaimLine(_)
            | Fact::RollOrdered(_)
            | Fact::Held(_)
            | Fact::Objected(_)
            | Fact::Platform(_)
            | Fact::Project(_)
            | Fact::Activity(_)
            | Fact::PictureOpened { .. }
            | Fact::Trial(_)
            | Fact::CaseStep(_) => {
                for (key, zh, en, value) in super::stated::fields(fact) {
                    self.put(key, zh, en, value);
                }
            }
            Fact::TerminalKey { id, key, proof: _ } => {
                self.put("terminal", "更换密钥的终端", "Terminal with another key", id);
                self.put("key", "新公钥", "Its next verification key", HEXLOWER.encode(key));
            }
            Fact::Revocation { id, reason } => {
                self.put("terminal", "吊销终端", "Terminal revoked", id);
                self.put("reason", "原因", "Reason", reason);
            }
            Fact::Replacement { id, replaces } => {
                self.put("terminal", "替换后的终端", "Terminal", id);
                self.put("replaces", "被替换的终端", "Comes in place of", replaces);
            }
            Fact::Tick => {
                self.put("tick", "时间标记", "Time tick", "");
            }
        }
    }
}

fn clock_words(quality: ClockQuality) -> (&'static str, &'static str, &'static str) {
    match quality {
        ClockQuality::Synced => ("synced", "已校时", "in step with the centre"),
        ClockQuality::Holding => ("holding", "走时中", "running on its own"),
        ClockQuality::Doubtful => ("doubtful", "可疑", "doubtful"),
    }
}
