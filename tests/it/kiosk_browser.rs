//! The kiosk's screen in Chromium: people come before the camera, type, choose and are answered, and
//! each state is looked at in the sizes of common panels. With `ROLLCALL_SCREENSHOTS=DIR` the pictures
//! that the documentation shows are taken on the way.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use rollcall::bench::actor::{self, Actor, Pose};
use rollcall::bench::people::PEOPLE;
use rollcall::camera;
use rollcall::checkin::{Settings, When};
use rollcall::domain::{Bilingual, Challenged, CheckIn, ClockDoubt, Event, FacePlace, Outcome};
use rollcall::face::{Rect, RuntimeChoice};
use rollcall::journal::Bounds;
use rollcall::kiosk::{
    Facts, Kind, Light, Listening, Message, Outline, Page, Screen, Unkept, notices,
};
use rollcall::record::Record;
use tokio::runtime::Runtime;

use crate::face_data::opened;
use crate::kiosk_fixture::Kiosk;
use crate::support::broker::{embedded, eventually};
use crate::web_browser::{Browser, Tab};

/// A ten-inch panel, a small one, and one that stands upright.
const SIZES: [(u32, u32); 3] = [(1280, 800), (1024, 600), (800, 1280)];

/// Nothing listens there.
const NO_BROKER: u16 = 1;

pub(crate) fn says(zh: &str) -> String {
    format!("document.getElementById('zh').textContent === {zh:?}")
}

pub(crate) fn named(name: &str) -> String {
    format!("document.getElementById('name').textContent === {name:?}")
}

/// Presses and lets go of a key; `text` is what it types.
fn press(tab: &mut Tab<'_>, key: &str, code: i64, text: &str) {
    for kind in ["keyDown", "keyUp"] {
        let typed = if kind == "keyDown" { text } else { "" };
        tab.call(
            "Input.dispatchKeyEvent",
            serde_json::json!({
                "type": kind, "key": key, "code": key, "text": typed, "windowsVirtualKeyCode": code,
            }),
        );
    }
}

/// What a card reader does: it types, quickly, and ends with Enter.
pub(crate) fn reads_card(tab: &mut Tab<'_>, number: &str) {
    for digit in number.bytes() {
        let text = char::from(digit).to_string();
        press(tab, &text, digit.into(), &text);
    }
    press(tab, "Enter", 13, "\r");
}

// ---- people ---------------------------------------------------------------------------------

#[test]
fn trainees_are_answered_one_after_the_other_with_masked_names() {
    let kiosk = Kiosk::open(NO_BROKER, Bounds::default());
    let mut browser = Browser::start();
    let mut tab = browser.open(1280, 800, "light", &kiosk.url);
    tab.wait_for(&says("请站到镜头前"));
    tab.wait_for("document.getElementById('picture').naturalWidth === 640");
    kiosk.stands(0);
    tab.wait_for(&format!("{} && {}", says("签到成功"), named("张*明")));
    tab.wait_for("!document.getElementById('outline').hasAttribute('hidden')");
    tab.wait_for("document.getElementById('slip').naturalWidth > 0");
    // Nobody goes away in between: the next in the queue stands there in the next frame.
    kiosk.stands(1);
    tab.wait_for(&format!("{} && {}", says("签到成功"), named("李*")));
    kiosk.leaves();
    tab.wait_for(&says("请站到镜头前"));
    kiosk.stands(0);
    tab.wait_for(&format!("{} && {}", says("您已签到"), named("张*明")));
    let text = tab.text();
    assert!(!text.contains("张小明") && !text.contains("20260001"), "{text}");
    assert_eq!(kiosk.terminal.waiting(), 3, "two came, and one of them asked again");
}

#[test]
fn stranger_is_told_so_and_a_known_person_who_is_not_on_the_roster_as_well() {
    let kiosk = Kiosk::open(NO_BROKER, Bounds::default());
    let mut browser = Browser::start();
    let mut tab = browser.open(1024, 600, "light", &kiosk.url);
    kiosk.stands(4);
    tab.wait_for(&says("未能识别，请正对镜头再试"));
    assert_eq!(tab.eval("document.body.dataset.light"), "amber");
    assert_eq!(tab.eval("document.getElementById('name').textContent"), "");
    reads_card(&mut tab, "20260004");
    kiosk.stands(3);
    tab.wait_for(&says("您不在本课名单中"));
}

