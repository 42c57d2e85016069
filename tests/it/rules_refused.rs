//! The rules over refused records: each fires, with the very words that an investigator reads.

use rollcall::domain::{AnomalyKind, Refusal, Severity};

use crate::rules_scene::{ANN, Scene, at, comes, says};

#[test]
fn forged_fires_on_a_foreign_key() {
    let mut scene = Scene::two_towns();
    let mut claims = comes("cd-1", "03-02 08:31", ANN);
    claims.record.seq = 9000;
    let index = scene.refuse("03-02 09:00", "cd-1", Refusal::ForeignKey, Some(claims));
    let anomaly = scene.one();
    assert_eq!(anomaly.kind, AnomalyKind::Forged);
    assert_eq!(anomaly.severity, Severity::Alarm);
    assert_eq!(anomaly.at, at("03-02 09:00"), "what it claims about time is not proven");
    assert_eq!(anomaly.who, [], "nor whom it names");
    assert_eq!(anomaly.evidence, [index]);
    says(
        &anomaly,
        "2026-03-02 09:00 以终端 cd-1（成都·锦江教学点）名义送来的记录由未登记的密钥签名（自称序号 9000、时间 2026-03-02 08:31），已拒收并留存。可能是伪造；终端重新初始化而新密钥未登记也会如此。",
        "A record sent at 2026-03-02 09:00 as terminal cd-1 (Jinjiang site, Chengdu) is sealed with a key that is not the terminal's (it claims number 9000, made 2026-03-02 08:31); it was refused and kept. It may be made up; a terminal set up anew whose new key is not registered looks the same.",
    );
}

#[test]
fn forged_fires_on_a_bad_signature_off_the_chain() {
    let mut scene = Scene::two_towns();
    let refusal = Refusal::BadSignature { fits_chain: false };
    scene.refuse("03-02 09:00", "cd-1", refusal, None);
    let anomaly = scene.one();
    assert_eq!(anomaly.kind, AnomalyKind::Forged);
    says(
        &anomaly,
        "2026-03-02 09:00 以终端 cd-1（成都·锦江教学点）名义送来的记录签名无效，且与该终端的记录链不衔接，已拒收并留存。可能是伪造；终端重新初始化而新密钥未登记也会如此。",
        "A record sent at 2026-03-02 09:00 as terminal cd-1 (Jinjiang site, Chengdu) has a wrong signature and does not continue the terminal's chain; it was refused and kept. It may be made up; a terminal set up anew whose new key is not registered looks the same.",
    );
}

#[test]
fn altered_fires_on_a_bad_signature_on_the_chain() {
    let mut scene = Scene::two_towns();
    let mut claims = comes("cd-1", "03-02 08:31", ANN);
    claims.record.seq = 17;
    let refusal = Refusal::BadSignature { fits_chain: true };
    scene.refuse("03-02 09:00", "cd-1", refusal, Some(claims));
    let anomaly = scene.one();
    assert_eq!(anomaly.kind, AnomalyKind::Altered);
    says(
        &anomaly,
        "2026-03-02 09:00 以终端 cd-1（成都·锦江教学点）名义送来的记录与其记录链衔接（自称序号 17、时间 2026-03-02 08:31），但签名与内容不符，已拒收并留存。应为真实记录在签名之后被改动；存储介质损坏也可能如此。",
        "A record sent at 2026-03-02 09:00 as terminal cd-1 (Jinjiang site, Chengdu) fits the terminal's chain (it claims number 17, made 2026-03-02 08:31), but the signature does not cover its content; it was refused and kept. A genuine record was probably changed after signing; a failing disk can look the same.",
    );
}

#[test]
fn replayed_fires_on_another_terminals_record() {
    let mut scene = Scene::two_towns();
    let mut claims = comes("cd-1", "03-02 08:31", ANN);
    claims.record.seq = 12;
    let refusal = Refusal::ForeignTerminal { named: "cd-1".parse().unwrap() };
    scene.refuse("03-02 09:00", "my-1", refusal, Some(claims));
    let anomaly = scene.one();
    assert_eq!(anomaly.kind, AnomalyKind::Replayed);
    assert_eq!(anomaly.terminals, ["my-1".parse().unwrap(), "cd-1".parse().unwrap()]);
    says(
        &anomaly,
        "2026-03-02 09:00 终端 cd-1 的记录以终端 my-1（绵阳·涪城教学点）的名义送来（自称序号 12、时间 2026-03-02 08:31），已拒收并留存。可能是把一处的考勤冒作另一处；安装时证书装错也会如此。",
        "At 2026-03-02 09:00 a record of terminal cd-1 came under the name of terminal my-1 (Fucheng site, Mianyang) (it claims number 12, made 2026-03-02 08:31); it was refused and kept. Attendance of one place may be passed off as another's; certificates swapped at installation look the same.",
    );
}

