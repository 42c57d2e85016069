//! A new plan comes while people stand before the terminal: whom it names is let in, whom it leaves out
//! is not, who is in stays in, and the screen says what the plan forbids and when it has expired.

use rollcall::domain::Timestamp;
use rollcall::journal::Bounds;
use rollcall::record::dispatch::Suspension;

use crate::kiosk_fixture::{Kiosk, person};
use crate::web_browser::Browser;

fn says(zh: &str) -> String {
    format!("document.getElementById('zh').textContent === {zh:?}")
}

fn shows(code: &str) -> String {
    format!("document.querySelector('#notices [data-code={code}]') !== null")
}

#[test]
fn a_new_plan_is_worked_by_at_once_and_who_is_in_stays_in() {
    let kiosk = Kiosk::open(1, Bounds::default());
    let mut browser = Browser::start();
    let mut tab = browser.open(1280, 800, "light", &kiosk.url);
    kiosk.stands(0);
    tab.wait_for(&says("签到成功"));
    // Known here, and on no roster yet.
    kiosk.stands(3);
    tab.wait_for(&says("未能识别，请正对镜头再试"));
    kiosk.plans(|plan| {
        let roster = &mut plan.plans[0].roster;
        roster.remove(&person(1));
        roster.insert(person(3));
        plan.people.remove(&person(1));
    });
    kiosk.leaves();
    tab.wait_for(&says("请站到镜头前"));
    kiosk.stands(3);
    let named = "document.getElementById('name').textContent === '王*'";
    tab.wait_for(&format!("{} && {named}", says("签到成功")));
    kiosk.leaves();
    tab.wait_for(&says("请站到镜头前"));
    kiosk.stands(1);
    tab.wait_for(&says("未能识别，请正对镜头再试"));
    kiosk.leaves();
    tab.wait_for(&says("请站到镜头前"));
    kiosk.stands(0);
    tab.wait_for(&says("您已签到"));
}

#[test]
fn an_expired_plan_and_a_suspension_are_on_the_screen_and_check_ins_are_recorded() {
    let kiosk = Kiosk::open(1, Bounds::default());
    let mut browser = Browser::start();
    let mut tab = browser.open(1280, 800, "light", &kiosk.url);
    tab.wait_for(&says("请站到镜头前"));
    let long_ago = Timestamp::from_ms(1);
    kiosk.plans(|plan| {
        let class = Some(plan.plans[0].lesson.class.clone());
        plan.expires = Some(long_ago);
        plan.suspensions = vec![Suspension { from: long_ago, until: None, class, lesson: None }];
    });
    tab.wait_for(&format!("{} && {}", shows("plan_expired"), shows("suspended")));
    kiosk.stands(0);
    tab.wait_for(&says("签到成功"));
    assert_eq!(kiosk.terminal.waiting(), 1);
    kiosk.plans(|plan| plan.suspensions.clear());
    tab.wait_for(&format!("{} && !({})", shows("plan_expired"), shows("suspended")));
}
