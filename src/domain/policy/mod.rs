//! A policy profile: the numbers of one jurisdiction, each with its clause or with the admission
//! that the operator chose it. No such number stands in code.
//!
//! A profile is one TOML file (`firmware-config/policies/`). It is read strictly: an unknown key, a
//! missing number or a value out of range is an error that names the line. Terminals and centre
//! read the same file; records and anomalies name the profile and version that they used.

mod check;
mod number;

use jiff::civil::Date;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{Bilingual, Score, Timestamp};
use number::{Allowed, Cosine, Number, Part, TimeOfDay, Value, Whole};
pub use number::{Basis, Fraction, Modality, NumberLine};

macro_rules! shipped {
    ($($name:literal),*) => {
        /// The profiles that travel in the program, by name.
        const SHIPPED: &[(&str, &str)] = &[
            $( ($name, include_str!(concat!("../../../firmware-config/policies/", $name, ".toml"))), )*
        ];
    };
}

shipped!("sichuan-2025", "hebei-2024", "guizhou", "changchun-2019", "hubei-2022");

/// Longest profile that is read. Ours has 6 KiB; somebody's may have ten times as many numbers.
const PROFILE_BYTES_MAX: usize = 64 * 1024;

/// Why a text is no policy profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("could not read the policy profile {origin}, line {line}: {detail}")]
pub struct PolicyError {
    /// Where the text came from: a file's path, or `embedded`.
    pub origin: String,
    /// Line of the file, from 1.
    pub line: usize,
    /// What is wrong there.
    pub detail: String,
}

/// One jurisdiction's numbers, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    name: String,
    version: u32,
    title: Bilingual,
    valid_from: Date,
    valid_until: Option<Date>,
    numbers: Numbers,
    digest: [u8; 32],
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Profile {
    name: String,
    version: u32,
    title: Bilingual,
    valid_from: String,
    valid_until: Option<String>,
    numbers: Numbers,
}

