// The page for marking by hand. What the server knows of each answer is in `answers`; what was typed and is not saved
// yet is in `drafts`, and stays there until it is. Texts of students are shown as the server has cleaned them.
"use strict";
history.replaceState(null, "", location.pathname + location.search.replace(/([?&])token=[^&]*&?/, "$1").replace(/[?&]$/, ""));

const $ = id => document.getElementById(id);
const QUESTION = document.body.dataset.question;
const POSSIBLE = Number(document.body.dataset.possible);
const ITEM_KEYS = "123456789adeghilmtvwxy";  // those that are no command
const STATES = {unmarked: "not marked yet", marked: "marked", changed: "changed since it was marked", blank: "left blank, 0 points"};
const REFRESH = 30000;  // milliseconds; somebody else may mark too

let answers = [];                         // in the order in which they are shown
let rubric = {items: [], version: ""};
let current = null, text = null, names = null, opened = 0;
const drafts = new Map();
const trail = [];                         // ids of those that were shown before, the last one at the end

// The server.

async function ask(address, body) {
  const options = body === undefined ? {} : {
    method: "POST", body: JSON.stringify(body), headers: {"X-XSRFToken": document.body.dataset.xsrf}};
  const reply = await fetch(`${address}${address.includes("?") ? "&" : "?"}question=${encodeURIComponent(QUESTION)}`, options);
  const found = await reply.json();
  if (!reply.ok) throw Object.assign(new Error(found.error), {status: reply.status, now: found.now});
  return found;
}

// Every message names what went wrong, and nothing that was typed is lost.
function attempt(action) {
  return async (...args) => {
    try { return await action(...args) } catch (error) {
      say(error instanceof TypeError ? "The server does not answer. Is python -m grading mark still running?" : error.message, "bad");
    }
  };
}

async function refresh() {
  const found = await ask("/answers");
  answers = found.answers;
  answers.forEach((answer, place) => { answer.number = place + 1 });
  if (found.rubric.version !== rubric.version) { rubric = found.rubric; showItems() }
  if (current) showDraft();
  showProgress();
}

// What is shown.

const find = id => answers.find(answer => answer.id === id);
const here = () => find(current);
const written = mark => mark === null ? "" : String(mark);
const fresh = ({mark, comment, chosen}) => ({points: written(mark), comment, chosen, seen: {mark, comment}});
const draft = () => drafts.get(current) || fresh(here());  // `seen` is what it began from

const done = () => answers.filter(answer => answer.state === "marked").length;
const answered = () => answers.filter(answer => answer.state !== "blank").length;

const counted = (count, thing) => `${count} ${thing}${count === 1 ? "" : "s"}`;

function say(words, kind = "") { $("said").textContent = words; $("said").className = kind }

function showProgress() {
  const unsaved = drafts.size ? `, ${drafts.size} not saved` : "";
  $("progress").textContent = answers.length ? `${done()} of ${answered()} marked${unsaved}` : "Nothing has been graded yet";
}

function showItems() {
  $("items").replaceChildren(...rubric.items.map((item, number) => {
    const row = document.createElement("li"), label = document.createElement("label"), box = document.createElement("input");
    const key = document.createElement("kbd"), points = document.createElement("b"), words = document.createElement("div");
    box.type = "checkbox";
    box.addEventListener("change", () => toggle(number));
    key.textContent = ITEM_KEYS[number] || "";
    key.hidden = number >= ITEM_KEYS.length;
    points.textContent = item.points > 0 ? `+${item.points}` : String(item.points).replace("-", "−");
    words.className = "markdown";
    words.innerHTML = item.html;
    label.append(box, key, points, words);
    row.append(label);
    return row;
  }));
  $("no-items").hidden = rubric.items.length > 0;
  $("scheme").open = rubric.items.length === 0;
}

function showHead() {
  const answer = here();
  $("which").textContent = `Answer ${answer.number} of ${answer.state === "blank" ? answers.length : answered()}` + (names ? `: ${names[answer.id] || "?"}` : "");
  $("state").textContent = STATES[answer.state] + (answer.mark === null ? "" : `: ${counted(answer.mark, "point")}`) + (drafts.has(current) ? ", not saved" : "");
  $("state").className = answer.state;
}

function showDraft() {
  const now = draft();
  $("points").value = now.points;
  $("comment").value = now.comment;
  [...$("items").querySelectorAll("input")].forEach((box, number) => { box.checked = now.chosen.includes(number) });
  showHead();
  showProgress();
  lock();
}

const open = attempt(async (id, isBack = false) => {
  const turn = ++opened;
  const {html, text: hash, ...answer} = await ask(`/answer?id=${encodeURIComponent(id)}`);
  if (turn !== opened) return;  // another one was asked for meanwhile
  if (current && current !== id && !isBack) trail.push(current);
  current = id;
  text = hash;
  Object.assign(here(), answer);
  $("answer").innerHTML = html;
  $("whole").href = `/notebook?question=${encodeURIComponent(QUESTION)}&id=${encodeURIComponent(id)}`;
  $("whole").hidden = false;
  showDraft();
  $("which").focus();
  window.scrollTo(0, 0);
});

