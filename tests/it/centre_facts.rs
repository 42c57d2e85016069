//! What the centre states, through the real binary: institutions, sites, classes, lessons, rosters,
//! teachers, statuses, claims and terminals, one by one and by tables, as a person does it and reads
//! the answers.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rollcall::collector::Home;
use rollcall::ledger::{Ledger, Sqlite};
use serde_json::Value;

use crate::support::day::{Day, rollcall, verify, write};

/// The sample tables in the order in which they build on each other.
const SAMPLES: [(&str, &str); 10] = [
    ("institution", "institutions.csv"),
    ("site", "sites.csv"),
    ("teacher", "teachers.csv"),
    ("project", "projects.csv"),
    ("class", "classes.csv"),
    ("held", "held.csv"),
    ("roster", "roster.csv"),
    ("lesson", "lessons.csv"),
    ("status", "statuses.csv"),
    ("claim", "claims.csv"),
];

fn sample(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/samples").join(file)
}

fn centre() -> Day {
    let day = Day::configured(1883);
    let out = day.collector("init", &[]);
    assert!(out.status.success(), "{out:?}");
    day
}

/// A centre with all sample tables.
fn school() -> Day {
    let day = centre();
    for (kind, file) in SAMPLES {
        said(&ask(&day, &[kind, "import", sample(file).to_str().unwrap()]));
    }
    day
}

/// `rollcall collector KIND COMMAND MORE --config …`.
fn ask(day: &Day, words: &[&str]) -> Output {
    let config = day.config.to_str().unwrap();
    rollcall(&[&["collector"], words, &["--config", config]].concat())
}

/// What it said, when it did what it was asked.
#[track_caller]
fn said(out: &Output) -> String {
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout.clone()).unwrap()
}

/// What it said, when it refused: in three parts, with this exit code.
#[track_caller]
fn refused(out: &Output, code: i32) -> String {
    let told = String::from_utf8(out.stderr.clone()).unwrap();
    assert_eq!(out.status.code(), Some(code), "{told}{out:?}");
    assert!(told.starts_with("rollcall collector: could not "), "{told}");
    assert!(told.contains("\n  because: ") && told.contains("\n  hint: "), "{told}");
    told
}

fn table(day: &Day, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path = day.file(name);
    write(&path, bytes);
    path.to_str().unwrap().to_owned()
}

fn entries(day: &Day) -> u64 {
    Sqlite::open_read_only(&day.data().join("ledger.sqlite")).unwrap().size()
}

fn json(day: &Day, words: &[&str]) -> Vec<Value> {
    let all = said(&ask(day, &[words, &["--json"]].concat()));
    serde_json::from_str(&all).unwrap()
}

#[test]
fn a_school_is_registered_from_its_tables_and_the_same_tables_again_add_nothing() {
    let day = centre();
    for (kind, file) in SAMPLES {
        let told = said(&ask(&day, &[kind, "import", sample(file).to_str().unwrap()]));
        assert!(told.contains(" new, 0 changed, 0 as before"), "{kind}: {told}");
    }
    let stated = entries(&day);
    for (kind, file) in SAMPLES {
        let told = said(&ask(&day, &[kind, "import", sample(file).to_str().unwrap()]));
        assert!(told.starts_with("nothing to state: the ledger has it all already"), "{told}");
    }
    assert_eq!(entries(&day), stated);
    let classes = said(&ask(&day, &["class", "list"]));
    for word in ["cook-a", "中式烹调一班", "中式烹调师（初级）", "junior", "240", "employment"]
    {
        assert!(classes.contains(word), "{word} is missing in\n{classes}");
    }
    assert!(classes.ends_with("1 in all\n"), "{classes}");
    let lessons = json(&day, &["lesson", "list"]);
    assert_eq!(lessons.len(), 3);
    assert_eq!(lessons[2]["starts"], "2030-03-05 08:30:00");
    assert_eq!(lessons[2]["ends"], "2030-03-05 11:30:00", "the time alone ends the same day");
    assert_eq!(lessons[2]["teacher"], "huaxin-t01");
    assert_eq!(json(&day, &["claim", "list"])[0]["amount"], "1500.00");
    assert_eq!(json(&day, &["status", "list"])[0]["basis"], "示例〔2029〕1号");
    let audit = said(&day.collector("audit", &[]));
    assert!(audit.contains("成立 holds"), "{audit}");
}

