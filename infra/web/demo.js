/** The demo page: an account's whole life through client.js. Forms: index.html; texts: texts.js. */

import {
  ApiError,
  Client,
  InAppBrowserError,
  NetworkError,
  PasskeyError,
  localStore,
  sessionStore,
} from "./client.js";
import { API, DOCS, MAILBOX, SESSION } from "./config.js";
import { chosen, texts } from "./texts.js";

const language = chosen(navigator.languages);
const words = texts[language];
const byId = (id) => document.getElementById(id);
const all = (selector) => document.querySelectorAll(selector);

// The address, carried from form to form, and the challenge that sign-in is waiting for.
let email = "";
let step = null;
let busy = false;

// Without "stay signed in", closing the tab removes the session. A cookie stays in any case.
const stores = SESSION === "cookie" ? [localStore()] : [sessionStore(), localStore()];
const clients = stores.map((store, index) => {
  const onChange = (signedIn) => clients[index] === client && changed(signedIn);
  return new Client(API, { session: SESSION, store, onChange });
});
let client = clients.find(({ signedIn }) => signedIn) ?? clients[0];

/** What each form or button does. Each returns the view to show next; `said` names its message. */
const actions = {
  async signUp({ email, password }) {
    await client.signUp({ email, password });
    return { view: "confirm" };
  },
  async signUpWithout({ email }) {
    await client.signUp({ email, passwordless: true });
    return { view: "confirm", said: "signUp" };
  },
  async resendCode({ email }) {
    await client.resendCode({ email });
    return { view: "confirm" };
  },
  async confirm({ email, code }) {
    const { signedIn } = await client.confirm({ email, code });
    return signedIn ? { view: "account", said: "confirmIn" } : { view: "signIn" };
  },
  async signIn({ email, password, stay }) {
    client = clients.at(stay ? -1 : 0);
    return enter("signIn", () => client.signIn({ email, password }));
  },
  async googleSignIn({ stay }) {
    // The page is left: this tab remembers which of the two sessions was meant.
    sessionStorage.setItem("stay", stay ? 1 : 0);
    await clients.at(stay ? -1 : 0).googleSignIn();
    return { view: "signIn", said: "" }; // by Back
  },
  async signInWithPasskey({ email, stay }) {
    client = clients.at(stay ? -1 : 0);
    await client.signInWithPasskey({ email });
    return { view: "account", said: "signIn" };
  },
  async emailCode({ email, stay }) {
    client = clients.at(stay ? -1 : 0);
    ask({ ...(await client.emailCode({ email })), needs: ["code"] });
    return { view: "challenge" };
  },
  async challenge({ code, newPassword }) {
    return enter("challenge", () => client.challenge({ email, ...step, code, newPassword }));
  },
  async forgotPassword({ email }) {
    await client.forgotPassword({ email });
    return { view: "resetPassword" };
  },
  async resetPassword({ email, code, password }) {
    const { sessionsEnded } = await client.resetPassword({ email, code, password });
    return { view: "signIn", said: sessionsEnded ? "resetPassword" : "resetPasswordOnly" };
  },
  async changePassword({ currentPassword, newPassword }) {
    await client.changePassword({ currentPassword, newPassword });
    return { view: "account" };
  },
  async updateMe({ name }) {
    await client.updateMe({ name });
    return { view: "account" };
  },
  async changeEmail({ newEmail }) {
    await client.changeEmail({ email: newEmail });
    return { view: "account", show: byId("address") };
  },
  async verifyEmail({ code }) {
    await client.verifyEmail({ code });
    return { view: "account" };
  },
  async addPasskey() {
    await client.addPasskey();
    return { view: "account" };
  },
  async removePasskey({ passkey }) {
    await client.removePasskey({ id: passkey });
    return { view: "account" };
  },
  async setUpMfa() {
    showSecret(byId("mfa"), await client.setUpMfa());
    return { view: "account", show: byId("mfa") };
  },
  async verifyMfa({ code }) {
    await client.verifyMfa({ code });
    return { view: "account" };
  },
  async removeMfa() {
    await client.removeMfa();
    return { view: "account" };
  },
  async signOut() {
    try {
      await client.signOut();
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      return { view: "signIn", said: "unheard" };
    }
    return { view: "signIn" };
  },
  async signOutEverywhere() {
    await client.signOutEverywhere();
    return { view: "signIn" };
  },
  async deleteMe() {
    await client.deleteMe();
    return { view: "signUp" };
  },
};

