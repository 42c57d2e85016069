//! What is done at the kiosk by hand, in Chromium: card and PIN, staff, consent and enrolment,
//! withdrawal, roll call.

use rollcall::domain::{Event, NoticeKind, Outcome, Way};
use rollcall::journal::Bounds;
use rollcall::record::dispatch::Ordered;

use crate::kiosk_browser::{named, reads_card, says};
use crate::kiosk_fixture::{Kiosk, PIN, TEACHER};
use crate::support::broker::eventually;
use crate::web_browser::{Browser, Tab};

/// Nothing listens there.
const NO_BROKER: u16 = 1;

fn presses(tab: &mut Tab<'_>, id: &str) {
    tab.wait_for(&format!("!document.getElementById({id:?}).hidden"));
    tab.eval(&format!("document.getElementById({id:?}).click()"));
}

/// The question that lies over the screen; waits for it.
fn is_asked(tab: &mut Tab<'_>, title: &str) {
    tab.wait_for(&format!(
        "document.getElementById('asked').open
           && document.querySelector('#asked-title [lang=zh-CN]').textContent.includes({title:?})"
    ));
}

fn is_told(tab: &mut Tab<'_>, note: &str) {
    tab.wait_for(&format!("document.getElementById('asked-note').textContent.includes({note:?})"));
}

/// Chooses what begins with these words, once it is there.
fn chooses(tab: &mut Tab<'_>, zh: &str) {
    let button = format!(
        "[...document.querySelectorAll('#asked-choices button')]
           .find((button) => button.textContent.startsWith({zh:?}))"
    );
    tab.wait_for(&format!("{button} !== undefined"));
    tab.eval(&format!("{button}.click()"));
}

/// Types on the pad of the screen.
fn types(tab: &mut Tab<'_>, digits: &str) {
    for digit in digits.chars() {
        tab.eval(&format!(
            "[...document.querySelectorAll('#asked-keys button')]
               .find((button) => button.textContent === '{digit}').click()"
        ));
    }
    presses(tab, "asked-enter");
}

fn as_teacher(tab: &mut Tab<'_>) {
    presses(tab, "staff");
    is_asked(tab, "工号");
    reads_card(tab, TEACHER.0);
    is_asked(tab, "工作人员密码");
    types(tab, TEACHER.1);
    is_asked(tab, "您好，陈老师");
}

#[test]
fn card_and_pin_take_the_place_of_a_face() {
    let kiosk = Kiosk::open(NO_BROKER, Bounds::default());
    let mut browser = Browser::start();
    let mut tab = browser.open(1280, 800, "light", &kiosk.url);
    tab.wait_for(&says("请站到镜头前"));
    presses(&mut tab, "unseen");
    is_asked(&mut tab, "请刷卡或输入编号");
    reads_card(&mut tab, "20260002");
    is_asked(&mut tab, "李* 请输入密码");
    types(&mut tab, "1111");
    tab.wait_for(&says("密码不正确，请重试"));
    presses(&mut tab, "unseen");
    is_asked(&mut tab, "请刷卡或输入编号");
    reads_card(&mut tab, "20260002");
    is_asked(&mut tab, "李* 请输入密码");
    tab.eval("document.querySelector('#asked-keys button').click()");
    assert_eq!(tab.eval("document.getElementById('asked-typed').textContent"), "●");
    tab.picture("kiosk-pin-1280.webp");
    tab.eval("[...document.querySelectorAll('#asked-keys button')].find((key) => key.textContent === '⌫').click()");
    types(&mut tab, PIN);
    tab.wait_for(&format!("{} && {}", says("签到成功"), named("李*")));
    let told: Vec<_> = kiosk.records().iter().map(|r| (r.outcome, r.way, r.scores)).collect();
    assert_eq!(
        told,
        [
            (Some(Outcome::NotRecognised), Some(Way::Credential), None),
            (Some(Outcome::Accepted), Some(Way::Credential), None),
        ]
    );
}

