// The screen: shows scenes as they come, and says what somebody types, reads or chooses. It decides
// nothing: every word and state comes from the terminal. Without a word for three seconds it says
// that it is cut off, so that a dead terminal never goes on showing green.

const CUT_MS = 3000;
// A card reader types faster than a person, and ends with Enter.
const CARD_GAP_MS = 500;
// Nobody at the dialog for so long: it closes, so that the next in the queue sees the screen.
const LEFT_ALONE_MS = 20000;

const at = (id) => document.getElementById(id);
const signs = { calm: "", green: "✔", amber: "!", red: "✘" };
const arrows = { turn_left: "⬅", turn_right: "➡", look_up: "⬆", come_closer: "⤢" };

function put(element, pair) {
  element.querySelector("[lang=zh-CN]").textContent = pair ? pair.zh : "";
  element.querySelector("[lang=en]").textContent = pair ? pair.en : "";
}

// ---- what is shown ---------------------------------------------------------------------------

let sounded = null;

function show(scene) {
  const { message } = scene;
  document.body.dataset.light = message.light;
  document.body.dataset.kind = message.kind;
  // Long sentences in smaller letters, so that they fit as a whole.
  document.body.dataset.length = message.text.zh.length > 16 ? "long" : "short";
  at("zh").textContent = message.text.zh;
  at("en").textContent = message.text.en;
  at("sign").textContent = message.asked ? arrows[message.asked] ?? "" : signs[message.light];
  at("name").textContent = message.name ?? "";
  at("done").hidden = message.done_percent === null;
  at("done").value = message.done_percent ?? 0;
  put(at("note"), message.note);
  ask(scene.dialog);
  slip(message.light === "green" ? message.slip : null, scene.answers);
  outline(scene.outline);
  put(at("lesson"), scene.lesson);
  at("time").textContent = scene.time;
  notices(scene.notices);
  if (sounded !== null && sounded !== scene.answers) sound(message.light);
  sounded = scene.answers;
}

function slip(text, answers) {
  const picture = at("slip");
  at("ticket").hidden = text === null;
  if (text !== null && picture.dataset.answers !== String(answers)) {
    picture.dataset.answers = String(answers);
    picture.src = `/slip.svg?answer=${answers}`;
  }
}

function outline(place) {
  const rect = at("outline");
  rect.toggleAttribute("hidden", place === null);
  if (place === null) return;
  const [width, height] = size;
  rect.setAttribute("x", place.x * width / 1000);
  rect.setAttribute("width", place.width * width / 1000);
  rect.setAttribute("y", place.y * height / 1000);
  rect.setAttribute("height", place.height * height / 1000);
}

// Width and height of the camera's picture; outline and guide lie over it as it is cut to its frame.
let size = [640, 480];

function fit(width, height) {
  size = [width || 640, height || 480];
  at("guide").setAttribute("viewBox", `0 0 ${size[0]} ${size[1]}`);
  const target = { cx: size[0] / 2, cy: size[1] * 0.48, rx: size[1] * 0.26, ry: size[1] * 0.36 };
  for (const [name, value] of Object.entries(target)) at("target").setAttribute(name, value);
}
fit();

let noticed = "";

function notices(lines) {
  const text = JSON.stringify(lines);
  if (text === noticed) return;
  noticed = text;
  at("notices").replaceChildren(...lines.map((line) => {
    const item = document.createElement("li");
    item.className = "pair";
    item.dataset.code = line.code;
    item.dataset.weight = line.weight;
    const mark = document.createElement("b");
    mark.textContent = { note: "i", warning: "!", stop: "✘" }[line.weight];
    mark.setAttribute("aria-hidden", "true");
    item.append(mark, spoken("zh-CN", line.text.zh), " ", spoken("en", line.text.en));
    return item;
  }));
}

function spoken(lang, text) {
  const span = document.createElement("span");
  span.lang = lang;
  span.textContent = text;
  return span;
}

// ---- what is heard ---------------------------------------------------------------------------

// Frequency in hertz and length in seconds: rising for yes, one low tone for "something to do",
// three for "call somebody".
const tunes = {
  green: [[660, 0.12], [880, 0.2]],
  amber: [[330, 0.3]],
  red: [[220, 0.25], [220, 0.25], [220, 0.25]],
};
let speaker = null;

function sound(light) {
  const tune = tunes[light];
  if (!tune) return;
  speaker ??= new AudioContext();
  let start = speaker.currentTime;
  for (const [hertz, seconds] of tune) {
    const tone = speaker.createOscillator();
    const volume = speaker.createGain();
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(0.25, start);
    volume.gain.linearRampToValueAtTime(0, start + seconds);
    tone.connect(volume).connect(speaker.destination);
    tone.start(start);
    tone.stop(start + seconds);
    start += seconds + 0.04;
  }
}

// ---- the line to the terminal ----------------------------------------------------------------

let heard = performance.now();
const events = new EventSource("/events");
events.addEventListener("scene", (event) => {
  heard = performance.now();
  show(JSON.parse(event.data));
});
events.addEventListener("beat", () => { heard = performance.now(); });

setInterval(() => {
  const cut = performance.now() - heard > CUT_MS;
  if (at("cut").hidden && cut) sound("red");
  // A picture stream that broke does not come back by itself.
  if (!at("cut").hidden && !cut) picture();
  at("cut").hidden = !cut;
}, 500);

