use super::*;

fn broken(from: &str, to: &str) -> PolicyError {
    assert!(SICHUAN_2025.contains(from), "the profile has no {from:?} to replace");
    Policy::parse(&SICHUAN_2025.replacen(from, to, 1), "my.toml").expect_err("must be refused")
}

fn line_where(text: &str) -> usize {
    1 + SICHUAN_2025.lines().position(|line| line.contains(text)).expect("stands there")
}

#[test]
fn the_embedded_profile_reads_and_names_itself() {
    let policy = Policy::sichuan_2025();
    assert_eq!(policy.profile(), "sichuan-2025/1");
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
fn only_the_number_of_the_notice_is_presented_as_law() {
    let policy = Policy::sichuan_2025();
    let law: Vec<_> =
        policy.numbers().into_iter().filter(|n| *n.basis != Basis::Operator).collect();
    assert_eq!(law.len(), 1);
    assert_eq!(law[0].name, "assessment_subsidy_share_min_percent");
    assert_eq!(law[0].value, "20");
    assert_eq!(*law[0].basis, Basis::Law { clause: "十一".into(), modality: Modality::Soft });
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
        ("value = 120", "value = 0", "0 is not within 1 to 2000"),
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