#[test]
fn staff_confirms_somebody_and_the_record_says_who_did() {
    let kiosk = Kiosk::open(NO_BROKER, Bounds::default());
    let mut browser = Browser::start();
    let mut tab = browser.open(1024, 600, "light", &kiosk.url);
    tab.wait_for(&says("请站到镜头前"));
    as_teacher(&mut tab);
    tab.picture("kiosk-menu-1024.webp");
    chooses(&mut tab, "确认学员签到");
    is_asked(&mut tab, "为谁确认签到");
    chooses(&mut tab, "欧**国");
    is_told(&mut tab, "签到成功");
    let record = kiosk.records().pop().unwrap();
    assert_eq!((record.event, record.way), (Event::CheckIn, Some(Way::Staff)));
    assert!(record.staff.is_some() && record.consistent().is_ok());
}

#[test]
fn consent_is_read_and_given_the_face_enrolled_and_all_of_it_taken_back() {
    let kiosk = Kiosk::with_newcomer();
    let mut browser = Browser::start();
    let mut tab = browser.open(1280, 800, "light", &kiosk.url);
    kiosk.stands(4);
    tab.wait_for(&says("未能识别，请正对镜头再试"));
    as_teacher(&mut tab);
    chooses(&mut tab, "登记人脸");
    is_asked(&mut tab, "为谁登记人脸");
    chooses(&mut tab, "赵*");
    is_asked(&mut tab, "赵*，请阅读");
    assert!(tab.text().contains("400 天后自动删除"), "{}", tab.text());
    tab.picture("kiosk-consent-1280.webp");
    chooses(&mut tab, "我同意");
    tab.wait_for("document.body.dataset.kind === 'ask'");
    tab.picture("kiosk-enrol-1280.webp");
    enrols(&kiosk, &mut tab);
    is_told(&mut tab, "登记成功");
    presses(&mut tab, "asked-back");
    tab.wait_for(&format!("{} && {}", says("签到成功"), named("赵*")));

    // The same face under another name is not enrolled.
    as_teacher(&mut tab);
    chooses(&mut tab, "登记人脸");
    chooses(&mut tab, "王*");
    chooses(&mut tab, "我同意");
    enrols(&kiosk, &mut tab);
    is_told(&mut tab, "这张脸已登记为 赵*");

    chooses(&mut tab, "撤回同意");
    is_asked(&mut tab, "撤回谁的同意");
    chooses(&mut tab, "赵*");
    is_asked(&mut tab, "撤回 赵* 的同意");
    chooses(&mut tab, "撤回并删除");
    is_told(&mut tab, "已撤回，模板已删除");
    presses(&mut tab, "asked-back");
    kiosk.leaves();
    tab.wait_for(&says("请站到镜头前"));
    kiosk.stands(4);
    tab.wait_for(&says("未能识别，请正对镜头再试"));

    let notices: Vec<_> =
        kiosk.records().iter().filter_map(|record| Some(record.notice?.kind)).collect();
    assert_eq!(
        notices,
        [
            NoticeKind::ConsentGiven,
            NoticeKind::TemplateMade,
            NoticeKind::ConsentGiven,
            NoticeKind::TemplateRefused,
            NoticeKind::ConsentWithdrawn,
            NoticeKind::TemplateDeleted,
        ]
    );
    assert!(kiosk.records().iter().all(|record| record.consistent().is_ok()));
}

/// Turns her head as the screen asks, until the staff's menu is back.
fn enrols(kiosk: &Kiosk, tab: &mut Tab<'_>) {
    tab.wait_for("!document.getElementById('asked').open && document.body.dataset.kind === 'ask'");
    eventually("the pictures are taken", || {
        let arrow = tab.eval("document.getElementById('sign').textContent");
        kiosk.turns(match arrow.as_str().unwrap() {
            "⬅" => 20.0,
            "➡" => -20.0,
            _ => 0.0,
        });
        tab.eval("document.getElementById('asked').open") == true
    });
    kiosk.turns(0.0);
}