function picture() {
  at("picture").src = `/picture?from=${Date.now()}`;
}
at("picture").addEventListener("load", () => {
  at("view").classList.add("seen");
  fit(at("picture").naturalWidth, at("picture").naturalHeight);
});
picture();

async function say(said) {
  const answer = await fetch("/say", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(said),
  });
  if (!answer.ok) sound("amber");
}

// ---- saying who one is -----------------------------------------------------------------------

// What is typed now, for the pad that is open; without one, what a card reader types.
let typed = "";
let typed_at = 0;
// What the terminal asks: `null`, or the dialog of the newest scene.
let asked = null;

function is_pin() {
  return asked?.input === "pin";
}

function put_typed() {
  at("typed").textContent = typed;
  // Nobody else shall read a PIN.
  at("asked-typed").textContent = is_pin() ? "●".repeat(typed.length) : typed;
}

function type(character) {
  typed = (typed + character).slice(0, 40);
  put_typed();
}

function erase() {
  typed = typed.slice(0, -1);
  put_typed();
}

function enter() {
  if (typed) say(asked?.input ? { typed } : { number: typed });
  typed = "";
  put_typed();
  close_own();
}

function open(dialog) {
  typed = "";
  put_typed();
  dialog.showModal();
  touched();
}

function close_own() {
  for (const dialog of [at("keypad"), at("list")]) dialog.close();
}

let alone = 0;
function touched() {
  clearTimeout(alone);
  alone = setTimeout(close_own, LEFT_ALONE_MS);
}

function pad(keys) {
  for (const key of ["1", "2", "3", "4", "5", "6", "7", "8", "9", "⌫", "0"]) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = key;
    if (key === "⌫") button.setAttribute("aria-label", "删除 Delete");
    button.addEventListener("click", () => (key === "⌫" ? erase() : type(key)));
    keys.append(button);
  }
}
pad(at("keys"));
pad(at("asked-keys"));

at("say").addEventListener("click", () => open(at("keypad")));
at("unseen").addEventListener("click", () => say("without_face"));
at("staff").addEventListener("click", () => say("staff"));
for (const id of ["enter", "asked-enter"]) at(id).addEventListener("click", enter);
for (const button of document.querySelectorAll("[data-close]")) {
  button.addEventListener("click", close_own);
}
at("asked-back").addEventListener("click", () => say("nothing"));
at("asked").addEventListener("cancel", (event) => {
  // Escape goes one step back; the terminal says what is shown then.
  event.preventDefault();
  say("nothing");
});
document.addEventListener("pointerdown", touched);

// A card reader is a keyboard: digits and Enter, whatever is on the screen.
document.addEventListener("keydown", (event) => {
  touched();
  if (event.key === "Enter") {
    // Enter on a button presses it, unless a number was typed.
    if (typed) {
      event.preventDefault();
      enter();
    }
    return;
  }
  const is_open = at("keypad").open || asked?.input;
  if (event.key === "Backspace" && is_open) {
    erase();
    return;
  }
  if (!/^[0-9A-Za-z-]$/.test(event.key) || event.ctrlKey || event.altKey || event.metaKey) return;
  const now = performance.now();
  // What was typed long ago belongs to somebody else.
  if (!is_open && now - typed_at > CARD_GAP_MS) typed = "";
  typed_at = now;
  type(event.key);
});

at("choose").addEventListener("click", async () => {
  const people = await (await fetch("/people")).json();
  at("people").replaceChildren(...people.map((person) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = person.name;
    button.addEventListener("click", () => {
      say({ listed: person.key });
      close_own();
    });
    return button;
  }));
  if (people.length === 0) {
    at("people").textContent = "现在没有可选的名单 There is no list now";
  }
  open(at("list"));
});

// ---- what the terminal asks ------------------------------------------------------------------

let drawn = "null";

function ask(dialog) {
  const text = JSON.stringify(dialog);
  if (text === drawn) return;
  drawn = text;
  // The same question with another note goes on where it was.
  if (asked?.code !== dialog?.code || dialog?.note) typed = "";
  asked = dialog;
  put_typed();
  if (!dialog) {
    at("asked").close();
    return;
  }
  close_own();
  at("asked").dataset.code = dialog.code;
  put(at("asked-title"), dialog.title);
  put(at("asked-note"), dialog.note);
  at("asked-note").hidden = !dialog.note;
  at("asked-text").replaceChildren(...dialog.text.map((pair) => {
    const paragraph = document.createElement("p");
    paragraph.append(spoken("zh-CN", pair.zh), " ", spoken("en", pair.en));
    return paragraph;
  }));
  for (const id of ["asked-typed", "asked-keys", "asked-enter"]) at(id).hidden = !dialog.input;
  const names = dialog.choices.length > 0 && dialog.choices.every((choice) => !choice.text.en);
  at("asked-choices").classList.toggle("people", names || dialog.code === "room");
  at("asked-choices").replaceChildren(...dialog.choices.map((choice) => {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.look = choice.look;
    button.append(spoken("zh-CN", choice.text.zh), " ", spoken("en", choice.text.en));
    // A row of the room is to be read, not to be pressed.
    if (choice.key === 0 && dialog.code === "room") button.disabled = true;
    button.addEventListener("click", () => say({ chose: choice.key }));
    return button;
  }));
  if (!at("asked").open) at("asked").showModal();
}