#[test]
fn what_is_listed_can_be_imported_and_changes_nothing() {
    let day = school();
    let stated = entries(&day);
    for (kind, _) in SAMPLES {
        let listed = said(&ask(&day, &[kind, "list", "--csv", "--names"]));
        let file = table(&day, "listed.csv", listed);
        let told = said(&ask(&day, &[kind, "import", &file]));
        assert!(told.starts_with("nothing to state"), "{kind}: {told}");
    }
    assert_eq!(entries(&day), stated);
}

#[test]
fn a_template_is_a_table_that_needs_only_its_values() {
    for (kind, _) in SAMPLES {
        let template = said(&rollcall(&["collector", kind, "import", "--template"]));
        assert!(template.starts_with('\u{feff}'), "Excel reads it as UTF-8");
        assert_eq!(template.lines().count(), 2, "{template}");
    }
    let day = centre();
    for kind in ["institution", "site", "class"] {
        let template = rollcall(&["collector", kind, "import", "--template"]).stdout;
        let file = table(&day, "template.csv", template);
        said(&ask(&day, &[kind, "import", &file]));
    }
}

#[test]
fn every_mistake_of_a_table_is_told_by_row_and_column_and_nothing_of_it_is_stated() {
    let day = school();
    let stated = entries(&day);
    let file = table(
        &day,
        "wrong.csv",
        "课次编号,班级编号,教学点编号,开始时间,结束时间,内容\n\
         a-1,cook-a,huaxin-1,2030-05-02 08:30,2030-05-02 11:30,理论\n\
         a-2,cook-a,huaxin-1,2030-13-02 08:30,2030-05-02 11:30,理论\n\
         a-3,cook-a,nowhere,2030-05-03 08:30,2030-05-03 07:30,跳舞\n\
         \n\
         A 4,cook-a,huaxin-1,,2030-05-04 11:30,\n",
    );
    let told = refused(&ask(&day, &["lesson", "import", &file]), 2);
    for line in [
        "could not import the lessons in ",
        "because: 5 things are wrong, and nothing was stated",
        "row 3, column 开始时间: \"2030-13-02 08:30\" is no date with a time; write it like 2026-03-02 08:30",
        "row 4, column 结束时间: the lesson ends before it starts; ",
        "row 4, column 内容: \"跳舞\" is no word of this column; write one of theory 理论, practice 实操, exam 考核",
        "row 6, column 课次编号: \"A 4\" is no id; use 1 to 40 of a-z, 0-9 and '-'",
        "row 6, column 开始时间: it is empty; write something like 2026-03-02 08:30",
        "hint: correct these and import the whole file again",
    ] {
        assert!(told.contains(line), "{line} is missing in\n{told}");
    }
    assert_eq!(entries(&day), stated, "not even the right row");

    let file = table(
        &day,
        "unknown.csv",
        "id,class,site,starts,ends\n\
         b-1,cook-z,huaxin-1,2030-05-02 08:30,2030-05-02 11:30\n\
         b-2,cook-a,huaxin-9,2030-05-02 08:30,2030-05-02 11:30\n\
         b-3,cook-a,huaxin-1,2030-03-04 09:00,2030-03-04 10:00\n\
         b-2,cook-a,huaxin-1,2030-05-06 08:30,2030-05-06 11:30\n",
    );
    let told = refused(&ask(&day, &["lesson", "import", &file]), 2);
    for line in [
        "row 2, column class: there is no class cook-z; correct it, or import the class first",
        "row 3, column site: there is no site huaxin-9; ",
        "row 4, column id: lesson b-3 overlaps lesson cook-a-0304-1 of the same class",
        "row 5, column id: the same stands in row 3; keep one of the two",
    ] {
        assert!(told.contains(line), "{line} is missing in\n{told}");
    }
    assert_eq!(entries(&day), stated);

    let file = table(
        &day,
        "people.csv",
        "班级编号,姓名,身份证号\ncook-a,,11010519491231002X\ncook-a,某,\ncook-a,某,1.10105E+17\n",
    );
    let told = refused(&ask(&day, &["roster", "import", &file]), 2);
    assert!(told.contains("row 4, column 身份证号: this is no identity number: "), "{told}");
    assert!(told.contains("; Excel made it a number: format the column as text"), "{told}");
    let file = table(
        &day,
        "nobody.csv",
        "班级编号,姓名,身份证号\ncook-a,,11010519491231002X\ncook-a,某,\n",
    );
    let told = refused(&ask(&day, &["roster", "import", &file]), 2);
    assert!(told.contains("row 2, column 姓名: this person is new and has no name"), "{told}");
    assert!(told.contains("row 3, column 身份证号: nobody is named; write an identity"), "{told}");
    assert_eq!(entries(&day), stated);

    let file = table(&day, "header.csv", "id,class,site,begins\nx,y,z,w\n");
    let told = refused(&ask(&day, &["lesson", "import", &file]), 2);
    assert!(told.contains("row 1, column begins: there is no column \"begins\"; "), "{told}");
    assert!(told.contains("row 1, column 开始时间 starts: it is missing; "), "{told}");
}