#[test]
fn who_holds_up_the_card_of_another_is_not_taken_for_her() {
    let kiosk = Kiosk::open(NO_BROKER, Bounds::default());
    let mut browser = Browser::start();
    let mut tab = browser.open(1280, 800, "light", &kiosk.url);
    tab.wait_for(&says("请站到镜头前"));
    reads_card(&mut tab, "20260002");
    kiosk.stands(0);
    tab.wait_for(&says("与所报姓名不符，请联系老师"));
    assert_eq!(tab.eval("document.body.dataset.light"), "amber");
    // He himself is still welcome.
    kiosk.leaves();
    tab.wait_for(&says("请站到镜头前"));
    kiosk.stands(0);
    tab.wait_for(&format!("{} && {}", says("签到成功"), named("张*明")));
}

#[test]
fn name_is_chosen_from_the_list_and_a_wrong_number_is_told() {
    let kiosk = Kiosk::open(NO_BROKER, Bounds::default());
    let mut browser = Browser::start();
    let mut tab = browser.open(800, 1280, "light", &kiosk.url);
    tab.wait_for("document.getElementById('lesson').textContent.includes('cook-a')");
    tab.eval("document.getElementById('choose').click()");
    tab.wait_for("document.querySelectorAll('#people button').length === 3");
    tab.picture("kiosk-list-800.webp");
    tab.eval(
        "[...document.querySelectorAll('#people button')]
           .find((button) => button.textContent === '李*').click()",
    );
    kiosk.stands(1);
    tab.wait_for(&format!("{} && {}", says("签到成功"), named("李*")));
    kiosk.leaves();
    tab.wait_for(&says("请站到镜头前"));
    tab.eval("document.getElementById('say').click()");
    for key in ["4", "7", "⌫", "2"] {
        tab.eval(&format!(
            "[...document.querySelectorAll('#keys button')]
               .find((button) => button.textContent === {key:?}).click()"
        ));
    }
    assert_eq!(tab.eval("document.getElementById('typed').textContent"), "42");
    tab.picture("kiosk-number-800.webp");
    tab.eval("document.getElementById('enter').click()");
    tab.wait_for(&says("没有这个编号"));
}

/// Does what the screen asks for until there is an answer; `asks` may read the arrow otherwise.
fn follows(kiosk: &Kiosk, tab: &mut Tab<'_>, asks: impl Fn(&str) -> &str) {
    tab.wait_for("document.body.dataset.kind === 'ask'");
    eventually("the challenge is over", || {
        let arrow = tab.eval("document.getElementById('sign').textContent");
        kiosk.follows(asks(arrow.as_str().unwrap()));
        tab.eval("document.body.dataset.kind === 'answer'") == true
    });
}

#[test]
fn who_moves_as_asked_is_in_and_who_does_not_is_asked_to_try_again() {
    let settings = Settings { challenge: When::Always, ..Settings::default() };
    let kiosk = Kiosk::with(NO_BROKER, Bounds::default(), &settings);
    let mut browser = Browser::start();
    let mut tab = browser.open(1280, 800, "light", &kiosk.url);
    kiosk.stands(2);
    // A photograph can be moved; it does not turn its head.
    follows(&kiosk, &mut tab, |arrow| if arrow == "⬅" { "➡" } else { "⬅" });
    tab.wait_for(&says("未完成动作，请再试一次"));
    kiosk.leaves();
    kiosk.follows("");
    tab.wait_for(&says("请站到镜头前"));
    kiosk.stands(2);
    follows(&kiosk, &mut tab, |arrow| arrow);
    tab.wait_for(&format!("{} && {}", says("签到成功"), named("欧**国")));
    let kept = kiosk.terminal.journal().replay(1, 9).unwrap();
    let challenges: Vec<_> = kept
        .iter()
        .map(|(_, parcel)| Record::peek(parcel.sealed.bytes()).unwrap().0)
        .map(|record| (record.event, record.scores.unwrap().challenge.unwrap()))
        .collect();
    assert_eq!(
        challenges,
        [(Event::Attempt, Challenged::NotFollowed), (Event::CheckIn, Challenged::Passed)]
    );
}

#[test]
fn photograph_that_is_moved_as_asked_is_not_taken_for_a_person_and_its_try_is_on_record() {
    let settings = Settings { challenge: When::Always, ..Settings::default() };
    let kiosk = Kiosk::with(NO_BROKER, Bounds::default(), &settings);
    let mut browser = Browser::start();
    let mut tab = browser.open(1280, 800, "light", &kiosk.url);
    kiosk.is_printed();
    kiosk.stands(2);
    follows(&kiosk, &mut tab, |arrow| arrow);
    tab.wait_for(&says("未完成动作，请再试一次"));
    assert_eq!(tab.eval("document.body.dataset.light"), "amber");
    let records = kiosk.records();
    let tries: Vec<_> = records.iter().map(|record| (record.event, record.outcome)).collect();
    assert_eq!(tries, [(Event::Attempt, Some(Outcome::NotLive))]);
    let came_of_it = records[0].scores.and_then(|scores| scores.challenge);
    let seen_through = [Some(Challenged::Flat), Some(Challenged::NotFollowed)];
    assert!(seen_through.contains(&came_of_it), "{came_of_it:?}");
}

