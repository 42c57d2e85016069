//! The words of the counter's dialogs.

use super::{DECLINE, Errand, Known, State, YES, menu};
use crate::checkin::Standing;
use crate::domain::{Bilingual, PersonId};
use crate::kiosk::{Dialog, Input};

pub(super) fn no_such_number() -> Bilingual {
    Bilingual::new("没有这个编号", "There is no such number")
}

pub(super) fn wrong_pin() -> Bilingual {
    Bilingual::new("密码不正确，请重试", "The PIN is not right: please try again")
}

pub(super) fn locked() -> Bilingual {
    Bilingual::new(
        "密码多次错误，请五分钟后再试或找老师",
        "Too many wrong PINs: try again in five minutes, or ask the teacher",
    )
}

pub(super) fn no_pin_yet() -> Bilingual {
    Bilingual::new("您还没有密码，请找老师设置", "You have no PIN yet: please ask the teacher")
}

pub(super) fn poor_pin() -> Bilingual {
    Bilingual::new(
        "请用 4 至 8 位数字，不要连号或同号",
        "Use 4 to 8 digits, not all the same and not in a row",
    )
}

pub(super) fn unlike_pins() -> Bilingual {
    Bilingual::new("两次不一致，请重新输入", "These are not the same: please begin again")
}

pub(super) fn dialog(state: &State, known: &Known<'_>) -> Option<Dialog> {
    let name = |person: &PersonId| known.site.masked_name(person).unwrap_or_default();
    Some(match state {
        State::Closed | State::Collecting(_) => return None,
        State::UnseenNumber => {
            Dialog::new("number", "请刷卡或输入编号", "Your card or number").asks(Input::Number)
        }
        State::UnseenPin(person) => {
            let name = name(person);
            Dialog::new("pin", format!("{name} 请输入密码"), format!("{name}, your PIN"))
                .asks(Input::Pin)
        }
        State::StaffNumber => {
            Dialog::new("staff_number", "工作人员：请刷卡或输入工号", "Staff: card or number")
                .asks(Input::Number)
        }
        State::StaffPin(_) => {
            Dialog::new("staff_pin", "工作人员密码", "Staff PIN").asks(Input::Pin)
        }
        State::Menu(staff) => {
            let staff = known.register.staff.get(staff);
            let name = staff.map(|staff| staff.name.clone()).unwrap_or_default();
            Dialog::new("menu", format!("您好，{name}"), "What would you like to do?")
                .offers(menu::CONFIRM, "确认学员签到", "Confirm a trainee")
                .offers(menu::ENROL, "登记人脸", "Enrol a face")
                .offers(menu::PIN, "设置学员密码", "Set a trainee's PIN")
                .offers(menu::WITHDRAW, "撤回同意并删除模板", "Withdraw consent, delete")
                .offers(menu::ROLL, "课中点名", "Call the roll")
                .offers(menu::ROOM, "查看在场情况", "Who is in the room")
        }
        State::Choose(_, errand) => choose(*errand, known),
        State::Consent(_, person) => {
            let name = name(person);
            let zh = format!("{name}，请阅读（版本 {}）", known.consent.version);
            let en = format!("{name}, please read (version {})", known.consent.version);
            let mut dialog = Dialog::new("consent", zh, en);
            for Bilingual { zh, en } in known.consent.shown(known.evidence_days) {
                dialog = dialog.says(zh, en);
            }
            dialog.offers(YES, "我同意", "I agree").offers(
                DECLINE,
                "不同意，用卡和密码",
                "I decline: card and PIN",
            )
        }
        State::NewPin(_, person, first) => {
            let name = name(person);
            let dialog = match first {
                None => Dialog::new(
                    "new_pin",
                    format!("{name}，请设置密码"),
                    format!("{name}, choose a PIN"),
                ),
                Some(_) => {
                    Dialog::new("new_pin_again", "请再输入一次", "The same once more, please")
                }
            };
            dialog.says("4 至 8 位数字", "4 to 8 digits").asks(Input::Pin)
        }
        State::Withdraw(_, person) => {
            let name = name(person);
            Dialog::new(
                "withdraw",
                format!("撤回 {name} 的同意？"),
                format!("Withdraw the consent of {name}?"),
            )
            .says(
                "人脸模板立即从本机删除，并留下记录；之后用卡和密码签到。",
                "The template is deleted from this machine at once, which is put on record; \
                 from then on card and PIN are used.",
            )
            .offers(YES, "撤回并删除", "Withdraw and delete")
        }
        State::Room(_) => room(known),
    })
}

