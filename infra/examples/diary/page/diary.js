/** A diary with a voice. Entries go to the API, recordings straight to S3. */

import { ApiError, Client, NetworkError, sessionStore } from "./client.js";
import { API } from "./config.js";

const byId = (id) => document.getElementById(id);
const client = new Client(API, { store: sessionStore(), onChange: show });

let recorder = null;
let recording = null; // a Blob that waits for its entry
let next = null; // the cursor of the following page

/** Call a route under /entries; return its JSON. Throws ApiError or NetworkError. */
async function call(path, method = "GET", body = undefined) {
  const init = { method };
  if (body) {
    init.headers = { "Content-Type": "application/json" };
    init.body = JSON.stringify(body);
  }
  const answer = await client.fetch(`/entries${path}`, init);
  const json = answer.status === 204 ? null : await answer.json();
  if (!answer.ok) throw new Error(json.message);
  return json;
}

/** Do something for a button, which waits for it, and say what went wrong. */
async function act(button, what) {
  button.disabled = true;
  say("");
  try {
    await what();
  } catch (error) {
    const known = error instanceof ApiError || error instanceof Error;
    say(error instanceof NetworkError ? "The diary can't be reached. Try again." : known ? error.message : String(error));
  } finally {
    button.disabled = false;
  }
}

function say(text) {
  byId("said").textContent = text;
}

function show(signedIn) {
  byId("signIn").hidden = signedIn;
  byId("diary").hidden = byId("signOut").hidden = !signedIn;
  if (signedIn) act(byId("more"), () => list());
}

/** Show the first page of the chosen day, or add the following one. */
async function list(cursor = null) {
  const query = new URLSearchParams({ day: byId("day").value });
  if (cursor) query.set("next", cursor);
  const page = await call(`?${query}`);
  if (!cursor) byId("entries").replaceChildren();
  byId("entries").append(...page.entries.map(item));
  next = page.next;
  byId("more").hidden = !next;
  byId("empty").hidden = byId("entries").childElementCount > 0;
}

/** Return the list item of an entry. */
function item(entry) {
  const li = byId("entry").content.cloneNode(true).firstElementChild;
  const part = (selector) => li.querySelector(selector);
  part(".text").textContent = entry.text;
  const made = new Date(entry.createdAt);
  part("time").dateTime = entry.createdAt;
  part("time").textContent = made.toLocaleTimeString([], { timeStyle: "short" });
  part(".play").hidden = !entry.recording;
  part(".play").onclick = ({ target }) => act(target, () => play(entry, part("audio")));
  part(".change").onclick = ({ target }) =>
    act(target, async () => {
      const text = prompt("The entry", entry.text)?.trim();
      if (!text) return;
      entry = await call(`/${entry.id}`, "POST", { text });
      part(".text").textContent = entry.text;
    });
  part(".delete").onclick = ({ target }) =>
    act(target, async () => {
      if (!confirm("Delete this entry and its recording?")) return;
      await call(`/${entry.id}`, "DELETE");
      li.remove();
      byId("empty").hidden = byId("entries").childElementCount > 0;
      say("Deleted.");
    });
  return li;
}

async function play(entry, audio) {
  const { url } = await call(`/${entry.id}/recording`);
  audio.hidden = false;
  audio.src = url;
  await audio.play();
}

/** Upload a recording straight to S3, by a form that is bound to this entry. */
async function upload(entry, blob) {
  const { url, fields } = await call(`/${entry.id}/recording`, "POST", { type: blob.type });
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", blob);
  const answer = await fetch(url, { method: "POST", body: form });
  if (!answer.ok) throw new Error("The entry is written, but its recording wasn't accepted.");
}

async function startRecording() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const parts = [];
  recorder = new MediaRecorder(stream);
  recorder.ondataavailable = ({ data }) => parts.push(data);
  recorder.onstop = () => {
    for (const track of stream.getTracks()) track.stop();
    // S3 compares the type with the form's, which has no codec.
    recording = new Blob(parts, { type: recorder.mimeType.split(";")[0] });
    byId("recorded").textContent = "A recording waits for its entry.";
    recorder = null;
  };
  recorder.start();
}

byId("record").onclick = ({ target }) =>
  act(target, async () => {
    if (recorder) recorder.stop();
    else await startRecording();
    const on = target.getAttribute("aria-pressed") === "false";
    target.setAttribute("aria-pressed", on);
    target.textContent = on ? "Stop" : "Record";
    if (on) byId("recorded").textContent = "Recording…";
  });

byId("write").onsubmit = (event) => {
  event.preventDefault();
  const { day, text } = Object.fromEntries(new FormData(event.target));
  act(event.submitter ?? byId("write").querySelector("button"), async () => {
    const entry = await call("", "POST", { day, text });
    event.target.elements.text.value = "";
    const blob = recording;
    recording = null;
    byId("recorded").textContent = "";
    try {
      if (blob) await upload(entry, blob);
    } finally {
      await list();
    }
    say(blob ? "Written, with its recording." : "Written.");
  });
};

byId("signIn").onsubmit = (event) => {
  event.preventDefault();
  const { email, password } = Object.fromEntries(new FormData(event.target));
  act(event.submitter ?? byId("signIn").querySelector("button"), async () => {
    await client.signIn({ email, password });
    event.target.reset();
  });
};

byId("signOut").onclick = ({ target }) => act(target, () => client.signOut());
byId("day").onchange = ({ target }) => act(target, () => list());
byId("more").onclick = ({ target }) => act(target, () => list(next));

// The day of this place, not of Greenwich
const now = new Date();
byId("day").value = new Date(now - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
show(client.signedIn);