#[test]
fn full_journal_is_red_and_a_dead_terminal_says_that_it_is_dead() {
    let bounds = Bounds { records_max: 1, ..Bounds::default() };
    let mut kiosk = Kiosk::open(NO_BROKER, bounds);
    let mut browser = Browser::start();
    let mut tab = browser.open(1280, 800, "light", &kiosk.url);
    kiosk.stands(0);
    tab.wait_for(&says("签到成功"));
    tab.wait_for("document.querySelector('#notices [data-code=full]') !== null");
    kiosk.stands(1);
    tab.wait_for("document.body.dataset.light === 'red'");
    let text = tab.text();
    assert!(text.contains("未能保存，签到无效") && text.contains("Not stored"), "{text}");
    assert_eq!(tab.eval("document.getElementById('name').textContent"), "");
    kiosk.dies();
    tab.wait_for("!document.getElementById('cut').hidden");
    assert!(tab.text().contains("终端未运行，现在不能签到"));
}

#[test]
fn offline_is_said_and_goes_away_with_the_network() {
    let offline = Kiosk::open(NO_BROKER, Bounds::default());
    let mut browser = Browser::start();
    let mut tab = browser.open(1280, 800, "light", &offline.url);
    tab.wait_for("document.querySelector('#notices [data-code=offline]') !== null");
    let online = Kiosk::open(embedded(), Bounds::default());
    let mut tab = browser.open(1280, 800, "light", &online.url);
    tab.wait_for("document.getElementById('lesson').textContent.includes('cook-a')");
    tab.wait_for("document.querySelector('#notices [data-code=offline]') === null");
    online.terminal.disconnect();
    tab.wait_for("document.querySelector('#notices [data-code=offline]') !== null");
    online.terminal.connect();
    tab.wait_for("document.querySelector('#notices [data-code=offline]') === null");
}

// ---- each state, each size -------------------------------------------------------------------

/// A screen without a terminal behind it: shows what it is told.
struct Told {
    page: Page,
    url: String,
    _runtime: Runtime,
}

impl Told {
    fn open() -> Self {
        let runtime = Runtime::new().unwrap();
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listening = runtime.block_on(Listening::bind(any)).unwrap();
        let url = format!("http://{}/", listening.address);
        let (page, _ear) = Page::new();
        runtime.spawn(listening.serve(page.clone()));
        Self { page, url, _runtime: runtime }
    }
}

fn checkin(event: Event, outcome: Outcome) -> CheckIn {
    CheckIn {
        staff: None,
        event,
        outcome,
        lesson: None,
        person: None,
        way: None,
        scores: None,
        other: None,
        same_face: None,
    }
}

