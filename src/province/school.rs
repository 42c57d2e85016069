//! One institution on paper: its sites, terminals, classes, timetables and people, before anything
//! happens. All of it follows from the seed and the institution's number.

use jiff::civil::{Date, Weekday};

use super::calendar::{at, is_holiday, is_weekend, is_working_day, plus_days};
use super::customs;
use super::dice::Dice;
use super::people::{Person, person_id, roster};
use crate::domain::{
    Bilingual, ClassId, GeoPoint, InstitutionId, Lesson, PersonId, SiteId, TerminalId, Timestamp,
};

/// Towns of Sichuan, with where they lie.
const TOWNS: [(&str, &str, i32, i32); 10] = [
    ("成都", "Chengdu", 30_657_000, 104_066_000),
    ("绵阳", "Mianyang", 31_467_000, 104_680_000),
    ("德阳", "Deyang", 31_127_000, 104_398_000),
    ("南充", "Nanchong", 30_837_000, 106_110_000),
    ("宜宾", "Yibin", 28_752_000, 104_643_000),
    ("泸州", "Luzhou", 28_872_000, 105_442_000),
    ("乐山", "Leshan", 29_552_000, 103_766_000),
    ("达州", "Dazhou", 31_209_000, 107_468_000),
    ("广元", "Guangyuan", 32_436_000, 105_844_000),
    ("自贡", "Zigong", 29_339_000, 104_779_000),
];

/// Occupations with their codes in the national classification.
pub(super) const TRADES: [(&str, &str, &str); 6] = [
    ("焊工", "Welding", "6-18-02-04"),
    ("电工", "Electrician", "6-31-01-03"),
    ("养老护理员", "Care for the elderly", "4-10-01-05"),
    ("中式烹调师", "Chinese cooking", "4-03-02-01"),
    ("育婴员", "Infant care", "4-10-01-02"),
    ("汽车维修工", "Car repair", "4-12-01-01"),
];

/// When a class is taught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pattern {
    /// Working days, morning and afternoon.
    FullDay,
    /// Working days, morning.
    Mornings,
    /// Working days, afternoon.
    Afternoons,
    /// Monday, Wednesday and Friday, evening: the classes that Sichuan encourages.
    Evenings,
    /// Saturday and Sunday.
    Weekends,
}

/// A teaching site.
#[derive(Debug, Clone)]
pub(super) struct Site {
    pub(super) id: SiteId,
    pub(super) name: Bilingual,
    pub(super) town: Bilingual,
    pub(super) place: GeoPoint,
}

/// A terminal and the site where it stands, by its place in the list.
#[derive(Debug, Clone)]
pub(super) struct Box {
    pub(super) id: TerminalId,
    pub(super) site: usize,
}

/// A lesson on the timetable.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) lesson: Lesson,
    pub(super) day: Date,
    /// When the centre learns of it, and of which time, in order; the last one is held.
    pub(super) registered: Vec<(Timestamp, Lesson)>,
}

/// A class with its people and its timetable.
#[derive(Debug, Clone)]
pub(super) struct Class {
    pub(super) id: ClassId,
    pub(super) trade: usize,
    pub(super) site: usize,
    /// Where it usually checks in.
    pub(super) terminal: usize,
    pub(super) pattern: Pattern,
    pub(super) roster: Vec<Person>,
    pub(super) first: Date,
    pub(super) last: Date,
    /// When it is registered.
    pub(super) opened: Timestamp,
    pub(super) lessons: Vec<Planned>,
    /// It exists for a claim only: an incident put it on paper.
    pub(super) made_up: bool,
}

/// See the file's head.
#[derive(Debug, Clone)]
pub(super) struct School {
    pub(super) no: u32,
    pub(super) id: InstitutionId,
    pub(super) name: Bilingual,
    pub(super) sites: Vec<Site>,
    pub(super) boxes: Vec<Box>,
    pub(super) classes: Vec<Class>,
    pub(super) staff: PersonId,
    pub(super) teacher: PersonId,
}

/// A name of the made world.
pub(super) fn id<I: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> I {
    text.parse().expect("the made names are names")
}