/** The view to show for a failure, by its `next`. All others stay on the form where they happened. */
const VIEWS = {
  signIn: "signIn",
  confirm: "confirm",
  challenge: "challenge",
  forgotPassword: "forgotPassword",
};

/** The fields a code refers to, where the API lists none in `errors`. */
const FIELDS = {
  code_expired: ["code"],
  code_mismatch: ["code"],
  email_taken: ["email", "newEmail"],
  invalid_email: ["newEmail"],
  passkey_not_found: ["email"],
  invalid_credentials: ["currentPassword", "password"],
};

/** The actions after which the page shows the account anew. */
const INTRODUCED = [
  "confirm",
  "signIn",
  "signInWithPasskey",
  "challenge",
  "updateMe",
  "addPasskey",
  "removePasskey",
  "verifyEmail",
  "verifyMfa",
  "removeMfa",
];

/** Sign in. If a second factor must be set up before, show the secret and ask for its first code. */
async function enter(name, call) {
  try {
    await call();
    return { view: "account" };
  } catch (error) {
    if (error.challenge !== "MFA_SETUP") throw error;
    log(name, error);
    const { session, ...secret } = await client.setUpChallenge({ email, session: error.session });
    ask({ ...error, session });
    showSecret(document.querySelector("[data-view=challenge]"), secret);
    return { view: "challenge", said: "setUpMfa" };
  }
}

/** Show a secret for an authenticator app: to type in, and as a link that opens one. */
function showSecret(part, { secret, uri }) {
  part.querySelector(".secret").textContent = secret.match(/.{1,4}/g).join(" ");
  part.querySelector(".otpauth").href = uri;
}

async function act(form, name, button) {
  if (busy) return;
  busy = true;
  form.setAttribute("aria-busy", "true");
  for (const input of form.elements) input.removeAttribute("aria-invalid");
  say("");
  const values = Object.fromEntries(new FormData(form, button));
  email = values.email?.trim() || email;
  byId("sure").close();
  try {
    const { view, said = name, show: shown } = await actions[name](values);
    log(name);
    form.reset();
    show(view, shown);
    say(words.said[said]);
  } catch (error) {
    fail(form, name, error);
  } finally {
    form.removeAttribute("aria-busy");
    busy = false;
  }
  if (client.signedIn && INTRODUCED.includes(name)) await introduce();
}

function fail(form, name, error) {
  log(name, error);
  if (error.next === "challenge") ask(error);
  // Stay on the form: the address may be a typo, and the link to sign-in is right below.
  const view = error.code === "email_taken" ? null : VIEWS[error.next];
  if (view) show(view);
  const parts = [explain(name, error)];
  if (error.retryAfter) parts.push(words.wait(error.retryAfter));
  if (error.next === "report" && error.requestId) parts.push(words.reference(error.requestId));
  say(parts.join(" "), error.next !== "challenge");
  if (error.next === "openInBrowser" && /KAKAOTALK/.test(navigator.userAgent)) {
    // KakaoTalk's own way out of its browser
    const page = encodeURIComponent(location.href);
    byId("outside-link").href = `kakaotalk://web/openExternal?url=${page}`;
    byId("outside").hidden = false;
  }
  if (!view) point(form, error);
}

