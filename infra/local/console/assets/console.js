// Shows /console/state, once a second, and sends the actions of the buttons. Everything is inserted
// as text, never as markup, because people choose their own addresses.

const EVERY = 1000; // milliseconds
const STATES = {
  UNCONFIRMED: "Unconfirmed: has not entered the code",
  CONFIRMED: "Confirmed",
  RESET_REQUIRED: "Must reset the password, with the code in the mailbox",
  FORCE_CHANGE_PASSWORD: "Must choose a new password at sign-in",
  EXTERNAL_PROVIDER: "Google account",
};
// Hidden for Google users: Cognito refuses the first, and the second would give them a password.
const FOR_PASSWORDS = ["reset-password", "new-password"];
const byId = (id) => document.getElementById(id);
const said = {}; // what each part shows, as JSON: unchanged parts are not drawn again
let newest = null; // the newest mail of the last look
let pool = null; // the id of the pool to which people are invited

function news(text) {
  byId("news").textContent = text;
}

/** Send an action, show its outcome, and return whether it succeeded. */
async function send(path, body) {
  let outcome = "The local Cognito did not answer.";
  let ok = false;
  try {
    const answer = await fetch(`console/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    outcome = (await answer.json()).message;
    ok = answer.ok;
  } catch {
    // It stays as it is.
  }
  await look();
  news(outcome); // last, because an e-mail that this action caused is announced, too
  return ok;
}

function mailItem(mail) {
  const item = byId("mail").content.firstElementChild.cloneNode(true);
  item.querySelector("h3").textContent = mail.to;
  item.querySelector(".subject").textContent = mail.subject;
  item.querySelector(".text").textContent = mail.text;
  const time = item.querySelector("time");
  time.dateTime = mail.sentAt;
  time.textContent = new Date(mail.sentAt).toLocaleString();
  item.querySelector("strong").textContent = mail.code;
  const button = item.querySelector("button");
  button.setAttribute("aria-label", `Copy the code ${mail.code}`);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(mail.code);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(item.querySelector("strong"));
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  return item;
}

function userItem(user) {
  const item = byId("user").content.firstElementChild.cloneNode(true);
  item.querySelector("h3").textContent = user.email;
  const parts = [STATES[user.status] ?? user.status];
  if (user.google && user.status !== "EXTERNAL_PROVIDER") parts.unshift("Google account");
  if (!user.enabled) parts.push("disabled");
  if (user.mfa) parts.push("with a second factor");
  item.querySelector(".state").textContent = parts.join(", ");
  const who = { pool: user.pool, username: user.username };
  const [join, groups] = [item.querySelector("form"), item.querySelector(".groups")];
  join.addEventListener("submit", (event) => {
    event.preventDefault();
    send("join-group", { ...who, group: join.querySelector("input").value });
  });
  groups.setAttribute("aria-label", `Groups of ${user.email}`);
  for (const group of user.groups) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.action = `leave ${group}`;
    button.textContent = `${group} ×`;
    button.setAttribute("aria-label", `Remove from ${group}`);
    button.addEventListener("click", () => send("leave-group", { ...who, group }));
    groups.append(button);
  }
  item.querySelector(".changes").setAttribute("aria-label", `Change ${user.email}`);
  for (const button of item.querySelectorAll(".changes button")) {
    const { action } = button.dataset;
    button.hidden = action === (user.enabled ? "enable" : "disable")
      || (user.google && FOR_PASSWORDS.includes(action));
    button.addEventListener("click", () => {
      if (action !== "delete" || confirm(`Delete ${user.email}?`)) {
        send("user", { ...who, action });
      }
    });
  }
  return item;
}

// An unchanged entry keeps its element, so focus and selection survive an update.
function fill(list, entries, make) {
  const key = (entry) => JSON.stringify(entry);
  const old = new Map([...list.children].map((item) => [item.dataset.key, item]));
  const items = entries.map((entry) => {
    const item = old.get(key(entry)) ?? make(entry);
    item.dataset.key = key(entry);
    return item;
  });
  const focused = document.activeElement?.dataset.action;
  const among = [...list.children].indexOf(document.activeElement?.closest("li"));
  for (const item of [...list.children]) if (!items.includes(item)) item.remove();
  items.forEach((item, index) => {
    if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
  });
  // A user whose state changed is a new element: keep the keyboard where it was.
  if (focused && document.activeElement === document.body) {
    const buttons = list.children[among]?.querySelectorAll("[data-action]:not([hidden])") ?? [];
    ([...buttons].find((button) => button.dataset.action === focused) ?? buttons[0])?.focus();
  }
}

function changed(part, value) {
  const text = JSON.stringify(value);
  const is = said[part] !== text;
  said[part] = text;
  return is;
}

function ago(seconds) {
  if (seconds < 60) return "the same as on this machine";
  const minutes = Math.round(seconds / 60);
  const parts = { d: Math.floor(minutes / 1440), h: Math.floor(minutes / 60) % 24, min: minutes % 60 };
  const words = Object.entries(parts).filter(([, n]) => n).map(([unit, n]) => `${n} ${unit}`);
  return `${words.join(" ")} ahead of this machine`;
}

function show(state) {
  const now = byId("now");
  now.dateTime = state.now;
  now.textContent = new Date(state.now).toLocaleString();
  byId("ahead").textContent = ago(state.ahead);
  if (changed("api", state.api)) {
    byId("how").hidden = !state.api;
    byId("docs").href = `${state.api}/docs`;
    byId("example").textContent =
      `curl ${state.api}/auth/sign-up -H 'Content-Type: application/json' \\\n`
      + `  -d '{"email": "ada@example.com", "password": "Correct-horse-9"}'`;
  }
  if (changed("mails", state.mails)) {
    const mails = state.mails.slice().reverse();
    fill(byId("mails"), mails, mailItem);
    byId("no-mails").hidden = mails.length > 0;
    const top = mails[0] ? JSON.stringify(mails[0]) : "";
    if (newest !== null && top && top !== newest) {
      news(`E-mail to ${mails[0].to}: the code is ${mails[0].code}`);
      document.title = `${mails[0].code} · Local Cognito`;
    }
    newest = top;
  }
  if (changed("groups", state.pools)) {
    const names = new Set(state.pools.flatMap((pool) => pool.groups));
    byId("groups").replaceChildren(...[...names].map((name) => new Option(name, name)));
    pool = state.pools[0]?.id; // the template's pool is the first
  }
  if (changed("users", [state.users, state.older])) {
    fill(byId("users"), state.users, userItem);
    byId("no-users").hidden = state.users.length > 0;
    byId("older").hidden = state.older === 0;
    byId("older").textContent = `${state.older} older users are not shown.`;
  }
}

async function look() {
  try {
    const answer = await fetch("console/state", { cache: "no-store" });
    show(await answer.json());
    byId("offline").hidden = true;
  } catch {
    byId("offline").hidden = false;
  }
}

for (const button of document.querySelectorAll("[data-step]")) {
  button.addEventListener("click", () => send("clock", { step: button.dataset.step }));
}
byId("invite").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (await send("invite", { pool, email: byId("invited").value })) byId("invite").reset();
});
byId("forget").addEventListener("click", () => {
  if (confirm("Forget all users and e-mails?")) send("forget", {});
});

async function keepLooking() {
  await look();
  setTimeout(keepLooking, EVERY);
}
keepLooking();
