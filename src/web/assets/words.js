// The words of the page: Simplified Chinese first, English beside it. Keys are the stable words
// of docs/spec/feed-v1.md; a word that this page does not know is shown as it came.

export const SEVERITIES = {
  alarm: ["警报", "Alarm"],
  warning: ["警告", "Warning"],
  notice: ["提示", "Notice"],
};

export const KINDS = {
  proxy_stand_in: ["替课", "Stand-in"],
  proxy_shared_face: ["一人多名", "One face, several names"],
  multi_device: ["同时多端", "One person, two places"],
  off_timetable: ["课外异常", "Outside the timetable"],
  excess_hours: ["超时长", "More hours than planned"],
  forged: ["伪造记录", "Forged record"],
  altered: ["篡改记录", "Altered record"],
  replayed: ["重放记录", "Replayed record"],
  unregistered_terminal: ["未登记终端", "Unregistered terminal"],
  forked_chain: ["链分叉", "Two histories"],
  made_afterwards: ["事后补造", "Made afterwards"],
  machine_pace: ["机器节奏", "At the pace of a machine"],
  spoof_attempts: ["多次活体未通过", "Repeatedly not shown to be alive"],
  missed_roll_call: ["点名多人未到", "Many not seen in a roll call"],
  over_limit: ["超出限制", "Beyond a limit"],
  moved_cohort: ["成批流动", "A group at two institutions"],
  platform_sessions: ["多端登录", "At two devices at once"],
  background_play: ["挂课刷课", "Played without anybody"],
  late_registration: ["补登课次", "Lessons registered late"],
  two_classes: ["同时两班", "In two classes at once"],
  short_lesson: ["课时不足", "A lesson that was too short"],
  late_checkouts: ["惯常晚签退", "Late check-outs, again and again"],
  long_week: ["周超时长", "A week that is too long"],
  without_face: ["频繁非人脸签到", "Unusually often without a face"],
  steady_scores: ["相似度过稳", "Scores that no living face gives"],
  score_drift: ["相似度走低", "Scores that drift away"],
  thin_margins: ["勉强通过成堆", "Many that only just pass"],
  pairs: ["成对出入", "Two who always come and go together"],
  perfect_attendance: ["全勤异常", "A class without any absence"],
  silent_terminal: ["终端沉默", "A terminal that has fallen silent"],
  device_changed: ["设备变更", "A terminal that is no longer what it was"],
  often_unseen: ["屡次点名未到", "Again and again not seen in roll calls"],
  time_refuted: ["时间被推翻", "A time that a later record refutes"],
};

export const STATES = {
  full: ["已满", "Full"],
  clock_doubtful: ["时钟可疑", "Clock doubtful"],
  offline: ["离线", "Offline"],
  online: ["在线", "Online"],
};

export const EVENTS = {
  check_in: ["签到", "in"],
  check_out: ["签退", "out"],
  attempt: ["未通过", "not accepted"],
  gap: ["缺号声明", "gap"],
};

export const OUTCOMES = {
  accepted: ["已接受", "accepted"],
  already_in: ["已签到", "already in"],
  not_recognised: ["未识别", "not recognised"],
  looks_like_other: ["像另一人", "looks like somebody else"],
  ambiguous: ["难以区分", "two people too alike"],
  not_on_roster: ["不在名册", "not on the roster"],
  too_early: ["未到时间", "too early"],
  too_late: ["已过时间", "too late"],
  not_live: ["活体未通过", "not shown to be alive"],
  no_lesson: ["无课", "no lesson near"],
  refused_by_policy: ["规则不允许", "refused by policy"],
};

export const HOLDS = {
  record: ["考勤记录", "Attendance record"],
  refused: ["被拒收的数据", "Refused bytes"],
  fact: ["监管中心登记", "Stated by the centre"],
};

export const word = (table, key) => table[key] ?? [key, ""];

// Times are told as in Beijing, wherever the reader's computer believes it is.
const format = (options) =>
  new Intl.DateTimeFormat("zh-CN", { timeZone: "Asia/Shanghai", hourCycle: "h23", ...options });
const CLOCK = format({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const SHORT = format({ hour: "2-digit", minute: "2-digit" });
const DAY = format({ month: "2-digit", day: "2-digit" });
const FULL = format({
  year: "numeric", month: "2-digit", day: "2-digit",
  hour: "2-digit", minute: "2-digit", second: "2-digit",
});

// A hostile record may carry a time that no calendar holds.
const told = (form, ms) => (Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 ? form.format(ms) : "—");
const dashed = (text) => text.replaceAll("/", "-");

export const clock = (ms) => told(CLOCK, ms);
export const short = (ms) => told(SHORT, ms);
export const day = (ms) => dashed(told(DAY, ms));
export const full = (ms) => dashed(told(FULL, ms));
export const iso = (ms) => (Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : "");
export const number = (n) => (Number.isFinite(n) ? n.toLocaleString("zh-CN") : "—");