/** Explain a failure to the user. For a rejected password, add the policy rules it breaks. */
function explain(name, error) {
  if (error.code === "rejected") return error.message; // written by the team's own trigger
  if (error instanceof InAppBrowserError) return words.codes.inAppBrowser;
  if (error.code === "invalid_credentials" && name === "changePassword") return words.wrongPassword;
  if (error.code === "code_mismatch" && (name === "verifyMfa" || (name === "challenge" && isFromApp()))) {
    return words.wrongAppCode; // nobody can send another one
  }
  if (error instanceof PasskeyError) return words.passkey[error.kind];
  const text = words.codes[error.code ?? error.kind] ?? words.codes.unknown;
  const rules = error.code === "invalid_password" ? error.errors : [];
  const added = rules.map(({ message }) => words.rules[message] ?? (language === "en" ? message : ""));
  if (!(error instanceof ApiError || error instanceof NetworkError)) console.error(error);
  return [text, ...added].join(" ").trim();
}

/** Mark the invalid fields and focus the first one. */
function point(form, { code, errors = [] }) {
  const names = [...errors.map(({ field }) => field), ...(FIELDS[code] ?? [])];
  const faulty = [...form.elements].filter(({ name }) => name && names.includes(name));
  for (const input of faulty) input.setAttribute("aria-invalid", "true");
  faulty[0]?.focus();
  faulty[0]?.select();
}

/** Prepare the form for the next step of signing in. */
function ask({ challenge, session, needs }) {
  step = { challenge, session };
  for (const part of all("[data-needs]")) {
    part.hidden = !needs.includes(part.dataset.needs);
    // A hidden input must be neither submitted nor validated.
    for (const input of part.querySelectorAll("input")) input.disabled = part.hidden;
  }
  byId("challenge-secret").hidden = challenge !== "MFA_SETUP";
  byId("challenge-hint").textContent = isFromApp() ? words.codeFromApp : words.codeFromMail;
}

/** Return whether an authenticator app shows the code that sign-in waits for. */
function isFromApp() {
  return ["SOFTWARE_TOKEN_MFA", "MFA_SETUP"].includes(step.challenge);
}

/** Show one view, fill in the known address, and focus the first empty field. */
function show(name, part = null) {
  const before = document.querySelector("[data-view]:not([hidden])");
  for (const view of all("[data-view]")) view.hidden = view.dataset.view !== name;
  const view = document.querySelector(`[data-view=${name}]`);
  for (const input of view.querySelectorAll("input[name=email]")) input.value = email;
  for (const optional of [byId("mfa"), byId("address")]) optional.hidden = part !== optional;
  const first = [...(part ?? view).querySelectorAll("input")].find((i) => !i.value && !i.disabled);
  if (name === "signIn" && email) offerPasskey();
  if (name === "account" && !part) byId("account-title").focus({ preventScroll: view === before });
  else first?.focus();
  document.title = `${view.querySelector("h2").textContent} · ${words.title}`;
}

function say(text, bad = false) {
  byId("outside").hidden = true;
  byId("status").textContent = bad ? "" : text;
  byId("alert").textContent = bad ? text : "";
}

/**
 * Let the browser offer the passkey of an address in its autofill. Without a word if there is none:
 * nobody has asked.
 */
async function offerPasskey() {
  if (!(await globalThis.PublicKeyCredential?.isConditionalMediationAvailable?.())) return;
  const { email: input, stay } = byId("sign-in").elements;
  if (!input.validity.valid) return;
  client = clients.at(stay.checked ? -1 : 0);
  try {
    await client.signInWithPasskey({ email: input.value.trim(), autofill: true });
    log("signInWithPasskey");
    say(words.said.signIn);
  } catch (error) {
    if (error instanceof ApiError && error.code !== "passkey_not_found") log("signInWithPasskey", error);
  }
}

