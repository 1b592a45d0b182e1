// Small helpers for the DOM.

/** Return the element with an id. */
export const byId = (id) => document.getElementById(id);

/** Make an element with properties, then children; strings become text, never HTML. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Show or hide an element. */
export function show(element, isShown) {
  element.hidden = !isShown;
}

/** Write a number with separators between thousands. */
export const count = (number) => number.toLocaleString("en-US");

/** Have a screen reader say some words. */
export function announce(words) {
  byId("announcer").textContent = words;
}

/** Copy a text to the clipboard, also where the page is not served from this machine. */
export async function copyText(text) {
  if (navigator.clipboard && window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = make("textarea", { value: text, className: "unseen" });
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