fn states() -> Vec<(&'static str, Message, Facts)> {
    let fine = Facts { online: true, lesson: true, ..Facts::default() };
    let answer = |event, outcome| Message::stored(&checkin(event, outcome), 128, None);
    let hers = |message: Message| {
        message.with_name(Some("欧**国".into())).with_slip("ROLLCALL-SLIP:ABC234".repeat(12))
    };
    let no = |outcome| answer(Event::Attempt, outcome);
    let advice = |zh: &str, en: &str| Message::advice(Bilingual::new(zh, en));
    let idle = Message::idle(Bilingual::new("请站到镜头前", "Please stand before the camera"));
    let full = Bilingual::new(
        "终端存储故障或已满，请联系老师",
        "the terminal cannot store or is full: please ask the teacher",
    );
    let troubled = Facts {
        waiting: 131_072,
        full_percent: 92,
        doubt: Some(ClockDoubt::BeforeOwnRecord),
        suspended: true,
        ..Facts::default()
    };
    vec![
        ("idle", idle.clone(), fine.clone()),
        ("look", Message::look(), fine.clone()),
        ("closer", advice("请靠近一些", "Please come closer"), fine.clone()),
        (
            "turn",
            Message::ask(
                "turn_left",
                Bilingual::new("请向左转头", "Please turn your head left"),
                50,
            ),
            fine.clone(),
        ),
        ("in", hers(answer(Event::CheckIn, Outcome::Accepted)), fine.clone()),
        ("out", hers(answer(Event::CheckOut, Outcome::Accepted)), fine.clone()),
        ("already", hers(no(Outcome::AlreadyIn)), fine.clone()),
        ("not-recognised", no(Outcome::NotRecognised), fine.clone()),
        ("other", no(Outcome::LooksLikeOther), fine.clone()),
        ("ambiguous", no(Outcome::Ambiguous), fine.clone()),
        ("not-on-roster", no(Outcome::NotOnRoster), fine.clone()),
        ("early", no(Outcome::TooEarly), fine.clone()),
        ("late", no(Outcome::TooLate), fine.clone()),
        ("not-live", no(Outcome::NotLive), fine.clone()),
        ("no-lesson", no(Outcome::NoLesson), Facts { lesson: false, ..fine.clone() }),
        ("by-policy", no(Outcome::RefusedByPolicy), fine.clone()),
        ("offline", idle.clone(), Facts { online: false, waiting: 37, ..fine.clone() }),
        ("troubled", idle.clone(), troubled),
        ("evidence", idle.clone(), Facts { unkept: Some(Unkept::NoKey), ..fine.clone() }),
        ("camera", idle, Facts { camera_lost: true, camera_changed: true, ..fine.clone() }),
        ("full", Message::not_stored(&full), Facts { full_percent: 100, waiting: 200_000, ..fine }),
    ]
}

/// A generated person before the camera, and where her face is.
fn somebody() -> (Vec<u8>, Outline) {
    let mut pipeline = opened(RuntimeChoice::Auto);
    let picture = camera::decode(PEOPLE[2][3]).unwrap();
    let face = pipeline.look(&picture).unwrap().face.expect("a face is there");
    let pose = Pose { at: [320.0, 270.0], size_px: 400.0, turn_deg: 0.0, lift_deg: 0.0 };
    let frame = Actor::new(picture, &face.points).frame(&pose, 1);
    let rect = pipeline.look(&frame).unwrap().face.expect("a face is there").rect;
    let frame_sides = [640.0, 480.0];
    let Rect { x, y, w: width, h: height } = rect;
    (camera::preview(&frame), Outline::of(&FacePlace { x, y, width, height, frame: frame_sides }))
}

/// Whatever is not inside its place, is cut off, or lies under something else.
const CROWDED: &str = "[...document.querySelectorAll('#who, h1, #note, #en, #zh, #notices li, header p, footer button')]
    .filter((e) => e.getClientRects().length > 0 && e.textContent.trim() !== '')
    .filter((e) => {
      const inner = e.getBoundingClientRect();
      const outer = (e.closest('#message') ?? document.documentElement).getBoundingClientRect();
      return inner.left < outer.left - 1 || inner.right > outer.right + 1
        || inner.top < outer.top - 1 || inner.bottom > outer.bottom + 1
        || e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline';
    })
    .map((e) => `${e.tagName}#${e.id} ${e.textContent.trim()}`).join('; ')";

/// Contrast by WCAG 2.2 of each text against what it stands on; what is below 4.5, or below 3 in
/// letters of at least 24 pixels.
const FAINT: &str = "(() => {
    const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
    const ground = (e) => {
      for (; e; e = e.parentElement) {
        const [r, g, b, a = 1] = rgb(getComputedStyle(e).backgroundColor);
        if (a > 0) return [r, g, b];
      }
      return [255, 255, 255];
    };
    const light = (colour) => colour.slice(0, 3).map((c) => c / 255)
      .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
      .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const faint = [];
    while (walk.nextNode()) {
      const e = walk.currentNode.parentElement;
      if (!walk.currentNode.textContent.trim() || e.getClientRects().length === 0) continue;
      if (e.closest('script, style, #dark')) continue;
      const style = getComputedStyle(e);
      const pair = [light(rgb(style.color)), light(ground(e))].sort((a, b) => b - a);
      const contrast = (pair[0] + 0.05) / (pair[1] + 0.05);
      if (contrast < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) {
        faint.push(`${e.textContent.trim()}: ${contrast.toFixed(2)}`);
      }
    }
    return faint.join('; ');
  })()";

