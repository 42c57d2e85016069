use data_encoding::HEXLOWER;

use super::*;

const SICHUAN_2025: &str = include_str!("../../../firmware-config/policies/sichuan-2025.toml");

fn broken(from: &str, to: &str) -> PolicyError {
    assert!(SICHUAN_2025.contains(from), "the profile has no {from:?} to replace");
    Policy::parse(&SICHUAN_2025.replacen(from, to, 1), "my.toml").expect_err("must be refused")
}

fn line_where(text: &str) -> usize {
    1 + SICHUAN_2025.lines().position(|line| line.contains(text)).expect("stands there")
}

/// Each text that went out under a name and version. A line is added for a new version, and never changed.
const PINNED: [(&str, &str); 5] = [
    ("sichuan-2025/2", "82ea3f9887ff2bb1d29aa3fe3a7e306c59ad6f3a876f2db614559c5de6e8e159"),
    ("hebei-2024/1", "2f36d29053970476ddab973e655bd950a1e15dde3ae01b32caf0bb832c238e82"),
    ("guizhou/1", "05d45b0154da411757f5cd9af3c1e5d73237c41cea4ab90da016694042fd66c7"),
    ("changchun-2019/1", "d33f9796833f03d3b94cf664dc17f9b163aad4c39c8e3146be3eb40aee0c8633"),
    ("hubei-2022/1", "609df49283e4f571e7f8e39749ecddc05a7d74f63b25a23478d820571c29b276"),
];

/// A centre that has a version in force would not start with another text of the same version
/// (docs/decisions/0027).
#[test]
fn a_shipped_text_does_not_change_without_another_version() {
    for name in Policy::names() {
        let policy = Policy::shipped(name).unwrap();
        let (profile, digest) = (policy.profile(), HEXLOWER.encode(&policy.digest()));
        assert!(
            PINNED.contains(&(&profile, &digest)),
            "{profile}: the text has another digest, {digest}: raise `version`, and add a line for it"
        );
    }
}

#[test]
fn the_embedded_profile_reads_and_names_itself() {
    let policy = Policy::sichuan_2025();
    assert_eq!(policy.profile(), "sichuan-2025/2");
    assert_eq!(policy.travel_speed_kmh_max(), 120);
    assert_eq!(policy.stand_in_score_min(), Score::from_e4(4600));
    assert_eq!(policy.night_from(), 22 * 60);
    assert_eq!(policy.title().zh, "四川省 2025 年职业技能培训考勤策略");
    let expected: [u8; 32] = Sha256::digest(SICHUAN_2025).into();
    assert_eq!(policy.digest(), expected);
}

/// No text sets a match threshold, a speed or a door: only what REQUIREMENTS name with a clause may
/// be called law.
#[test]
fn only_the_numbers_of_the_notice_are_presented_as_law() {
    let policy = Policy::sichuan_2025();
    let law: Vec<_> =
        policy.numbers().into_iter().filter(|n| *n.basis != Basis::Operator).collect();
    let told: Vec<_> =
        law.iter().map(|it| (it.name, it.value.as_str(), it.basis.clone())).collect();
    let soft = |clause: &str| Basis::Law { clause: clause.into(), modality: Modality::Soft };
    let expected = [
        ("assessment_subsidy_share_min_percent", "20", soft("十一")),
        ("published_projects_only", "true", soft("三")),
    ];
    assert_eq!(told, expected);
}

#[test]
fn an_unknown_key_is_an_error_with_its_line() {
    let error = broken("[numbers.night_to]", "[numbers.nite_to]");
    assert_eq!(error.line, line_where("[numbers.night_to]"));
    assert!(error.to_string().starts_with("could not read the policy profile my.toml, line "));
    assert!(error.detail.contains("unknown field `nite_to`"), "{error}");
}

#[test]
fn an_unknown_key_within_a_number_is_an_error_with_its_line() {
    let error = broken("value = 120", "value = 120\nunit = \"mph\"");
    assert_eq!(error.line, 1 + line_where("value = 120"));
    assert!(error.detail.contains("unknown field `unit`"), "{error}");
}

#[test]
fn a_value_out_of_range_is_an_error_with_its_line() {
    for (from, to, says) in [
        ("value = 120", "value = 0", "0 is not within 1 to 3600"),
        ("value = 0.46", "value = 46", "46 is not within 0 to 1"),
        ("value = \"22:00\"", "value = \"24:00\"", "is no time of day"),
        ("value = \"22:00\"", "value = \"+2:00\"", "is no time of day"),
        ("value = 168", "value = -1", "-1 is not within 1 to 8760"),
        ("value = 168", "value = \"week\"", "invalid type: string"),
    ] {
        let error = broken(from, to);
        assert_eq!(error.line, line_where(from), "{error}");
        assert!(error.detail.contains(says), "{error}");
    }
}