#[test]
fn what_is_no_table_is_told_as_what_it_is() {
    let day = centre();
    for (bytes, because) in [
        (&b"PK\x03\x04\x14\x00\x06\x00"[..], "it is neither UTF-8 nor GB18030 text"),
        (b"", "it is empty"),
        (b"id,name\n", "there are no rows"),
    ] {
        let file = table(&day, "table.csv", bytes);
        let told = refused(&ask(&day, &["institution", "import", &file]), 2);
        assert!(told.contains(because), "{told}");
    }
    let told = refused(&ask(&day, &["institution", "import", "/nowhere/at.csv"]), 2);
    assert!(told.contains("could not import the institutions in /nowhere/at.csv"), "{told}");
}

#[test]
fn a_table_is_read_however_an_office_saves_it() {
    let text = "机构编号,名称,性质\r\nhuaxin,华新职业培训学校,民办\r\n";
    let (gbk, _, _) = encoding_rs::GBK.encode(text);
    let (wide, _, _) = encoding_rs::GB18030.encode(text);
    let utf16: Vec<u8> =
        [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for bytes in [text.as_bytes(), format!("\u{feff}{text}").as_bytes(), &gbk, &wide, &utf16] {
        let day = centre();
        let file = table(&day, "table.csv", bytes);
        said(&ask(&day, &["institution", "import", &file]));
        assert_eq!(json(&day, &["institution", "list"])[0]["name"], "华新职业培训学校");
    }
}

#[test]
fn what_cannot_be_is_refused_with_what_is_wrong_and_what_to_do() {
    let day = school();
    let stated = entries(&day);
    let lesson = |starts: &'static str, ends: &'static str| {
        [
            "lesson", "add", "--id", "x", "--class", "cook-a", "--site", "huaxin-1", "--starts",
            starts,
        ]
        .into_iter()
        .chain(["--ends", ends])
        .collect::<Vec<_>>()
    };
    let site = |institution: &'static str, latitude: &'static str| {
        ["site", "add", "--id", "x", "--institution", institution, "--name", "一", "--town", "一"]
            .into_iter()
            .chain(["--latitude", latitude, "--longitude", "104"])
            .collect::<Vec<_>>()
    };
    let status = |of: &'static str, id: &'static str, state: &'static str| {
        vec![
            "status",
            "add",
            "--of",
            of,
            "--id",
            id,
            "--state",
            state,
            "--from",
            "2030-01-01 00:00",
        ]
    };
    let number = "990000199305120020";
    for (words, told) in [
        (vec!["class", "add", "--id", "x"], "--project: it is empty; write something like"),
        (site("nobody", "31"), "--institution: there is no institution nobody; correct it, or "),
        (site("huaxin", "91"), "--latitude: \"91\" is no place on earth; write degrees"),
        (lesson("2030-03-04 09:00", "10:00"), "--id: lesson x overlaps lesson cook-a-0304-1 of"),
        (lesson("4 March", "10:00"), "--starts: \"4 March\" is no date with a time; write it"),
        (lesson("2030-06-04 09:00", "2030-06-05 09:00"), "--ends: the lesson is longer than 16"),
        (status("class", "cook-z", "opened"), "--id: there is no class cook-z"),
        (status("class", "cook-a", "paid"), "--state: no class is paid; write one of applied"),
        (
            vec!["institution", "add", "--id", "huaxin", "--name", "别的学校"],
            "--id: institution huaxin stands already, with other values; `list` shows them; \
             --replace states it anew",
        ),
        (
            vec!["roster", "add", "--class", "cook-a", "--name", "新人"],
            "--id-number: nobody is named; write an identity number",
        ),
        (
            vec!["roster", "add", "--class", "cook-a", "--id-number", "990000199305120023"],
            "--id-number: this is no identity number: its check digit does not fit",
        ),
        (
            vec!["institution", "add", "--id", "x", "--name", "张三990000199305120020"],
            "--name: an identity number stands in it; it would be public for ever",
        ),
    ] {
        let out = refused(&ask(&day, &words), 2);
        assert!(out.contains(told), "{told} is missing in\n{out}");
        assert!(!out.contains(number), "{out}");
    }
    assert_eq!(entries(&day), stated);
    let told = said(&ask(
        &day,
        &["institution", "add", "--id", "huaxin", "--name", "别的学校", "--replace"],
    ));
    assert!(told.contains("0 new, 1 changed"), "{told}");
}