/// States each number once: its key in the file, its range, and the getter of the same name. Those of
/// `texts` stand only in the profiles whose text has them: where it is silent, the profile is.
macro_rules! numbers {
    (
        texts { $( $(#[$law_doc:meta])* $law:ident: $law_kind:ty => $law_plain:ty; )* }
        $( $(#[$doc:meta])* $name:ident: $kind:ty => $plain:ty; )*
    ) => {
        #[derive(Debug, Clone, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Numbers {
            $( $law: Option<Number<$law_kind>>, )*
            $( $name: Number<$kind>, )*
        }

        impl Policy {
            $(
                $(#[$law_doc])*
                pub fn $law(&self) -> Option<$law_plain> {
                    self.numbers.$law.as_ref().map(|number| number.value.plain())
                }
            )*

            $(
                $(#[$doc])*
                pub fn $name(&self) -> $plain {
                    self.numbers.$name.value.plain()
                }
            )*

            /// All numbers with their grounds, in the order of their themes, for people to read.
            pub fn numbers(&self) -> Vec<NumberLine<'_>> {
                let law = [
                    $( self.numbers.$law.as_ref().map(|it| it.line(stringify!($law))), )*
                ];
                let all = [ $( self.numbers.$name.line(stringify!($name)), )* ];
                law.into_iter().flatten().chain(all).collect()
            }
        }
    };
}

numbers! {
    texts {
        /// Least share of the assessment subsidy in the whole, percent.
        assessment_subsidy_share_min_percent: Whole<0, 100> => u32;
        /// Whether classes of published projects alone are subsidised.
        published_projects_only: Allowed => bool;
        /// Least share of offline hours in practice-led occupations, percent.
        offline_share_min_percent: Whole<0, 100> => u32;
        /// Largest share of online hours, of theory, where training on site is impossible, percent.
        online_share_max_percent: Whole<0, 100> => u32;
        /// The same for entrepreneurship training, percent.
        online_share_entrepreneurship_max_percent: Whole<0, 100> => u32;
        /// Whether what was entered afterwards may count.
        backfill_counts: Allowed => bool;
        /// How many subsidies a person may have in a year.
        subsidies_per_year_max: Whole<1, 100> => u32;
        /// How many of them may come from the employment fund.
        subsidies_per_year_employment_fund_max: Whole<1, 100> => u32;
        /// How often one occupation and level may be subsidised.
        subsidies_per_occupation_level_max: Whole<1, 100> => u32;
        /// Whether a lower level of an occupation may be subsidised after a higher certificate.
        lower_level_after_higher: Allowed => bool;
        /// Share of the standard for those who are employed, percent.
        subsidy_rate_employed_percent: Whole<0, 100> => u32;
        /// Share of the standard for those who hold a certificate, percent.
        subsidy_rate_certified_percent: Whole<0, 100> => u32;
        /// Share of the standard for other certificates of completion, percent.
        subsidy_rate_completed_percent: Whole<0, 100> => u32;
        /// Within how many months employment counts.
        employed_within_months: Whole<1, 120> => u32;
        /// By which share the standard is raised for key groups, percent.
        key_group_uplift_percent: Whole<0, 1000> => u32;
        /// Which share of a subsidy may be paid in advance, percent.
        advance_share_percent: Whole<0, 100> => u32;
        /// Longest subsidy for training at work, months.
        work_training_months_max: Whole<1, 120> => u32;
        /// At how many institutions a part-time teacher may teach within a year.
        teacher_institutions_per_year_max: Whole<1, 100> => u32;
        /// Least share of full-time teachers at private institutions.
        private_fulltime_share_min: Part => Fraction;
        /// Working days of the public notice of subsidies.
        notice_working_days: Whole<1, 365> => u32;
        /// Within how many years inspections reach every institution.
        inspection_full_coverage_years: Whole<1, 100> => u32;
        /// Whether a report is due each month.
        report_monthly: Allowed => bool;
        /// From which month of the year on.
        report_from_month: Whole<1, 12> => u32;
        /// Whether a report is due each quarter.
        report_quarterly: Allowed => bool;
        /// Whether a report is due each year.
        report_yearly: Allowed => bool;
    }

    /// From this similarity on, a contradicted claim is a stand-in.
    stand_in_score_min: Cosine => Score;
    /// From this similarity on, faces under two names count as one face.
    same_face_score_min: Cosine => Score;
    /// By how much the best match must lead the second.
    match_margin_min: Cosine => Score;

    /// Share of check-ins for which movements are asked for by chance, percent.
    challenge_share_percent: Whole<0, 100> => u32;
    /// A match that passes its threshold by less than this is thin: movements are asked for.
    thin_match_margin: Cosine => Score;

    /// Whether who comes without a face may check in by card or number and PIN.
    without_face_by_pin: Allowed => bool;
    /// Whether who comes without a face may be confirmed by the staff.
    without_face_by_staff: Allowed => bool;
    /// A face template is deleted this long after it was made, days.
    template_days_max: Whole<1, 3650> => u32;
    /// Whether templates pass between an institution's own terminals.
    templates_shared: Allowed => bool;
    /// How often the roll of a lesson is called at random times.
    spot_checks_per_lesson: Whole<0, 10> => u32;
    /// How long each of them has to show the face when the roll is called, minutes.
    roll_call_minutes: Whole<1, 120> => u32;
    /// From which share on of those who were in it is told that they were not seen in a roll call, percent.
    roll_call_unseen_percent_max: Whole<0, 100> => u32;
    /// The same of one person's roll calls, percent.
    person_unseen_percent_max: Whole<0, 100> => u32;
    /// Fastest pace at which people pass the kiosk, seconds each.
    seconds_per_checkin_min: Whole<0, 60> => u32;
    /// How often somebody may fail to be shown alive in a day before it is told.
    failed_liveness_per_day_max: Whole<1, 1000> => u32;
    /// On how many days of two weeks somebody whose face is known may come in without it.
    without_face_days_max: Whole<0, 14> => u32;
    /// Which share of a lesson's people may come in without a face, percent.
    without_face_percent_max: Whole<0, 100> => u32;
    /// Scores of one person that scatter less than this were not measured before a face.
    score_spread_min: Cosine => Score;
    /// By how much a person's mean score may fall.
    score_drift_max: Cosine => Score;
    /// Which share of the faces of a lesson may pass by less than the thin margin, percent.
    thin_match_percent_max: Whole<0, 100> => u32;
    /// Two come together when the second follows within so long, seconds.
    pair_seconds_max: Whole<1, 3600> => u32;
    /// It is told when they do so in so many common lessons in a row.
    pair_lessons_min: Whole<2, 1000> => u32;
    /// A class without any absence is told when so many were to be expected.
    perfect_absences_expected_min: Whole<1, 1000> => u32;
    /// How many faces of one picture a roll call may confirm; 1: one person at a time.
    roll_call_faces_max: Whole<1, 12> => u32;

    /// Whether the picture of an attempt that looks like a fraud is kept, encrypted to the regulator.
    evidence_pictures: Allowed => bool;
    /// Such a picture is deleted this long after it was taken, days.
    evidence_days_max: Whole<1, 180> => u32;

    /// Check-in opens this long before a lesson begins, minutes.
    door_opens_minutes_before: Whole<0, 720> => u32;
    /// Check-in closes this long after a lesson began, minutes.
    door_closes_minutes_after: Whole<0, 720> => u32;
    /// Seen again this long after her check-in, a person checks out, minutes.
    checkout_after_minutes: Whole<0, 720> => u32;

    /// Fastest believable travel by straight distance, km/h.
    travel_speed_kmh_max: Whole<1, 2000> => u32;
    /// Time granted before two places count as too far apart, seconds.
    travel_grace_s: Whole<0, 86_400> => u32;
    /// Attendance farther than this from every lesson of its site is off the timetable, minutes.
    timetable_margin_minutes: Whole<0, 1440> => u32;
    /// Night begins, minutes after midnight.
    night_from: TimeOfDay => u32;
    /// Night ends, minutes after midnight.
    night_to: TimeOfDay => u32;
    /// A check-out may come this long after the lesson's end, minutes.
    overrun_minutes_max: Whole<0, 1440> => u32;
    /// A check-out later than this after the lesson's end is late, minutes.
    late_checkout_minutes: Whole<0, 1440> => u32;
    /// On how many days of two weeks somebody may check out late.
    late_checkout_days_max: Whole<0, 14> => u32;
    /// Most hours of presence of one person on one day.
    hours_per_day_max: Whole<1, 24> => u32;
    /// Most hours of one person in lessons of seven days.
    hours_per_week_max: Whole<1, 168> => u32;
    /// How long one person may be in lessons of two classes at once, minutes.
    overlap_minutes_max: Whole<0, 1440> => u32;
    /// A lesson that most leave with more than this share of it to come was too short, percent.
    early_end_percent_max: Whole<0, 100> => u32;
    /// How many lessons of a class may be registered after their first minute within two weeks.
    late_registrations_max: Whole<0, 1000> => u32;

    /// How long a lesson hour (学时) is, minutes.
    lesson_hour_minutes: Whole<1, 240> => u32;
    /// Whether the year of a yearly limit is the twelve months before, not the calendar's.
    limit_year_is_rolling: Allowed => bool;
    /// So many persons who come to two institutions are a cohort.
    cohort_persons_min: Whole<2, 10_000> => u32;
    /// Such a share of the smaller roster are a cohort, percent.
    cohort_percent_min: Whole<1, 100> => u32;
    /// Within how many days they come to both.
    cohort_days: Whole<1, 365> => u32;

    /// For so long one person may be at the front of two devices, or in a room and online, seconds.
    platform_overlap_s: Whole<0, 86_400> => u32;
    /// From which share on it is told that a session played in the background, percent.
    background_play_percent_max: Whole<0, 100> => u32;
    /// And from how long on, minutes.
    background_play_minutes_max: Whole<0, 1440> => u32;
    /// For so long a session may have several pages open, minutes.
    many_pages_minutes_max: Whole<0, 1440> => u32;
    /// For so long a session may play without anybody doing anything, minutes.
    untouched_play_minutes_max: Whole<1, 1440> => u32;

    /// By how much a terminal's time may contradict the centre's signed time, seconds.
    clock_tolerance_s: Whole<0, 86_400> => u32;
    /// Uncertainty of a clock that runs on from an earlier boot, seconds.
    holding_clock_uncertainty_s: Whole<0, 86_400> => u32;
    /// Who was not seen is unknown until the site's terminals have reported, or for so long after the lesson,
    /// hours.
    report_grace_hours: Whole<1, 8760> => u32;
    /// A record whose possible times span more than this has no proven time, hours.
    time_bound_hours_max: Whole<1, 8760> => u32;
}

impl Policy {
    /// Reads a profile. `origin` (a path) is only for the error's sake.
    pub fn parse(text: &str, origin: &str) -> Result<Self, PolicyError> {
        let wrong = |line, detail: String| PolicyError { origin: origin.to_owned(), line, detail };
        if text.len() > PROFILE_BYTES_MAX {
            return Err(wrong(1, format!("the file is longer than {PROFILE_BYTES_MAX} bytes")));
        }
        let profile: Profile = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_of(text, span.start));
            wrong(line, short(error.message().trim_end()))
        })?;
        let date = |key: &str, value: &str| {
            value.parse::<Date>().map_err(|_| {
                wrong(line_with(text, key), format!("{key} = {value:?} is no date like 2025-07-21"))
            })
        };
        let fits = (1..=40).contains(&profile.name.len())
            && profile
                .name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !fits {
            let detail = "name must be 1 to 40 of the characters a-z, 0-9 and '-'".to_owned();
            return Err(wrong(line_with(text, "name"), detail));
        }
        let valid_from = date("valid_from", &profile.valid_from)?;
        let valid_until =
            profile.valid_until.as_deref().map(|d| date("valid_until", d)).transpose()?;
        if valid_until.is_some_and(|until| until < valid_from) {
            let detail = "valid_until is before valid_from".to_owned();
            return Err(wrong(line_with(text, "valid_until"), detail));
        }
        Ok(Self {
            name: profile.name,
            version: profile.version,
            title: profile.title,
            valid_from,
            valid_until,
            numbers: profile.numbers,
            digest: Sha256::digest(text.as_bytes()).into(),
            text: text.to_owned(),
        })
    }

    /// A profile that travels in the program, by its name.
    pub fn shipped(name: &str) -> Option<Self> {
        let (_, text) = SHIPPED.iter().find(|(known, _)| *known == name)?;
        Some(Self::parse(text, "embedded").expect("a test reads each embedded profile"))
    }

    /// The names of the profiles that travel in the program.
    pub fn names() -> impl Iterator<Item = &'static str> {
        SHIPPED.iter().map(|(name, _)| *name)
    }

    /// The profile of Sichuan, 2025.
    pub fn sichuan_2025() -> Self {
        Self::shipped("sichuan-2025").expect("it travels in the program")
    }

    /// On what ground one of its numbers stands, by the number's key; `None` where the profile has none.
    pub fn basis_of(&self, name: &str) -> Option<Basis> {
        let mut lines = self.numbers().into_iter();
        lines.find(|line| line.name == name).map(|line| line.basis.clone())
    }

    /// Name and version, as records and anomalies carry it: `sichuan-2025/1`.
    pub fn profile(&self) -> String {
        format!("{}/{}", self.name, self.version)
    }

    /// What the profile is called in front of people.
    pub fn title(&self) -> &Bilingual {
        &self.title
    }

    /// First and last day of validity in China standard time; no last day means without end.
    pub fn validity(&self) -> (Date, Option<Date>) {
        (self.valid_from, self.valid_until)
    }

    /// SHA-256 of the profile's file, as `Fact::Policy` states it.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// The profile's file, whole: what a terminal is sent.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a moment lies in the night of this profile, China standard time.
    pub fn is_night(&self, at: Timestamp) -> bool {
        let clock = at.shanghai().time();
        let minute =
            u32::from(clock.hour().unsigned_abs()) * 60 + u32::from(clock.minute().unsigned_abs());
        let (from, to) = (self.night_from(), self.night_to());
        if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to }
    }
}

/// The parser lists all fields that there are; the shipped profiles show them better.
fn short(message: &str) -> String {
    match message.split_once(", expected one of ") {
        Some((what, known)) if known.matches('`').count() > 10 => what.to_owned(),
        Some(_) | None => message.to_owned(),
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

/// The line where a top-level key stands.
fn line_with(text: &str, key: &str) -> usize {
    let stands = |line: &str| {
        line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
    };
    text.lines().position(stands).map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests;