/// The id of an institution.
pub(super) fn institution_id(no: u32) -> InstitutionId {
    id(&format!("i{no:04}"))
}

impl School {
    /// The institution of this number in the world of this seed, as it is without any fraud.
    pub(super) fn new(seed: u64, no: u32, days: &[Date]) -> Self {
        let dice = &mut Dice::of(seed, &format!("school {no}"));
        let institution = institution_id(no);
        let mut school = Self {
            no,
            name: Bilingual::new(
                format!("模拟职业培训学校第{no:04}号（虚构）"),
                format!("Made vocational school {no:04} (invented)"),
            ),
            sites: Vec::new(),
            boxes: Vec::new(),
            classes: Vec::new(),
            staff: person_id(seed, &format!("{institution} staff")),
            teacher: person_id(seed, &format!("{institution} teacher")),
            id: institution,
        };
        let town = dice.index(TOWNS.len());
        school.add_site(town, scatter(dice));
        school.add_box(0);
        school.add_box(0);
        if dice.happens(customs::SECOND_SITE) {
            school.add_site(dice.index(TOWNS.len()), scatter(dice));
            school.add_box(1);
        }
        let pattern = dice.pick(&[
            Pattern::FullDay,
            Pattern::FullDay,
            Pattern::FullDay,
            Pattern::Mornings,
            Pattern::Afternoons,
            Pattern::Weekends,
        ]);
        school.add_class(seed, pattern, 0, days, dice);
        if dice.happens(customs::SECOND_CLASS) {
            let pattern = dice.pick(&[Pattern::Evenings, Pattern::FullDay, Pattern::Mornings]);
            let site = dice.index(school.sites.len());
            school.add_class(seed, pattern, site, days, dice);
            // Nobody honest goes to another town between the afternoon and the evening.
            let shared = match pattern == Pattern::Evenings && site == 0 {
                true => customs::SHARED_TRAINEES_MAX,
                false => 0,
            };
            for n in 0..usize::try_from(dice.between(0, shared)).unwrap_or(0) {
                let person = Person { alike: None, ..school.classes[0].roster[n].clone() };
                school.classes[1].roster[n] = person;
            }
        }
        school
    }

    /// A further site, so far from the town's middle; its place in the list.
    pub(super) fn add_site(&mut self, town: usize, (north, east): (i32, i32)) -> usize {
        let (zh, en, latitude, longitude) = TOWNS[town];
        let n = self.sites.len() + 1;
        self.sites.push(Site {
            id: id(&format!("{}-s{n}", self.id)),
            name: Bilingual::new(format!("{zh}教学点{n}"), format!("{en} site {n}")),
            town: Bilingual::new(zh, en),
            place: GeoPoint { latitude_e6: latitude + north, longitude_e6: longitude + east },
        });
        n - 1
    }

    /// A further terminal; its place in the list.
    pub(super) fn add_box(&mut self, site: usize) -> usize {
        let n = self.boxes.len() + 1;
        self.boxes.push(Box { id: id(&format!("{}-t{n}", self.id)), site });
        n - 1
    }

    fn add_class(
        &mut self,
        seed: u64,
        pattern: Pattern,
        site: usize,
        days: &[Date],
        dice: &mut Dice,
    ) {
        let n = self.classes.len() + 1;
        let class: ClassId = id(&format!("{}-c{n}", self.id));
        let (least, most) = customs::CLASS_PERSONS;
        let size = usize::try_from(dice.between(least, most)).unwrap_or(20);
        let begins = dice.between(0, customs::CLASS_BEGINS_DAYS);
        let (least, most) = customs::CLASS_DAYS;
        let lasts = dice.between(least, most);
        // A short world has its classes all the same, from its first day on.
        let begins = if days.len() < 30 { 0 } else { begins };
        let first = plus_days(days[0], begins);
        let last = plus_days(first, lasts).min(days[days.len() - 1]);
        let taught: Vec<Date> =
            days.iter().copied().filter(|day| (first..=last).contains(day)).collect();
        let roster = roster(seed, class.as_str(), size, &taught, dice);
        let opened = at(plus_days(first, -3), 9 * 60 + dice.between(0, 420));
        let terminal = self.boxes.iter().position(|it| it.site == site).unwrap_or(0);
        let site_id = self.sites[site].id.clone();
        let trade = dice.index(TRADES.len());
        let whole = dice.happens(customs::WHOLE_TIMETABLE);
        let shift = dice.pick(&[-30, -15, 0, 0, 0, 15, 30]);
        let mut lessons = Vec::new();
        for day in taught {
            for (n, (starts, ends)) in hours(pattern, day).into_iter().enumerate() {
                let lesson = Lesson {
                    id: lesson_id(&class, day, n),
                    class: class.clone(),
                    site: site_id.clone(),
                    starts: at(day, starts + shift),
                    ends: at(day, ends + shift),
                };
                lessons.push(registered(lesson, day, whole.then_some(opened), opened, dice));
            }
        }
        self.classes.push(Class {
            id: class,
            trade,
            site,
            terminal,
            pattern,
            roster,
            first,
            last,
            opened,
            lessons,
            made_up: false,
        });
    }
}