// Moving. An answer with something unsaved is always among those that are shown, unless Find looks for others.

function isShown(answer) {
  if (!isFound(answer) || drafts.has(answer.id)) return isFound(answer);
  return (answer.state !== "blank" || $("blank").checked) && (answer.state !== "marked" || !$("unmarked").checked);
}

function isFound(answer) {
  const wanted = $("find").value.trim().toLowerCase();
  return !wanted || [String(answer.number), answer.comment, names ? names[answer.id] || "" : ""].some(
    (words, kind) => kind ? words.toLowerCase().includes(wanted) : words === wanted);
}

async function move(step) {
  const from = current ? answers.indexOf(here()) : step > 0 ? -1 : answers.length;
  for (let tried = 1; tried <= answers.length; tried++) {
    const answer = answers[(from + step * tried + answers.length * tried) % answers.length];
    if (answer.id !== current && isShown(answer)) return open(answer.id, step < 0);
  }
  if (current && isLocked()) return sayFound();
  say(current ? "There is no other answer to show." : answers.length ? "There is no answer to show: every one is blank, or left out above." : "Grade the class first, then load this page again.");
}

// As long as Find looks for others than the one that is shown, that one is out of sight and cannot be marked: who
// searched for somebody and went on typing would mark another.
const isLocked = () => !current || !isFound(here());

function lock() {
  $("answer").hidden = isLocked();
  for (const field of $("marking").elements) field.disabled = isLocked();
}

function sayFound() {
  if (!isLocked()) return say("");
  if (answers.some(isShown)) return say("Find looks for another answer: Enter, there, shows it.", "warn");
  const where = names ? "" : " Names and ids are searched only while they are shown.";
  const left = answers.some(isFound) ? "What Find looks for is left out above." : "No answer matches what Find looks for.";
  say(`${left}${where} Nothing can be marked until Find is cleared, or an answer matches.`, "bad");
}

// What was shown before is shown again, whatever is left out above; before all that, the one above in the order.
async function back() {
  while (trail.length) {
    const id = trail.pop();
    if (id !== current && find(id) && isFound(find(id))) return open(id, true);
  }
  return move(-1);
}

// Marking.

function keep(change) {
  if (isLocked()) return;
  const now = {...draft(), ...change}, saved = here();
  const same = now.points === written(saved.mark) && now.comment === saved.comment.replace(/\r\n?/g, "\n")
    && now.chosen.join() === saved.chosen.join();
  if (same) drafts.delete(current); else drafts.set(current, now);
  say("");
  showDraft();
}

function toggle(number) {
  if (isLocked()) return;
  const was = draft().chosen;
  const chosen = was.includes(number) ? was.filter(one => one !== number) : [...was, number].sort((a, b) => a - b);
  keep({chosen, points: chosen.length ? String(total(chosen)) : ""});
}

function total(chosen) {
  const sum = chosen.reduce((points, number) => points + rubric.items[number].points, 0);
  return Math.round(100 * Math.min(Math.max(sum, 0), POSSIBLE)) / 100;
}

const save = attempt(async () => {
  if (isLocked()) return;
  const id = current, mine = draft(), {points, comment, chosen, seen} = mine;
  const mark = points.trim() === "" ? null : Number(points.trim().replace(",", "."));
  if (Number.isNaN(mark) || mark < 0 || mark > POSSIBLE) return say(`Points: expected 0 to ${POSSIBLE}, got ${points}.`, "bad");
  if (mark === null && seen.mark === null && comment === seen.comment) {
    return say("It has no points yet: choose items, or type points. 0 gives none.", "warn");
  }
  let saved;
  try {
    saved = await ask("/mark", {id, text, rubric: rubric.version, seen, given: {mark, comment, chosen}});
  } catch (error) {
    if (error.status !== 409) throw error;
    return conflict(error, id, mine);
  }
  Object.assign(find(id), saved);
  drafts.delete(id);
  await move(1);
  if (current === id) showDraft();  // there was no other to show
  const whose = current === id ? "Saved" : "The answer before: saved";
  const what = mark === null ? ", without a mark." : `${current === id ? ":" : ","} ${counted(mark, "point")}.`;
  say(whose + what + (done() === answered() ? ` All ${done()} are marked.` : ""));
});

// Somebody else was faster: what they did is shown, and yours is still there to be saved over it.
async function conflict(error, id, mine) {
  await refresh();
  drafts.set(id, {...mine, seen: error.now ? {mark: error.now.mark, comment: error.now.comment} : mine.seen});
  await open(id);
  say(`${error.message} Enter saves yours, z takes what is there.`, "warn");
}

// Names, and the rubric for everybody.