#[test]
fn who_declines_sets_a_pin_and_comes_by_card_in_as_many_steps() {
    let kiosk = Kiosk::with_newcomer();
    let mut browser = Browser::start();
    let mut tab = browser.open(800, 1280, "light", &kiosk.url);
    tab.wait_for(&says("请站到镜头前"));
    as_teacher(&mut tab);
    chooses(&mut tab, "登记人脸");
    chooses(&mut tab, "赵*");
    chooses(&mut tab, "不同意");
    is_asked(&mut tab, "赵*，请设置密码");
    types(&mut tab, "1234");
    is_told(&mut tab, "不要连号或同号");
    types(&mut tab, "4826");
    is_asked(&mut tab, "请再输入一次");
    types(&mut tab, "4826");
    is_told(&mut tab, "密码已设置");
    presses(&mut tab, "asked-back");
    tab.wait_for("!document.getElementById('asked').open");
    // Card and PIN: two steps, as card and face are.
    reads_card(&mut tab, "20260005");
    is_asked(&mut tab, "赵* 请输入密码");
    types(&mut tab, "4826");
    tab.wait_for(&format!("{} && {}", says("签到成功"), named("赵*")));
}

#[test]
fn teacher_sees_who_is_missing_calls_the_roll_and_the_room_answers() {
    let kiosk = Kiosk::open(NO_BROKER, Bounds::default());
    let mut browser = Browser::start();
    let mut tab = browser.open(1280, 800, "light", &kiosk.url);
    kiosk.stands(0);
    tab.wait_for(&says("签到成功"));
    kiosk.leaves();
    tab.wait_for(&says("请站到镜头前"));
    as_teacher(&mut tab);
    chooses(&mut tab, "查看在场情况");
    is_asked(&mut tab, "在场情况");
    assert!(tab.text().contains("应到 3，在场 1，未到 2，已离开 0"), "{}", tab.text());
    chooses(&mut tab, "课中点名");
    is_told(&mut tab, "点名开始");
    tab.wait_for("document.querySelector('[data-look=unseen]') !== null");
    tab.picture("kiosk-room-1280.webp");
    for _ in 0..2 {
        presses(&mut tab, "asked-back");
    }
    tab.wait_for("document.querySelector('#notices [data-code=roll]') !== null");
    tab.wait_for("!document.getElementById('asked').open");
    kiosk.stands(0);
    tab.wait_for(&format!("{} && {}", says("在场确认"), named("张*明")));
    tab.wait_for(
        "document.querySelector('#notices [data-code=roll]').textContent.includes('还差 0 人')",
    );
    let records: Vec<_> = kiosk.records().iter().map(|record| record.event).collect();
    assert_eq!(records, [Event::CheckIn, Event::Notice, Event::Presence]);
}

#[test]
fn roll_call_that_was_ordered_from_outside_stands_on_the_screen_and_on_record_by_its_order() {
    let kiosk = Kiosk::open(NO_BROKER, Bounds::default());
    let mut browser = Browser::start();
    let mut tab = browser.open(1280, 800, "light", &kiosk.url);
    kiosk.stands(0);
    tab.wait_for(&says("签到成功"));
    let lesson = kiosk.records()[0].lesson.clone().unwrap();
    kiosk.plans(|plan| {
        let at = plan.plans[0].lesson.starts.plus_ms(600_000);
        plan.orders = vec![Ordered { order: [9; 32], lesson, at, minutes: 7 }];
    });
    tab.wait_for("document.querySelector('#notices [data-code=roll]') !== null");
    kiosk.leaves();
    tab.wait_for(&says("请站到镜头前"));
    kiosk.stands(0);
    tab.wait_for(&says("在场确认"));
    let records = kiosk.records();
    let events: Vec<_> = records.iter().map(|record| record.event).collect();
    assert_eq!(events, [Event::CheckIn, Event::Notice, Event::Presence]);
    assert_eq!(records[1].notice.and_then(|notice| notice.digest), Some([9; 32]));
}

#[test]
fn template_that_has_expired_is_gone_on_record_and_its_person_is_told_what_to_do() {
    let kiosk = Kiosk::with_expired(2);
    let mut browser = Browser::start();
    let mut tab = browser.open(1280, 800, "light", &kiosk.url);
    kiosk.stands(2);
    tab.wait_for(&says("未能识别，请正对镜头再试"));
    let first = kiosk.records().remove(0);
    assert_eq!(first.notice.map(|notice| notice.kind), Some(NoticeKind::TemplateDeleted));
    kiosk.stands(0);
    tab.wait_for(&format!("{} && {}", says("签到成功"), named("张*明")));
}
