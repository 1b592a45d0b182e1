// The documents: adding, listing and removing them, and the meter of the context.

import { request } from "./api.js";
import { announce, byId, count, make, show } from "./dom.js";

let limits = null;
let onChange = async () => {};

/** Make the drop zone and the button work; `changed` is called whenever documents have changed. */
export function startDocuments(changed) {
  onChange = changed;
  const drop = byId("drop");
  byId("files").addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return; // a browser opens the dialog by Space alone
    event.preventDefault();
    event.target.click();
  });
  byId("files").addEventListener("change", async (event) => {
    const files = [...event.target.files];
    event.target.value = "";
    await addFiles(files);
  });
  for (const name of ["dragover", "drop"]) {
    window.addEventListener(name, (event) => event.preventDefault());
  }
  window.addEventListener("dragenter", () => drop.classList.add("over"));
  window.addEventListener("dragleave", (event) => event.relatedTarget || drop.classList.remove("over"));
  window.addEventListener("drop", (event) => {
    drop.classList.remove("over");
    addFiles([...event.dataTransfer.files]);
  });
  byId("cut").addEventListener("change", async (event) => {
    await request("PUT", "/api/cut", { is_cut: event.target.checked });
    await onChange();
  });
}

/** Add files one after another; a file that is refused keeps a line with the reason. */
async function addFiles(files) {
  const lines = files.map((file) => make("li", { className: "upload" }, make("span", { className: "spinner" }), ` ${file.name} …`));
  byId("uploads").append(...lines);
  for (const [number, file] of files.entries()) await addFile(file, lines[number]);
}

/** Add a file, whose line goes when it is read. */
async function addFile(file, line) {
  announce(`Reading ${file.name}`);
  try {
    if (file.size > limits.max_file_bytes) {
      throw new Error(`It has more than ${Math.round(limits.max_file_bytes / 1e6)} MB, the most that is taken.`);
    }
    await request("POST", `/api/documents?name=${encodeURIComponent(file.name)}`, file);
    await onChange();
    line.remove();
    announce(`${file.name} is added.`);
  } catch (error) {
    showRefusal(line, file.name, error.message);
  }
}

/** Turn the line of a file into the reason why it was refused. */
function showRefusal(line, name, reason) {
  const close = make("button", { type: "button", className: "quiet", textContent: "✕" });
  close.setAttribute("aria-label", `Dismiss the message about ${name}`);
  close.addEventListener("click", () => line.remove());
  line.className = "upload refused";
  const words = make("span", {}, make("strong", { textContent: name }), ` was not added. ${reason}`);
  words.setAttribute("role", "alert");
  line.replaceChildren(words, close);
}

/** Show documents and meter as the server describes them. */
export function showDocuments(state) {
  limits = state.limits;
  byId("files").accept = limits.suffixes.join(",");
  byId("kinds").textContent = `PDF, EPUB, HTML, TeX, text; up to ${Math.round(limits.max_file_bytes / 1e6)} MB each`;
  byId("documents").replaceChildren(...state.documents.map((each) => describe(each, state.categories)));
  showMeter(state.meter, state.documents.length);
}

/** Return the list item of a document. */
function describe(each, categories) {
  const pages = each.num_pages ? `${count(each.num_pages)} pages · ` : "";
  const remove = make("button", { type: "button", className: "quiet", textContent: "✕" });
  remove.setAttribute("aria-label", `Remove ${each.name}`);
  remove.addEventListener("click", async () => {
    await request("DELETE", `/api/documents/${each.key}`);
    announce(`${each.name} is removed.`);
    await onChange();
    byId("files").focus();
  });
  const choice = make("select", {}, ...categories.map((name) => make("option", { value: name, textContent: name })));
  choice.value = each.category;
  choice.setAttribute("aria-label", `Kind of ${each.name}`);
  choice.addEventListener("change", async () => {
    await request("PATCH", `/api/documents/${each.key}`, { category: choice.value });
    await onChange();
  });
  return make(
    "li",
    { className: "document" },
    make("div", { className: "title-row" }, make("strong", { textContent: each.title, title: each.name }), remove),
    make("div", { className: "facts" }, `${pages}${count(each.num_tokens)} tokens`, choice),
    each.notice && make("p", { className: "notice", textContent: each.notice }),
  );
}

/** Show how much of the context is filled, and by what. */
function showMeter(meter, numDocuments) {
  show(byId("meter-box"), numDocuments > 0);
  show(byId("forget"), numDocuments > 0);
  const talk = meter.conversation;
  const filled = meter.documents + talk + meter.reply;
  const scale = 100 / Math.max(meter.context, filled);
  const element = byId("meter");
  element.classList.toggle("over", !meter.fits);
  element.setAttribute("aria-valuemax", meter.context);
  element.setAttribute("aria-valuenow", Math.min(filled, meter.context));
  const words = `${count(filled)} of ${count(meter.context)} tokens`;
  element.setAttribute("aria-valuetext", words);
  byId("meter-total").textContent = words;
  const parts = { documents: meter.documents, talk, reply: meter.reply };
  const names = { documents: "documents", talk: "kept for the conversation", reply: "kept for the answer" };
  for (const [name, size] of Object.entries(parts)) element.querySelector(`.of-${name}`).style.width = `${size * scale}%`;
  byId("legend").replaceChildren(
    ...Object.entries(parts).map(([name, size]) =>
      make("li", {}, make("span", { className: `fill of-${name}` }), `${count(size)} ${names[name]}`),
    ),
  );
  const excess = byId("excess");
  show(excess, !meter.fits);
  excess.textContent = meter.fits
    ? ""
    : `Too long: the documents have ${count(meter.documents)} tokens, and ${count(meter.room)} fit. ` +
      "Remove one, or keep only the beginnings.";
  show(byId("cut-label"), !meter.fits || meter.is_cut);
  byId("cut").checked = meter.is_cut;
}