const showNames = attempt(async () => {
  names = $("named").checked ? await ask("/names") : null;
  if (!current) return;
  showDraft();
  if ($("find").value.trim()) sayFound();
});

function rubricRow(item = {points: "", text: ""}) {
  const row = document.createElement("li"), points = document.createElement("input"), words = document.createElement("textarea");
  points.value = String(item.points);
  points.inputMode = "decimal";
  points.addEventListener("focus", () => points.select());
  points.setAttribute("aria-label", "Points");
  words.value = item.text;
  words.rows = 2;
  words.placeholder = item.text ? "" : "a new item";
  words.setAttribute("aria-label", item.text ? "What for" : "What for: a new item");
  row.append(points, words);
  return row;
}

function openRubric() {
  $("rows").replaceChildren(...rubric.items.map(rubricRow), rubricRow());
  tell("");
  $("rubric").showModal();
}

function tell(words) { $("rubric-said").textContent = words; $("rubric-said").className = words ? "bad" : "" }

async function saveRubric() {
  const rows = [...$("rows").children].map(row => [row.querySelector("input").value.trim().replace(",", "."), row.querySelector("textarea").value]);
  const filled = rows.filter(([points, words], number) => number < rubric.items.length || points || words.trim());
  try {
    if (filled.some(([points]) => points === "" || Number.isNaN(Number(points)))) throw new Error("Each item needs points, such as 0.5 or -1.");
    const {changed, stayed} = await ask("/rubric", {seen: rubric.version, items: filled.map(([points, words]) => [Number(points), words])});
    await refresh();
    $("rubric").close();
    if (current) await open(current);
    say(`The rubric is saved: ${counted(changed, "mark")} changed` + (stayed ? `, ${counted(stayed, "mark")} that somebody typed stayed.` : "."));
  } catch (error) { tell(error.message) }
}

// Keys.

const COMMANDS = {
  j: () => move(1), ArrowRight: () => move(1), k: back, ArrowLeft: back,
  c: () => $("comment").focus(), p: () => $("points").select(), f: () => $("full").click(), 0: () => $("none").click(),
  z: () => $("revert").click(), n: () => $("named").click(), u: () => $("unmarked").click(), b: () => $("blank").click(),
  "/": () => $("find").select(), r: openRubric, "?": () => $("help").showModal(), o: () => $("whole").click(),
  q: () => $("asked").querySelector("summary").click(), s: () => $("scheme").querySelector("summary").click(), Enter: save,
};

const isTyped = element => element.matches("textarea, input:not([type=checkbox])");

document.addEventListener("keydown", event => {
  const {key, target} = event;
  if (document.querySelector("dialog[open]") || event.altKey || event.isComposing) return;
  if (isTyped(target)) return keyInField(event);
  if (event.ctrlKey || event.metaKey || !$("keys").checked) return;
  if (key === "Enter" && target.closest("button, a, summary")) return;  // it does what it is for
  const item = ITEM_KEYS.indexOf(key);
  if (item >= 0 && item < rubric.items.length && key.length === 1) toggle(item);
  else if (Object.hasOwn(COMMANDS, key)) COMMANDS[key]();
  else return;
  event.preventDefault();
});

function keyInField(event) {
  const saves = event.key === "Enter" && (event.target === $("points") || event.ctrlKey || event.metaKey);
  if (event.key === "Escape") $("which").focus();
  else if (saves && event.target !== $("find")) save();
  else if (event.key === "Enter" && event.target === $("find")) move(1);
  else return;
  event.preventDefault();
}

$("points").addEventListener("input", () => keep({points: $("points").value}));
$("comment").addEventListener("input", () => keep({comment: $("comment").value}));
$("full").addEventListener("click", () => keep({points: String(POSSIBLE)}));
$("none").addEventListener("click", () => keep({points: "0", chosen: []}));
$("revert").addEventListener("click", () => { drafts.delete(current); say("As it is saved."); showDraft() });
$("marking").addEventListener("submit", event => { event.preventDefault(); save() });
$("find").addEventListener("input", () => { if (current) { lock(); sayFound() } });
$("back").addEventListener("click", back);
$("on").addEventListener("click", () => move(1));
$("named").addEventListener("change", showNames);
$("open-rubric").addEventListener("click", openRubric);
$("open-help").addEventListener("click", () => $("help").showModal());
$("rubric").querySelector("form").addEventListener("submit", event => { event.preventDefault(); saveRubric() });
document.querySelectorAll("dialog .close").forEach(button => button.addEventListener("click", () => button.closest("dialog").close()));
addEventListener("beforeunload", event => { if (drafts.size) event.preventDefault() });
setInterval(() => { if (!document.hidden) attempt(refresh)() }, REFRESH);

attempt(async () => {
  await refresh();
  $("unmarked").checked = answers.some(answer => ["unmarked", "changed"].includes(answer.state));
  await move(1);
})();