#[test]
fn a_missing_number_is_an_error_that_names_it() {
    let (before, rest) = SICHUAN_2025.split_once("[numbers.hours_per_day_max]").unwrap();
    let (_, after) = rest.split_once("# ----").unwrap();
    let text = format!("{before}# ----{after}");
    let error = Policy::parse(&text, "my.toml").expect_err("must be refused");
    assert!(error.detail.contains("missing field `hours_per_day_max`"), "{error}");
}

#[test]
fn a_law_without_clause_and_an_operators_number_with_one_are_refused() {
    let error = broken("clause = \"十一\"\n", "");
    assert!(error.detail.contains("needs a clause and a modality"), "{error}");
    let error = broken("\nsource = \"operator\"", "\nsource = \"operator\"\nclause = \"九\"");
    assert!(error.detail.contains("must have no clause"), "{error}");
}

#[test]
fn dates_and_names_that_are_none_are_refused_with_their_line() {
    let error = broken("valid_from = \"2025-07-21\"", "valid_from = \"soon\"");
    assert_eq!(error.line, line_where("valid_from ="));
    let error = broken(
        "valid_from = \"2025-07-21\"",
        "valid_from = \"2025-07-21\"\nvalid_until = \"2024-01-01\"",
    );
    assert_eq!(error.line, 1 + line_where("valid_from ="));
    let error = broken("name = \"sichuan-2025\"", "name = \"四川\"");
    assert_eq!(error.line, line_where("name = \"sichuan-2025\""));
}

#[test]
fn garbage_and_floods_are_refused_without_a_panic() {
    for text in ["", "\u{0}", "[[[[", "name = \"x\"", "= = =\n\n\r", "name = '''"] {
        Policy::parse(text, "my.toml").expect_err("must be refused");
    }
    let flood = "#".repeat(PROFILE_BYTES_MAX + 1);
    assert!(Policy::parse(&flood, "my.toml").expect_err("too long").detail.contains("longer"));
}

#[test]
fn the_night_crosses_midnight() {
    let policy = Policy::sichuan_2025();
    let at = |time: &str| Timestamp::parse_shanghai(&format!("2026-03-02 {time}")).unwrap();
    for (time, night) in
        [("21:59", false), ("22:00", true), ("00:00", true), ("05:59:59", true), ("06:00", false)]
    {
        assert_eq!(policy.is_night(at(time)), night, "{time}");
    }
}

// ---- all five ---------------------------------------------------------------------------------

fn law_of(name: &str) -> Vec<(String, String, String, Modality)> {
    let policy = Policy::shipped(name).unwrap();
    let numbers = policy.numbers().into_iter();
    let law = numbers.filter_map(|line| match line.basis {
        Basis::Law { clause, modality } => {
            Some((line.name.to_owned(), line.value, clause.clone(), *modality))
        }
        Basis::Operator => None,
    });
    law.collect()
}