#[test]
fn a_claim_needs_a_class_with_a_plan_of_the_same_institution_and_people_of_its_roster() {
    let day = school();
    let facts = table(
        &day,
        "facts.toml",
        format!(
            "[[institution]]\nid = \"other\"\nname = {{ zh = \"别校\", en = \"Other\" }}\n\
             [[class]]\nid = \"bare\"\ninstitution = \"huaxin\"\npersons = 1\nroster = \"{}\"\n\
             name = {{ zh = \"一班\", en = \"One\" }}\n",
            "ab".repeat(32)
        ),
    );
    said(&day.collector("register", &[&facts]));
    let number = "990000199305120020";
    said(&ask(&day, &["roster", "add", "--class", "bare", "--name", "某", "--id-number", number]));
    let claim = |institution: &'static str, class: &'static str, number: &'static str| {
        let words = ["claim", "add", "--id", "x", "--institution", institution, "--class", class];
        let more = ["--basis", "一", "--id-number", number, "--hours", "1", "--amount", "1"];
        refused(&ask(&day, &[&words[..], &more].concat()), 2)
    };
    let told = claim("huaxin", "bare", number);
    assert!(told.contains("--class: class bare has no plan; import the class with"), "{told}");
    let told = claim("other", "cook-a", number);
    assert!(told.contains("--institution: class cook-a is one of huaxin"), "{told}");
    let told = claim("huaxin", "cook-a", "11010519491231002X");
    assert!(told.contains("--id-number: the centre knows nobody with this number"), "{told}");
    said(&ask(
        &day,
        &["roster", "add", "--class", "bare", "--name", "某", "--id-number", "11010519491231002X"],
    ));
    let told = claim("huaxin", "cook-a", "11010519491231002X");
    assert!(told.contains("this person was never on the roster of cook-a"), "{told}");
}