/// Those whom an errand can concern, in the order of their numbers.
fn choose(errand: Errand, known: &Known<'_>) -> Dialog {
    let mut dialog = match errand {
        Errand::Confirm => Dialog::new("confirm", "为谁确认签到？", "Whom do you confirm?"),
        Errand::Enrol => Dialog::new("enrol", "为谁登记人脸？", "Whose face?"),
        Errand::Pin => Dialog::new("set_pin", "为谁设置密码？", "Whose PIN?"),
        Errand::Withdraw => Dialog::new("withdraw_whose", "撤回谁的同意？", "Whose consent?"),
    };
    let concerns = |person: &PersonId| match errand {
        Errand::Confirm => known.room.iter().any(|(one, _)| one == person),
        Errand::Withdraw => (known.has_template)(person),
        Errand::Enrol | Errand::Pin => true,
    };
    let mut people: Vec<_> =
        (0_u32..).zip(&known.site.people).filter(|(_, (person, _))| concerns(person)).collect();
    people.sort_by_key(|(_, (_, attendee))| &attendee.number);
    for (key, (person, _)) in people {
        let name = known.site.masked_name(person).unwrap_or_default();
        dialog = dialog.offers(key, name, "");
        let done = match errand {
            Errand::Confirm => {
                known.room.iter().any(|(one, how)| one == person && *how != Standing::Missing)
            }
            Errand::Enrol => (known.has_template)(person),
            Errand::Pin => known.register.pin(person).is_some(),
            Errand::Withdraw => false,
        };
        if done {
            dialog = dialog.that_looks("in");
        }
    }
    if dialog.choices.is_empty() {
        dialog = dialog.says("没有可选的人", "There is nobody to choose");
    }
    dialog
}

/// Who is in and who is missing: numbers first, then everybody, those who are missing before all.
fn room(known: &Known<'_>) -> Dialog {
    let count =
        |wanted: Standing| known.room.iter().filter(|(_, standing)| *standing == wanted).count();
    let (missing, unseen) = (count(Standing::Missing), count(Standing::Unseen));
    let (present, left) = (count(Standing::In), count(Standing::Left));
    let expected = known.room.len();
    let mut dialog = Dialog::new("room", "在场情况", "Who is in the room");
    if expected == 0 {
        return dialog.says("现在没有课", "No lesson now");
    }
    dialog = dialog.says(
        format!("应到 {expected}，在场 {}，未到 {missing}，已离开 {left}", present + unseen),
        format!("{expected} expected, {} in, {missing} missing, {left} left", present + unseen),
    );
    match known.roll_minutes {
        Some(minutes) => {
            dialog = dialog.says(
                format!("正在点名：{unseen} 人尚未露面，还有 {minutes} 分钟"),
                format!("The roll is being called: {unseen} not seen yet, {minutes} minutes left"),
            );
        }
        None => dialog = dialog.offers(menu::ROLL, "课中点名", "Call the roll"),
    }
    let mut people: Vec<_> = known.room.iter().collect();
    people.sort_by_key(|(person, standing)| {
        (*standing, known.site.people.get(person).map(|who| who.number.clone()))
    });
    for (person, standing) in people {
        let name = known.site.masked_name(person).unwrap_or_default();
        let (look, zh, en) = match standing {
            Standing::Missing => ("missing", "未到", "missing"),
            Standing::Unseen => ("unseen", "未露面", "not seen"),
            Standing::In => ("in", "在场", "in"),
            Standing::Left => ("left", "已离开", "left"),
        };
        dialog = dialog.offers(0, format!("{name} {zh}"), en).that_looks(look);
    }
    dialog
}