/// The table "The numbers that profiles carry", row by row; and nothing beside it is called law.
#[test]
fn each_profile_has_the_numbers_of_its_text_with_clause_and_modality_and_no_others() {
    use Modality::{Hard, May, Soft};
    let law = |name: &str, rows: &[(&str, &str, &str, Modality)]| {
        let mut expected: Vec<_> = rows
            .iter()
            .map(|(name, value, clause, modality)| {
                ((*name).to_owned(), (*value).to_owned(), (*clause).to_owned(), *modality)
            })
            .collect();
        let mut found = law_of(name);
        expected.sort_by(|one, other| one.0.cmp(&other.0));
        found.sort_by(|one, other| one.0.cmp(&other.0));
        assert_eq!(found, expected, "{name}");
    };
    law(
        "sichuan-2025",
        &[
            ("published_projects_only", "true", "三", Soft),
            ("assessment_subsidy_share_min_percent", "20", "十一", Soft),
        ],
    );
    law(
        "hebei-2024",
        &[
            ("offline_share_min_percent", "50", "七", Hard),
            ("subsidies_per_occupation_level_max", "1", "十二", Hard),
            ("lower_level_after_higher", "false", "十二", Hard),
            ("subsidy_rate_employed_percent", "100", "十三", Hard),
            ("subsidy_rate_certified_percent", "80", "十三", Hard),
            ("subsidy_rate_completed_percent", "50", "十三", Hard),
            ("employed_within_months", "3", "十三", Hard),
            ("notice_working_days", "3", "十四", Soft),
            ("inspection_full_coverage_years", "3", "十一", Hard),
        ],
    );
    law(
        "guizhou",
        &[
            ("teacher_institutions_per_year_max", "3", "九", Hard),
            ("private_fulltime_share_min", "1/3", "九", Hard),
            ("report_monthly", "true", "二十一", Hard),
            ("report_quarterly", "true", "二十一", Hard),
            ("report_yearly", "true", "二十一", Hard),
        ],
    );
    law(
        "changchun-2019",
        &[
            ("subsidies_per_year_max", "3", "四(二)", Soft),
            ("subsidies_per_occupation_level_max", "1", "四(二)", Hard),
            ("work_training_months_max", "6", "四(一)", Hard),
            ("advance_share_percent", "50", "四(一)", May),
            ("report_quarterly", "true", "五(一)", Hard),
            ("report_yearly", "true", "五(一)", Hard),
        ],
    );
    law(
        "hubei-2022",
        &[
            ("backfill_counts", "false", "二(一)", Hard),
            ("subsidies_per_year_max", "3", "二(一)", Hard),
            ("subsidies_per_year_employment_fund_max", "1", "二(一)", Hard),
            ("subsidies_per_occupation_level_max", "1", "二(一)", Hard),
            ("online_share_max_percent", "30", "一(二)", Soft),
            ("online_share_entrepreneurship_max_percent", "100", "一(二)", Soft),
            ("key_group_uplift_percent", "20", "一(二)", Hard),
            ("report_monthly", "true", "四(二)", Hard),
            ("report_from_month", "6", "四(二)", Hard),
        ],
    );
    assert_eq!(Policy::names().count(), 5);
    assert!(Policy::shipped("atlantis").is_none());
}

#[test]
fn where_a_text_is_silent_its_profile_is() {
    let profile = |name| Policy::shipped(name).unwrap();
    assert_eq!(profile("sichuan-2025").subsidies_per_year_max(), None);
    assert_eq!(profile("guizhou").online_share_max_percent(), None);
    assert_eq!(profile("hebei-2024").backfill_counts(), None);
    let third = profile("guizhou").private_fulltime_share_min().unwrap();
    assert!(third.is_reached_by(1, 3) && third.is_reached_by(0, 0));
    assert!(!third.is_reached_by(33, 100) && third.is_reached_by(34, 100));
}

#[test]
fn a_profile_says_whom_it_is_for_and_when() {
    for name in Policy::names() {
        let policy = Policy::shipped(name).unwrap();
        assert!(policy.profile().starts_with(&format!("{name}/")));
        let (from, until) = policy.validity();
        assert!(until.is_none_or(|until| from < until));
    }
    let (_, until) = Policy::shipped("changchun-2019").unwrap().validity();
    assert_eq!(until.map(|day| day.to_string()).as_deref(), Some("2021-12-31"));
}

#[test]
fn all_mistakes_are_told_at_once_each_with_its_line() {
    let text = SICHUAN_2025
        .replacen("value = 120\n", "value = 0\n", 1)
        .replacen("[numbers.night_to]", "[numbers.nite_to]", 1)
        .replacen("value = 0.50", "value = \"half\"", 1)
        .replacen("source = \"law\"\nclause = \"十一\"\n", "source = \"law\"\n", 1);
    let mistakes = Policy::check(&text, "my.toml").unwrap_err();
    let line = |part: &str| 1 + text.lines().position(|line| line.contains(part)).unwrap();
    let told: Vec<_> = mistakes.iter().map(|it| (it.line, it.detail.as_str())).collect();
    let expected = [
        (line("[numbers.assessment_subsidy_share_min_percent]"), "needs a clause and a modality"),
        (line("\"half\""), "invalid type: string"),
        (
            1 + text.lines().position(|line| line == "value = 0").unwrap(),
            "0 is not within 1 to 3600",
        ),
        (line("[numbers.nite_to]"), "unknown field `nite_to`"),
    ];
    assert!(told.len() > expected.len(), "night_to is missing as well: {told:#?}");
    for (line, part) in expected {
        assert!(
            told.iter().any(|(at, detail)| *at == line && detail.contains(part)),
            "{line} {part} in {told:#?}"
        );
    }
    assert!(
        told.iter().any(|(_, detail)| detail.contains("missing field `night_to`")),
        "{told:#?}"
    );
    assert!(Policy::check(SICHUAN_2025, "my.toml").is_ok());
    for text in ["", "= = =", "[[[["] {
        assert!(!Policy::check(text, "my.toml").unwrap_err().is_empty());
    }
}
