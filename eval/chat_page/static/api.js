// The requests that the page makes, all to its own server.

/** Send a request and return its JSON; throw an Error with the server's words if it is refused. */
export async function request(method, path, content) {
  const options = { method };
  if (content instanceof Blob) options.body = content;
  else if (content !== undefined) options.body = JSON.stringify(content);
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("The server cannot be reached.");
  }
  const found = await answer.json().catch(() => ({}));
  if (found.error || !answer.ok) throw new Error(found.error || `The server answered with status ${answer.status}.`);
  return found;
}

/** Call `onChange` with each event of a question's answers, until they have ended. */
export async function follow(key, onChange) {
  const answer = await fetch(`/api/questions/${key}/events`);
  if (!answer.ok) throw new Error("The answer cannot be followed. Reload the page.");
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let pending = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (pending + value).split("\n\n");
    pending = events.pop();
    for (const event of events) {
      if (event.startsWith("data: ")) onChange(JSON.parse(event.slice("data: ".length)));
    }
  }
}