#[test]
fn no_name_and_no_number_stands_in_the_ledger_and_whoever_is_erased_is_nobody_there() {
    let day = school();
    let number = "990000199305120020";
    let names = json(&day, &["roster", "list", "--names"]);
    let (name, person) = (names[0]["name"].as_str().unwrap(), names[0]["person"].as_str().unwrap());
    let ledger = std::fs::read(day.data().join("ledger.sqlite")).unwrap();
    let people = std::fs::read(day.data().join("people.sqlite")).unwrap();
    let holds = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
    assert!(holds(&ledger, "中式烹调一班".as_bytes()), "the search finds what is there");
    assert!(!holds(&ledger, name.as_bytes()) && !holds(&ledger, number.as_bytes()));
    let id = data_encoding::HEXLOWER.decode(person.as_bytes()).unwrap();
    assert!(!holds(&ledger, &id), "not even her id");
    assert!(holds(&people, name.as_bytes()) && !holds(&people, number.as_bytes()));
    for (command, hidden) in [("roster", "name"), ("teacher", "name")] {
        assert!(json(&day, &[command, "list"]).iter().all(|row| row.get(hidden).is_none()));
    }

    let before = entries(&day);
    said(&ask(&day, &["people", "erase", "--person", person]));
    let people = std::fs::read(day.data().join("people.sqlite")).unwrap();
    assert!(!holds(&people, name.as_bytes()) && !holds(&people, &id), "overwritten, not marked");
    let rows = json(&day, &["roster", "list", "--names"]);
    assert_eq!(rows.iter().filter(|row| row["name"] == "erased").count(), 1);
    assert_eq!((rows.len(), entries(&day)), (4, before), "the roster is as long as before");
    said(&day.collector("audit", &[]));
    let (bundle, trust) = day.exported(&[]);
    assert_eq!(verify(&trust, &bundle).0, 0, "signatures, tree and proofs stay");
    refused(&ask(&day, &["people", "erase", "--person", person]), 1);
}