/// The id of a lesson.
pub(super) fn lesson_id(class: &ClassId, day: Date, n: usize) -> crate::domain::LessonId {
    id(&format!("{class}-{:02}{:02}-{n}", day.month(), day.day()))
}

/// Somewhere in and around a town, in millionths of a degree.
fn scatter(dice: &mut Dice) -> (i32, i32) {
    let mut off = || i32::try_from(dice.between(-40_000, 40_000)).unwrap_or(0);
    (off(), off())
}

/// The lessons of a day, in minutes after midnight.
pub(super) fn hours(pattern: Pattern, day: Date) -> Vec<(i64, i64)> {
    const MORNING: (i64, i64) = (8 * 60 + 30, 11 * 60 + 30);
    const AFTERNOON: (i64, i64) = (14 * 60, 17 * 60);
    const EVENING: (i64, i64) = (18 * 60 + 30, 21 * 60);
    let evening = matches!(day.weekday(), Weekday::Monday | Weekday::Wednesday | Weekday::Friday);
    match pattern {
        Pattern::FullDay if is_working_day(day) => vec![MORNING, AFTERNOON],
        Pattern::Mornings if is_working_day(day) => vec![MORNING],
        Pattern::Afternoons if is_working_day(day) => vec![AFTERNOON],
        Pattern::Evenings if evening && !is_holiday(day) => vec![EVENING],
        Pattern::Weekends if is_weekend(day) && !is_holiday(day) && !is_working_day(day) => {
            vec![MORNING, AFTERNOON]
        }
        Pattern::FullDay
        | Pattern::Mornings
        | Pattern::Afternoons
        | Pattern::Evenings
        | Pattern::Weekends => Vec::new(),
    }
}

/// When a lesson is registered: with the whole timetable, on the Friday before its week, or, as it
/// happens, late; and registered again where it was moved.
fn registered(
    lesson: Lesson,
    day: Date,
    whole: Option<Timestamp>,
    opened: Timestamp,
    dice: &mut Dice,
) -> Planned {
    let week = plus_days(day, -i64::from(day.weekday().to_monday_zero_offset()));
    let friday = at(plus_days(week, -3), 15 * 60 + dice.between(0, 150));
    let usual = whole.unwrap_or(friday).max(opened);
    let minute = super::calendar::MINUTE_MS;
    let first = if dice.happens(customs::LATE_REGISTRATION) {
        lesson.starts.plus_ms(-dice.between(20, 90) * minute).max(opened)
    } else if dice.happens(customs::FORGOTTEN_REGISTRATION) {
        lesson.starts.plus_ms(dice.between(2, 20) * minute)
    } else {
        usual
    };
    let mut held = lesson.clone();
    let mut registered = vec![(first, lesson)];
    if dice.happens(customs::MOVED_LESSON) && first == usual {
        let by = dice.pick(&[-60, 60, 90]) * minute;
        held.starts = held.starts.plus_ms(by);
        held.ends = held.ends.plus_ms(by);
        let told = at(plus_days(day, -1), 16 * 60 + dice.between(0, 60));
        registered.push((told.max(first.plus_ms(minute)), held.clone()));
    }
    Planned { lesson: held, day, registered }
}
