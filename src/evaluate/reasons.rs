//! Why a planted fraud can pass for honest life, kind by kind, in words: what stands in the report where an
//! incident was missed.

use crate::domain::Bilingual;
use crate::province::Kind;

/// Why this kind looks like honest life when it is done with care.
pub(super) fn why(kind: Kind) -> Bilingual {
    let (zh, en) = match kind {
        Kind::StandIn => (
            "替课者若不在任何终端的名册中，终端只能说“未识别”，随后由工作人员确认；光线不好的诚实学员也是这样。",
            "A stand-in whom no roster knows is merely not recognised, and then confirmed by the staff: so is \
             an honest trainee in poor light.",
        ),
        Kind::Spoof => (
            "照片骗过相机而未被要求做动作时，记录与本人签到相同；未通过活体的尝试，诚实学员也会留下。",
            "A photograph that passes while no movements are asked for leaves the record of a true face; \
             attempts that were not shown to be alive are left by honest people too.",
        ),
        Kind::SharedFace => (
            "人脸只在同一终端内比对：换一台终端，或登记照片经过修饰，两个姓名就像两个人。",
            "Faces are compared within one terminal only: at another terminal, or enrolled from a touched-up \
             picture, two names look like two persons.",
        ),
        Kind::PaperTrainees => (
            "软件写出的考勤由真终端签名；若时刻像人一样散开，便只剩“从不缺席”这一点，而勤勉的学员也是如此。",
            "Attendance written by software has the true terminal's seal; spread like people's, only its being \
             perfect is left, and diligent trainees are that as well.",
        ),
        Kind::TwoPlaces => (
            "两个教学点相距几公里时，两次签到之间的几分钟足够路上之用。",
            "Two sites a few kilometres apart leave minutes enough to travel between two check-ins.",
        ),
        Kind::NightHours => (
            "选在两节课之间的时段，就在课表的宽限之内：早到或留下练习的人也在那时出现。",
            "Chosen between two lessons, it lies within what the timetable excuses: people who come early or \
             stay on are there as well.",
        ),
        Kind::StretchedCheckouts => (
            "晚走不到一小时，与课后练习、聊天的人没有分别；要看很多天、很多人才看得出。",
            "Less than an hour late is what people do who practise or talk; only many days of many people \
             would tell.",
        ),
        Kind::BackfilledLessons => (
            "课一开始才登记、但未结束，与忘记登记的诚实机构相同。",
            "Registered once it has begun, but not yet over: so is the lesson of an honest school that forgot.",
        ),
        Kind::ClockSetBack => (
            "时间未经证明时，涉及时间的规则保持沉默：终端断网一天、时钟停走的诚实机构也是这样。",
            "Where a time is not proven, rules on times keep silent: an honest terminal that was offline, or \
             whose clock had stopped, looks the same.",
        ),
        Kind::ForgedRecords | Kind::AlteredRecords | Kind::ReplayedRecords => (
            "拒收的字节都会被提示；未找到的，是当天终端没有可供冒用的记录。",
            "Refused bytes are always raised; what is missing here happened on a day when the terminal had sent \
             nothing that could be misused.",
        ),
        Kind::UnregisteredBox => (
            "当日没有可供模仿的记录，私设终端便没有发送。",
            "On a day without records to imitate, the box sent nothing.",
        ),
        Kind::ClonedTerminal => (
            "副本代替真终端使用、两者从不同时发送时，记录链只有一条，没有分叉。",
            "A copy that is used in the terminal's place, never beside it, tells one history: there is no fork.",
        ),
        Kind::MovedTerminal => (
            "记录不说终端在哪里；搬走的终端只是重启了一次，停电也会如此。",
            "A record does not say where its terminal stands; one that was carried away has been restarted \
             once, as after a power cut.",
        ),
        Kind::SilentTerminal => (
            "网络中断数日的终端同样沉默，之后一并补传。",
            "A terminal whose network failed for days is silent as well, and delivers late.",
        ),
        Kind::ClassLeaves => (
            "课中未点名，或仍有一半人应答时，与课间抽烟、在实训场的班级难分。",
            "Where the roll was not called, or half of them still answered, it is hard to tell from a class \
             that smokes or works in the yard.",
        ),
        Kind::Burst => (
            "每人三秒，与排好队的一班人相近；签到本身都是真的格式。",
            "Three seconds each is near a class that queues well; the check-ins themselves are in order.",
        ),
        Kind::TwoClasses => (
            "两个班在同一教学点、时间只部分重叠时，像是从一个班去另一个班。",
            "Two classes at one site that overlap in part look like somebody who goes from one to the other.",
        ),
        Kind::MovedCohort => (
            "同一批人白天在一家、晚上在另一家，时间与路程都说得通，像是上了两个班。",
            "The same people at one school by day and at another in the evening: hours and ways fit, as if \
             they took two courses.",
        ),
        Kind::TooManyHours => (
            "每天不足十小时，像强化培训。",
            "Less than ten hours a day looks like an intensive course.",
        ),
        Kind::StaffConfirms => (
            "每天一两人由工作人员确认，与人脸难以识别的学员相同。",
            "One or two confirmed by the staff each day: so are trainees whose faces are hard to recognise.",
        ),
        Kind::CardBurst => (
            "刷卡间隔两分钟，与未同意人脸比对、使用卡和密码的学员相同。",
            "Cards two minutes apart are what trainees leave who did not consent to face comparison.",
        ),
        Kind::TeacherLeaves => (
            "学员都在，教师不在：没有任何记录会说到这一点。故意种下而无规则针对。",
            "The trainees are there and the teacher is not: no record tells of it. Planted although no rule \
             can aim at it.",
        ),
        Kind::Asleep => (
            "人在场而不学，考勤无从分辨。故意种下而无规则针对。",
            "Present and learning nothing: attendance cannot tell. Planted although no rule can aim at it.",
        ),
        Kind::Relatives => (
            "充数的人真的到场：记录与诚实学员相同。故意种下而无规则针对。",
            "Those who fill the class do attend: their records are those of honest trainees. Planted although \
             no rule can aim at it.",
        ),
    };
    Bilingual::new(zh, en)
}
