// The questions and their answers, which are written as they come.

import { follow, request } from "./api.js";
import { announce, byId, copyText, count, make } from "./dom.js";
import { openPlace } from "./places.js";

const LABELS = { tuned: "Tuned", base: "Base", model: "Answer" };
const followed = new Set();
let handlers = {};

/** Say what happens on retry, on edit, and when an answer has ended. */
export function startConversation(given) {
  handlers = given;
}

/** Show all questions of a session, and follow those that are not answered yet. */
export function showConversation(questions) {
  byId("questions").replaceChildren(...questions.map((question) => makeQuestion(question)));
  for (const question of questions) {
    if (!question.is_ended) followQuestion(question.key);
  }
}

/** Add a question that was just asked. */
export function addQuestion(question) {
  const element = makeQuestion(question);
  byId("questions").append(element);
  element.scrollIntoView({ block: "start" });
  followQuestion(question.key);
}

/** Write the answers to a question as they come. */
async function followQuestion(key) {
  if (followed.has(key)) return;
  followed.add(key);
  const texts = new Map();
  const spoken = new Map();
  try {
    await follow(key, (question) => {
      for (const answer of question.answers) {
        const before = answer.text_start ? texts.get(answer.model) || "" : "";
        answer.text = before + answer.text;
        texts.set(answer.model, answer.text);
        speak(answer, spoken);
      }
      updateQuestion(question);
    });
  } catch (error) {
    announce(error.message);
  } finally {
    followed.delete(key);
    await handlers.onEnd();
  }
}

/** Have a screen reader say each whole sentence of an answer once. */
function speak(answer, spoken) {
  const start = spoken.get(answer.model) || 0;
  const isEnded = ["done", "stopped", "failed"].includes(answer.status);
  const end = isEnded ? answer.text.length : answer.text.lastIndexOf(". ") + 1;
  if (end > start) {
    announce(answer.text.slice(start, end));
    spoken.set(answer.model, end);
  }
}

/** Return the element of a question with its answers. */
function makeQuestion(question) {
  const tools = make("div", { className: "tools" });
  const edit = make("button", { type: "button", className: "quiet", textContent: "Edit" });
  edit.addEventListener("click", () => handlers.onEdit(question));
  const retry = make("button", { type: "button", className: "quiet", textContent: "Retry" });
  retry.addEventListener("click", () => handlers.onRetry(question));
  tools.append(edit, retry);
  const element = make(
    "article",
    { className: "question", id: `question-${question.key}` },
    make("header", {}, make("h3", { textContent: question.question }), tools),
    make("div", { className: question.answers.length > 1 ? "answers side-by-side" : "answers" }),
  );
  fillAnswers(element, question);
  return element;
}

/** Show the newest state of a question. */
function updateQuestion(question) {
  const element = byId(`question-${question.key}`);
  if (element) fillAnswers(element, question);
}

/** Put the answers into the element of a question. */
function fillAnswers(element, question) {
  const isNamed = question.answers.length > 1;
  element.querySelector(".answers").replaceChildren(
    ...question.answers.map((answer) => makeAnswer(answer, question.position, isNamed)),
  );
}

/** Return the element of an answer. */
function makeAnswer(answer, position, isNamed) {
  const element = make("div", { className: `answer ${answer.status}` });
  element.dataset.model = answer.model;
  element.dataset.cached = answer.num_cached ?? "";
  element.dataset.promptTokens = answer.num_prompt_tokens;
  if (isNamed) element.append(make("h4", { textContent: LABELS[answer.model] || answer.model }));
  if (answer.num_left_out) {
    const pairs = answer.num_left_out === 1 ? "The earliest question is" : `The ${answer.num_left_out} earliest questions are`;
    element.append(make("p", { className: "note", textContent: `${pairs} left out of the prompt: the context is full.` }));
  }
  if (answer.text) element.append(makeText(answer));
  const progress = describeProgress(answer, position);
  if (progress) element.append(progress);
  if (answer.error) element.append(make("p", { className: "warning", textContent: answer.error }));
  if (answer.status === "stopped") element.append(make("p", { className: "note", textContent: "Stopped." }));
  if (answer.text && answer.status !== "writing") element.append(makeCopyButton(answer.text));
  return element;
}

/** Return the text of an answer with its links. Offsets count code points, as in Python. */
function makeText(answer) {
  const letters = Array.from(answer.text);
  const element = make("p", { className: "text" });
  let last = 0;
  for (const link of answer.links) {
    element.append(letters.slice(last, link.start).join(""), makeLink(link, letters.slice(link.start, link.end).join("")));
    last = link.end;
  }
  element.append(letters.slice(last).join("").trimEnd());
  if (answer.status === "writing") element.append(make("span", { className: "caret" }));
  return element;
}

/** Return a sentence that opens its place when it is clicked. */
function makeLink(link, words) {
  const place = link.page ? `p. ${link.page}` : "text";
  const element = make("a", { href: "#place", className: "link", title: `${link.name}, ${place}` }, words);
  element.append(make("span", { className: "chip", textContent: place }));
  element.addEventListener("click", (event) => {
    event.preventDefault();
    openPlace(link, element);
  });
  return element;
}

/** Return what is happening before the first word: waiting in the queue, or reading. */
function describeProgress(answer, position) {
  if (answer.status === "waiting") {
    const words = position ? `Number ${position} in the queue` : "Next, after the other model";
    return make("p", { className: "progress" }, make("span", { className: "spinner" }), ` ${words} …`);
  }
  if (answer.status !== "reading") return null;
  if (!answer.num_prompt_tokens) {
    return make("p", { className: "progress" }, make("span", { className: "spinner" }), " Starting to read …");
  }
  const left = answer.seconds_left === null ? "" : `, about ${formatSeconds(answer.seconds_left)} left`;
  const kept = answer.num_cached ? ` (${count(answer.num_cached)} known from before)` : "";
  const words = `Reading ${count(answer.num_read)} of ${count(answer.num_prompt_tokens)} tokens${kept}${left}`;
  const bar = make("progress", { max: answer.num_prompt_tokens, value: answer.num_read });
  bar.setAttribute("aria-label", "Part of the documents that is read");
  return make("div", { className: "progress" }, bar, make("span", { textContent: words }));
}

/** Write a number of seconds as a person says it. */
function formatSeconds(seconds) {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

/** Return a button that copies an answer. */
function makeCopyButton(text) {
  const button = make("button", { type: "button", className: "quiet copy", textContent: "Copy" });
  button.addEventListener("click", async () => {
    await copyText(text);
    button.textContent = "Copied";
    announce("The answer is copied.");
  });
  return button;
}

/** Put a question into the queue and show it. */
export async function ask(text, models, replaced) {
  const question = await request("POST", "/api/questions", { question: text, models, replaced });
  if (replaced) {
    const old = byId(`question-${replaced}`);
    while (old?.nextSibling) old.nextSibling.remove();
    old?.remove();
  }
  addQuestion(question);
  return question;
}