#[test]
fn each_state_fits_each_panel_can_be_read_from_two_metres_and_never_speaks_by_colour_alone() {
    let mut told = Told::open();
    let mut browser = Browser::start();
    let (room, (face, outline)) = (camera::preview(&actor::room(1)), somebody());
    let mut wrong = Vec::new();
    for (width, height) in SIZES {
        let mut tab = browser.open(width, height, "light", &told.url);
        for (name, message, facts) in states() {
            told.page.outline((message.kind != Kind::Idle).then_some(outline));
            told.page.picture(if message.kind == Kind::Idle { room.clone() } else { face.clone() });
            // A state that nobody has seen before: the last answer holds nothing back.
            told.page.show(&Message::advice(Bilingual::new("·", "·")), 0);
            told.page.show(&message, 0);
            let lesson = Bilingual::new("cook-a 班 08:30–11:30", "class cook-a, 08:30–11:30");
            let lesson = facts.lesson.then_some(lesson);
            told.page.surroundings(notices(&facts), lesson, "08:25".into());
            tab.wait_for(&says(&message.text.zh));
            let strip = notices(&facts).len();
            tab.wait_for(&format!("document.querySelectorAll('#notices li').length === {strip}"));
            if message.light == Light::Green {
                tab.wait_for("document.getElementById('slip').naturalWidth > 0");
            }
            // A browser shows a picture when the next one comes.
            told.page.picture(if message.kind == Kind::Idle { room.clone() } else { face.clone() });
            tab.wait_for("document.getElementById('picture').naturalWidth === 640");
            tab.picture(&format!("kiosk-{name}-{width}.webp"));
            let mut hold = |fine: bool, what: String| {
                if !fine {
                    wrong.push(format!("{name} at {width}: {what}"));
                }
            };
            let (crowded, faint) = (tab.eval(CROWDED), tab.eval(FAINT));
            hold(crowded == "", format!("does not fit: {crowded}"));
            hold(faint == "", format!("too faint: {faint}"));
            // 12 mm at two metres: 5 % of the longer side of a panel of 25 cm.
            let least = f64::from(width.max(height)) * if name == "full" { 0.035 } else { 0.05 };
            let letters = "getComputedStyle(document.getElementById('zh')).fontSize";
            let letters = tab.eval(&format!("parseFloat({letters})")).as_f64().unwrap();
            hold(letters >= least, format!("letters of {letters} px, less than {least}"));
            let sign = tab.eval("document.getElementById('sign').textContent");
            let light = tab.eval("document.body.dataset.light");
            let spoken = (light == "calm") == (sign == "") || name == "turn";
            hold(spoken, format!("light {light} with the sign {sign}"));
        }
        // Its two streams make room for those of the next one.
        tab.call("Page.navigate", serde_json::json!({ "url": "about:blank" }));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn everything_can_be_done_with_keys_alone() {
    let told = Told::open();
    let mut browser = Browser::start();
    let mut tab = browser.open(1280, 800, "light", &told.url);
    tab.wait_for(&says("请站到镜头前"));
    press(&mut tab, "Tab", 9, "");
    assert_eq!(tab.eval("document.activeElement.id"), "say");
    let ring = tab.eval("parseFloat(getComputedStyle(document.activeElement).outlineWidth)");
    assert!(ring.as_f64().unwrap() >= 2.0, "the focus can be seen");
    press(&mut tab, "Enter", 13, "\r");
    tab.wait_for("document.getElementById('keypad').open");
    press(&mut tab, "Escape", 27, "");
    tab.wait_for("!document.getElementById('keypad').open");
}

// ---- others on the same machine --------------------------------------------------------------

fn answer(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).unwrap();
    String::from_utf8_lossy(&head).into_owned()
}

#[test]
fn other_sites_in_the_same_browser_see_nothing_and_say_nothing() {
    let told = Told::open();
    let address = told.url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let get = |host: &str, path: &str| {
        answer(&address, &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"))
    };
    assert_eq!(get(&address, "/"), "HTTP/1.1 200");
    for path in ["/", "/picture", "/people", "/events"] {
        assert_eq!(get("evil.example", path), "HTTP/1.1 403", "{path}");
    }
    let post = |origin: &str, body: &str| {
        let length = body.len();
        let head = format!("POST /say HTTP/1.1\r\nHost: {address}\r\n{origin}");
        let rest =
            format!("Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}");
        answer(&address, &(head + &rest))
    };
    let own = format!("Origin: http://{address}\r\n");
    let number = r#"{"number":"1"}"#;
    assert_eq!(post("", number), "HTTP/1.1 403");
    assert_eq!(post("Origin: http://evil.example\r\n", number), "HTTP/1.1 403");
    assert_eq!(post(&own, r#"{"open":"sesame"}"#), "HTTP/1.1 422");
    assert_eq!(post(&own, &format!(r#"{{"number":"{}"}}"#, "1".repeat(4_000))), "HTTP/1.1 413");
}