#[test]
fn unregistered_terminal_fires_once_a_day_however_much_it_sends() {
    let mut scene = Scene::two_towns();
    let claims = |seq| {
        let mut told = comes("cd-9", "03-02 08:31", ANN);
        told.record.seq = seq;
        Some(told)
    };
    let first = scene.refuse("03-02 09:00", "cd-9", Refusal::UnknownTerminal, claims(1));
    for seq in 2..50 {
        scene.refuse("03-02 09:01", "cd-9", Refusal::UnknownTerminal, claims(seq));
    }
    let anomaly = scene.one();
    assert_eq!(anomaly.kind, AnomalyKind::UnregisteredTerminal);
    assert_eq!(anomaly.evidence, [first]);
    assert_eq!(anomaly.site, None);
    says(
        &anomaly,
        "2026-03-02 09:00 未登记的终端 cd-9 送来记录（自称序号 1、时间 2026-03-02 08:31），已拒收；当日不再重复提示。可能是私设终端；新终端漏登记也会如此。",
        "At 2026-03-02 09:00 terminal cd-9, which nobody registered, sent records (it claims number 1, made 2026-03-02 08:31); they are refused, and this is said once a day. It may be a private box; a new terminal that was not registered looks the same.",
    );

    scene.refuse("03-03 00:00", "cd-9", Refusal::UnknownTerminal, claims(50));
    assert_eq!(scene.judged().len(), 2, "the next day says it again");
}

#[test]
fn unregistered_terminals_without_end_do_not_fill_the_page() {
    let mut scene = Scene::two_towns();
    for n in 0..1500 {
        scene.refuse("03-02 09:00", &format!("x-{n}"), Refusal::UnknownTerminal, None);
    }
    assert_eq!(scene.judged().len(), 1000);
}

#[test]
fn forked_chain_fires_on_a_second_history() {
    let mut scene = Scene::two_towns();
    let mut claims = comes("cd-1", "03-02 08:31", ANN);
    claims.record.seq = 30;
    scene.refuse("03-02 09:00", "cd-1", Refusal::Forked, Some(claims.clone()));
    let anomaly = scene.one();
    assert_eq!(anomaly.kind, AnomalyKind::ForkedChain);
    says(
        &anomaly,
        "2026-03-02 09:00 终端 cd-1（成都·锦江教学点）送来签名有效的记录（自称序号 30、时间 2026-03-02 08:31），但该序号已有另一条不同的记录，已拒收并留存。同一密钥讲出了两段历史：密钥可能被复制；终端由旧备份恢复也会如此。",
        "At 2026-03-02 09:00 terminal cd-1 (Jinjiang site, Chengdu) sent a record with a valid signature (it claims number 30, made 2026-03-02 08:31), but its number is taken by another record; it was refused and kept. One key tells two histories: the key may have been copied; a terminal restored from an old backup looks the same.",
    );

    let mut scene = Scene::two_towns();
    scene.refuse("03-02 09:00", "cd-1", Refusal::BrokenChain, Some(claims));
    let anomaly = scene.one();
    assert_eq!(anomaly.kind, AnomalyKind::ForkedChain);
    says(
        &anomaly,
        "2026-03-02 09:00 终端 cd-1（成都·锦江教学点）送来签名有效的记录（自称序号 30、时间 2026-03-02 08:31），但它所接续的并非账本中的前一条记录，已拒收并留存。同一密钥讲出了两段历史：密钥可能被复制；终端由旧备份恢复也会如此。",
        "At 2026-03-02 09:00 terminal cd-1 (Jinjiang site, Chengdu) sent a record with a valid signature (it claims number 30, made 2026-03-02 08:31), but it follows another record than the ledger holds; it was refused and kept. One key tells two histories: the key may have been copied; a terminal restored from an old backup looks the same.",
    );
}

#[test]
fn garbage_and_bad_openings_raise_nothing() {
    let mut scene = Scene::two_towns();
    let garbage = Refusal::Malformed { detail: "not CBOR".into() };
    scene.refuse("03-02 09:00", "cd-1", garbage, None);
    scene.refuse("03-02 09:00", "cd-1", Refusal::BadOpening, None);
    assert_eq!(scene.kinds(), []);
}

#[test]
fn a_stranger_on_a_registered_terminals_topic_is_called_by_the_name_that_it_gives() {
    let mut scene = Scene::two_towns();
    let claims = comes("cd-9", "03-02 08:31", ANN);
    scene.refuse("03-02 09:00", "cd-1", Refusal::UnknownTerminal, Some(claims));
    let why = scene.one().why;
    assert!(why.zh.contains("未登记的终端 cd-9"), "{}", why.zh);
    assert!(why.en.contains("terminal cd-9, which nobody registered"), "{}", why.en);
}