#[test]
fn a_number_can_be_typed_where_no_list_of_processes_shows_it() {
    let day = school();
    let config = day.config.to_str().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_rollcall"))
        .args(["collector", "roster", "add", "--config", config, "--class", "cook-a"])
        .args(["--name", "-", "--id-number", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all("新学员\n11010519491231002X\n".as_bytes()).unwrap();
    assert!(said(&child.wait_with_output().unwrap()).contains("1 new"));
    let names = json(&day, &["roster", "list", "--names"]);
    assert!(names.iter().any(|row| row["name"] == "新学员"));
}

#[test]
fn whoever_leaves_a_roster_was_on_it_and_may_come_back() {
    let day = school();
    let number = "990000199305120020";
    let row = ["--class", "cook-a", "--id-number", number];
    let left = [&["roster", "add"], &row[..], &["--left", "退学"]].concat();
    assert!(said(&ask(&day, &left)).contains("0 new, 1 changed"));
    let of = |rows: Vec<Value>| rows.iter().filter(|row| row["left"] == "withdrawn").count();
    assert_eq!(of(json(&day, &["roster", "list"])), 1);
    said(&ask(&day, &[&["roster", "add"], &row[..]].concat()));
    assert_eq!(of(json(&day, &["roster", "list"])), 0);
    let stranger = ["roster", "add", "--class", "cook-a", "--name", "某", "--left", "退学"];
    let told =
        refused(&ask(&day, &[&stranger[..], &["--id-number", "11010519491231002X"]].concat()), 2);
    assert!(told.contains("this person is not on the roster of cook-a"), "{told}");
}

#[test]
fn a_lesson_that_is_stated_late_is_told_so_and_shows_when_it_was_stated() {
    let day = school();
    let words = ["lesson", "add", "--id", "late", "--class", "cook-a", "--site", "huaxin-1"];
    let times = ["--starts", "2020-03-02 08:30", "--ends", "11:30"];
    let told = said(&ask(&day, &[&words[..], &times].concat()));
    assert!(told.contains("note: --id: lesson late has begun already, at 2020-03-02"), "{told}");
    let lessons = json(&day, &["lesson", "list"]);
    let late = lessons.iter().find(|lesson| lesson["id"] == "late").unwrap();
    assert!(late["stated"].as_str() > late["starts"].as_str(), "{late}");
}

#[test]
fn a_status_that_is_stated_late_shows_when_it_was_stated() {
    let day = school();
    let stated = entries(&day);
    let words = ["status", "add", "--of", "class", "--id", "cook-a", "--state", "suspended"];
    for from in ["2020-01-01 00:00", "2020-02-01 00:00"] {
        said(&ask(&day, &[&words[..], &["--from", from]].concat()));
    }
    let rows = json(&day, &["status", "list"]);
    let late: Vec<_> = rows.iter().filter(|row| row["state"] == "suspended").collect();
    assert_eq!((late.len(), entries(&day)), (2, stated + 2), "both stand");
    assert!(late.iter().all(|row| row["first_stated"].as_str() > row["from"].as_str()));
}

#[test]
fn nothing_is_stated_while_a_collector_runs_and_it_is_said_how_but_lists_are_shown() {
    let day = school();
    let running = Home::open(&day.data()).unwrap();
    let told = refused(&ask(&day, &["site", "import", sample("sites.csv").to_str().unwrap()]), 3);
    assert!(told.contains("facts are stated only while none runs"), "{told}");
    assert!(told.contains("hint: stop it (systemctl stop rollcall-collector)"), "{told}");
    assert_eq!(json(&day, &["site", "list"]).len(), 2);
    drop(running);
    said(&ask(&day, &["site", "import", sample("sites.csv").to_str().unwrap()]));
}

#[test]
fn a_check_says_what_would_be_stated_and_states_nothing() {
    let day = centre();
    let file = sample("institutions.csv");
    let told = said(&ask(&day, &["institution", "import", file.to_str().unwrap(), "--check"]));
    assert!(told.contains("would be stated: 1 new"), "{told}");
    assert_eq!(entries(&day), 0);
}

#[test]
fn a_centre_without_its_people_refuses_names_and_makes_none_in_silence() {
    let day = school();
    std::fs::remove_file(day.data().join("people.sqlite")).unwrap();
    let file = sample("roster.csv");
    let told = refused(&ask(&day, &["roster", "import", file.to_str().unwrap()]), 3);
    assert!(
        told.contains("people.sqlite: there is no such file")
            || told.contains("there is no such file"),
        "{told}"
    );
    assert!(told.contains("put identity.key and people.sqlite back"), "{told}");
    assert!(!day.data().join("people.sqlite").exists());
    std::fs::remove_file(day.data().join("identity.key")).unwrap();
    said(&ask(&day, &["people", "init"]));
    refused(&ask(&day, &["people", "init"]), 2);
}

#[test]
fn terminals_get_their_tokens_from_a_table_or_none_of_them_does() {
    let day = school();
    let out = day.file("tokens.csv");
    let (config, to) = (day.config.to_str().unwrap(), out.to_str().unwrap());
    let import = |file: &str| {
        rollcall(&["collector", "terminal", "import", "--config", config, file, "--out", to])
    };
    let wrong = table(
        &day,
        "wrong.csv",
        "id,site\nhuaxin-1-a,huaxin-1\nhuaxin-9-a,huaxin-9\nhuaxin-1-a,huaxin-1\n",
    );
    let told = refused(&import(&wrong), 2);
    assert!(told.contains("row 3, column site: there is no site huaxin-9"), "{told}");
    assert!(told.contains("row 4, column id: the same stands in row 2"), "{told}");
    assert!(!out.exists() && json(&day, &["terminal", "list"]).is_empty());

    let file = sample("terminals.csv");
    said(&import(file.to_str().unwrap()));
    let tokens = std::fs::read_to_string(&out).unwrap();
    assert_eq!(tokens.lines().count(), 3, "{tokens}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&out.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(json(&day, &["terminal", "list"])[1]["site"], "huaxin-2");
    let told = refused(&import(file.to_str().unwrap()), 2);
    assert!(told.contains("is there already"), "{told}");
    std::fs::remove_file(&out).unwrap();
    let told = refused(&import(file.to_str().unwrap()), 2);
    assert!(
        told.contains("row 2, column 终端编号: there is a token for huaxin-1-a already"),
        "{told}"
    );
}
