// A place in a document, opened beside the answer: the page's picture with the words boxed, or the text around them.

import { request } from "./api.js";
import { announce, byId, make, show } from "./dom.js";

let opener = null;

/** Make the button and the Escape key close the place. */
export function startPlaces() {
  byId("close-place").addEventListener("click", closePlace);
  byId("place").addEventListener("keydown", (event) => event.key === "Escape" && closePlace());
}

/** Open the place of a link; `element` gets the focus back when it is closed. */
export async function openPlace(link, element) {
  opener = element;
  const body = byId("place-body");
  byId("place-title").textContent = link.page ? `${link.name}, page ${link.page}` : link.name;
  body.replaceChildren(make("p", { className: "faint", textContent: "Opening …" }));
  show(byId("place"), true);
  document.body.classList.add("has-place");
  for (const other of document.querySelectorAll(".link.open")) other.classList.remove("open");
  element.classList.add("open");
  try {
    const place = await request("GET", `/api/documents/${link.document}/place?from=${link.from}&to=${link.to}`);
    body.replaceChildren(...makePlace(place));
  } catch (error) {
    body.replaceChildren(make("p", { className: "warning", textContent: error.message }));
  }
  byId("place").focus({ preventScroll: true });
  body.querySelector(".box, mark")?.scrollIntoView({ block: "center" });
  announce(`${byId("place-title").textContent}: ${link.quote}`);
}

/** Close the place and go back to its link. */
function closePlace() {
  show(byId("place"), false);
  document.body.classList.remove("has-place");
  opener?.classList.remove("open");
  opener?.focus();
}

/** Return what is shown of a place. */
function makePlace(place) {
  const mark = make("mark", { textContent: place.quote });
  const isBoxed = place.picture && place.picture.boxes.length > 0;
  if (isBoxed) {
    const words = make("blockquote", { className: "quote" }, mark);
    return [makePicture(place), words];
  }
  const text = make("div", { className: "excerpt" }, cutStart(place.before), mark, cutEnd(place.after));
  return place.picture ? [text, makePicture(place)] : [text];
}

/** Return the picture of a page with boxes around the words. */
function makePicture(place) {
  const { png, width, height, boxes } = place.picture;
  const alt = `Page ${place.page} of ${place.title}`;
  const frame = make("div", { className: "page" }, make("img", { src: `data:image/png;base64,${png}`, alt, width, height }));
  for (const [left, top, right, bottom] of boxes) {
    const box = make("span", { className: "box" });
    box.style.left = `${left * 100}%`;
    box.style.top = `${top * 100}%`;
    box.style.width = `${(right - left) * 100}%`;
    box.style.height = `${(bottom - top) * 100}%`;
    frame.append(box);
  }
  return frame;
}

/** Return a text from the first whole word on, with an ellipsis. */
const cutStart = (text) => (text.length > 1000 ? `… ${text.slice(text.indexOf(" ") + 1)}` : text);

/** Return a text up to the last whole word, with an ellipsis. */
const cutEnd = (text) => (text.length > 1000 ? `${text.slice(0, text.lastIndexOf(" "))} …` : text);