/** List the passkeys, each with a button that removes it. */
async function listPasskeys(has) {
  const passkeys = has ? await client.passkeys() : [];
  const items = passkeys.map(({ id, name, createdAt }) => {
    const item = byId("passkey").content.firstElementChild.cloneNode(true);
    const date = new Date(createdAt).toLocaleDateString(language, { dateStyle: "medium" });
    item.querySelector("span").textContent = `${name ?? words.passkeyName} · ${date}`;
    Object.assign(item.querySelector("button"), { value: id, textContent: words.removePasskey });
    return item;
  });
  byId("passkeys").replaceChildren(...items);
}

/** Show who is signed in. */
async function introduce() {
  try {
    const me = await client.me();
    email = me.email ?? "";
    byId("me-email").textContent = email;
    byId("me-sub").textContent = me.sub;
    byId("me-verified").textContent = me.emailVerified ? words.yes : words.no;
    byId("me-mfa").textContent = me.mfa ? words.on : words.off;
    byId("me-name").value = me.name ?? "";
    const ways = me.signsInWith.map((way) => words.ways[way] ?? way);
    byId("me-ways").textContent = ways.join(", ") || words.ways.code;
    byId("own").hidden = `${me.signsInWith}` === "google";
    byId("of-passwords").hidden = !me.signsInWith.includes("password");
    log("me");
    // With a second factor, passkeys don't sign in, but they are still there.
    await listPasskeys(me.mfa || me.signsInWith.includes("passkey"));
  } catch (error) {
    // If the person is leaving the account, or has left it, nobody wants to know.
    const left = busy || document.querySelector("[data-view=account]").hidden;
    if (!left) fail(byId("mfa"), "me", error);
  }
}

/** Handle a session change that no form on this page caused: another tab, or an expired session. */
async function changed(signedIn) {
  if (busy) return;
  show(signedIn ? "account" : "signIn");
  if (signedIn) await introduce();
  else say(words.said.elsewhere);
}

/** Add a call and its outcome to the list, without anything that was typed. */
function log(name, error = null) {
  const item = document.createElement("li");
  const call = document.createElement("code");
  call.textContent = `client.${name}()`;
  const answer = document.createElement("span");
  answer.className = error ? "bad" : "good";
  answer.textContent = error ? `${error.status ?? error.name} ${error.code ?? error.kind ?? ""}` : words.done;
  item.append(call, " ", answer);
  if (error?.next) item.append(` →\u00a0${error.next}`);
  byId("no-calls").hidden = true;
  byId("calls").prepend(item);
}

document.documentElement.lang = language;
for (const element of all("[data-text]")) element.textContent = words[element.dataset.text];
byId("stay").hidden = byId("stay-hint").hidden = SESSION === "cookie";
byId("mailbox").href = MAILBOX;
byId("docs").href = DOCS;
for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(form, event.submitter?.dataset.action ?? form.dataset.action, event.submitter);
  });
}
for (const button of all("[data-go]")) {
  button.addEventListener("click", () => {
    email = button.closest("section").querySelector("input[name=email]")?.value ?? email;
    say("");
    show(button.dataset.go);
  });
}
for (const name of ["email", "stay"]) {
  byId("sign-in").elements[name].addEventListener("change", offerPasskey);
}
byId("delete").addEventListener("click", () => byId("sure").showModal());
byId("keep").addEventListener("click", () => byId("sure").close());

/** Sign in if the browser comes back from Google. Return whether it did. */
async function comeBack() {
  const returning = clients[Number(sessionStorage.getItem("stay"))] ?? client;
  busy = true;
  try {
    if ((await returning.finishGoogleSignIn()) === null) return false;
    client = returning;
    log("finishGoogleSignIn");
    show("account");
    say(words.said.googleSignIn);
  } catch (error) {
    show(client.signedIn ? "account" : "signIn");
    fail(byId("sign-in"), "finishGoogleSignIn", error);
  } finally {
    busy = false;
  }
  if (client.signedIn) await introduce();
  return true;
}

if (!(await comeBack())) {
  show(client.signedIn ? "account" : "signIn");
  if (client.signedIn) {
    await introduce();
    if (client.signedIn) say(words.said.restored);
  }
}
