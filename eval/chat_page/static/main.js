// The page: its state comes from the server, so that a reload loses nothing.

import { request } from "./api.js";
import { ask, showConversation, startConversation } from "./conversation.js";
import { showDocuments, startDocuments } from "./documents.js";
import { announce, byId, make, show } from "./dom.js";
import { startPlaces } from "./places.js";

let state = null;
let replaced = null; // the key of the question that is edited
let asked = null; // the key of the question that is being answered

/** Fetch the state and show documents, meter and buttons; answers are written by the stream. */
async function refresh() {
  state = await request("GET", "/api/state");
  showDocuments(state);
  byId("models").textContent = state.models.map((model) => model.name).join(" and ");
  show(byId("compare-label"), state.models.length > 1);
  show(byId("welcome"), state.questions.length === 0);
  byId("lead").textContent = state.documents.length ? "What do you want to know?" : "Add a document, then ask about it.";
  for (const id of ["export-markdown", "export-row", "clear"]) show(byId(id), state.questions.length > 0);
  asked = state.questions.find((question) => !question.is_ended)?.key || null;
  showBusy();
  showExamples();
  if (state.has_ended) {
    byId("ended").textContent = "The page was not used for long, and its documents and conversation were deleted.";
    show(byId("ended"), true);
  }
}

/** Show Stop instead of Ask while an answer is written. */
function showBusy() {
  show(byId("stop"), asked !== null);
  show(byId("send"), asked === null);
}

/** Show questions to begin with, by the kinds of the documents. */
function showExamples() {
  const isShown = state.questions.length === 0 && state.documents.length > 0;
  byId("examples").replaceChildren(
    ...(isShown ? state.examples : []).map((words) => {
      const button = make("button", { type: "button", className: "example", textContent: words });
      button.addEventListener("click", () => {
        byId("question").value = words;
        byId("question").focus();
      });
      return button;
    }),
  );
}

/** Ask what is written in the box. */
async function send() {
  const box = byId("question");
  const names = byId("compare").checked ? state.models.map((model) => model.label) : [];
  if (await start(box.value, names, replaced)) {
    box.value = "";
    endEdit();
  }
}

/** Put a question into the queue; say why if that cannot be done. */
async function start(text, models, earlier) {
  byId("fault").textContent = "";
  try {
    asked = (await ask(text, models, earlier)).key;
    show(byId("welcome"), false);
    byId("examples").replaceChildren();
    showBusy();
    announce("The question is asked.");
    return true;
  } catch (error) {
    byId("fault").textContent = error.message;
    return false;
  }
}

/** Take a question back into the box. */
function beginEdit(question) {
  replaced = question.key;
  byId("editing").firstElementChild.textContent = "Your edited question replaces the earlier one and what followed it.";
  show(byId("editing"), true);
  byId("question").value = question.question;
  byId("question").focus();
}

/** Go back to a new question. */
function endEdit() {
  replaced = null;
  show(byId("editing"), false);
}

/** Show the colours that are not shown now, and remember the choice. */
function toggleTheme() {
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  localStorage.setItem("theme", theme);
  showTheme();
}

/** Say whether the page is dark. */
function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Have the button say whether the page is dark. */
function showTheme() {
  byId("theme").setAttribute("aria-pressed", String(isDark()));
}

/** Make buttons and keys work, and show the session. */
async function main() {
  startDocuments(refresh);
  startPlaces();
  startConversation({
    onEnd: refresh,
    onEdit: beginEdit,
    onRetry: (question) => start(question.question, question.answers.map((answer) => answer.model), question.key),
  });
  byId("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    if (asked === null) send();
  });
  byId("question").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      byId("ask").requestSubmit();
    }
  });
  byId("stop").addEventListener("click", () => asked && request("POST", `/api/questions/${asked}/stop`));
  byId("cancel-edit").addEventListener("click", () => {
    endEdit();
    byId("question").value = "";
    byId("question").focus();
  });
  byId("clear").addEventListener("click", async () => {
    await request("DELETE", "/api/questions");
    showConversation([]);
    await refresh();
    byId("question").focus();
  });
  byId("forget").addEventListener("click", async () => {
    await request("DELETE", "/api/session");
    showConversation([]);
    await refresh();
    byId("files").focus();
  });
  byId("theme").addEventListener("click", toggleTheme);
  showTheme();
  await refresh();
  showConversation(state.questions);
  document.body.dataset.ready = "true";
}

main();
