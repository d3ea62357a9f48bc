/**
 * A browser client for the accounts API: one method per route, and a signed-in `fetch`.
 *
 * Copy this file into your front end, with client.d.ts beside it for types. It has no dependencies
 * and logs nothing.
 *
 *     const client = new Client("https://api.example.com", { store: sessionStore() });
 *     await client.signIn({ email, password });
 *     const diary = await client.fetch("/diary");
 *
 * Methods reject with an ApiError if the service answers with a failure, and with a NetworkError if
 * no answer from the service arrives.
 */

// Replace an access token this long before it expires, so that it doesn't expire during a call.
const EARLY = 60_000; // ms
// Longer than API Gateway's own timeout of 29 s.
const TIMEOUT = 30_000; // ms
// How long Cognito lets a sign-up sign in by confirming, at the most.
const SIGN_UP = 15 * 60_000; // ms
// The service begins every `state` with this, so that a page may also use OAuth for other things.
const OUR_STATE = "accounts-";
// What the store has after a sign-out that the service didn't hear of.
const LEFT = '"left"';
// Where a tab keeps the attempt to sign in with Google while it is away.
const ATTEMPT = "accounts:google";
// Google refuses browsers inside other apps: their makers could read what people type.
// https://support.google.com/faqs/answer/12284343
const IN_APP = /KAKAOTALK|NAVER\(inapp|Instagram|FBAN|FBAV|\bLine\/|; wv\)|(?:iPhone|iPad).*AppleWebKit(?!.*Safari)/;

/** What to do about each code. For a code that is not listed, the status decides. */
export const NEXT = {
  already_confirmed: "signIn",
  body_too_large: "report",
  challenge_required: "challenge",
  code_expired: "resendCode",
  code_mismatch: "fix",
  email_not_sent: "retry",
  email_not_verified: "signIn",
  email_taken: "signIn",
  forbidden: "report",
  google_failed: "retry",
  google_not_set_up: "report",
  internal_error: "report",
  invalid_credentials: "fix",
  invalid_email: "fix",
  invalid_password: "fix",
  invalid_refresh_token: "signIn",
  invalid_request: "fix",
  invalid_session: "signIn",
  invalid_token: "signIn",
  method_not_allowed: "report",
  mfa_not_set_up: "setUpMfa",
  misconfigured: "report",
  not_found: "report",
  origin_not_allowed: "report",
  passkey_not_found: "fix",
  passkey_not_supported: "fix",
  passkey_rejected: "fix",
  passkeys_not_set_up: "report",
  password_reset_required: "forgotPassword",
  reauthentication_required: "signIn",
  redirect_not_allowed: "report",
  refresh_token_reused: "signIn",
  rejected: "fix",
  sign_in_cancelled: "signIn",
  signs_in_with_google: "fix",
  too_many_passkeys: "fix",
  too_many_requests: "wait",
  unavailable: "retry",
  unsupported_challenge: "report",
  unsupported_media_type: "report",
  user_not_confirmed: "confirm",
};

/** A failure reported by the service. Branch on `code` or `next`. */
export class ApiError extends Error {
  constructor(status, envelope, retryAfter = null) {
    super(envelope.message);
    this.name = "ApiError";
    this.status = status;
    this.code = envelope.code;
    this.requestId = envelope.requestId ?? null;
    this.errors = envelope.errors ?? [];
    this.challenge = envelope.challenge ?? null;
    this.needs = envelope.needs ?? [];
    this.retryAfter = retryAfter;
    this.next = Object.hasOwn(NEXT, this.code) ? NEXT[this.code] : nextByStatus(status);
    // Before this challenge can be answered, `setUpChallenge` must give the person a secret.
    if (this.challenge === "MFA_SETUP") this.next = "setUpMfa";
    // Not enumerable, so that error reporters don't collect it: it proves that the
    // password was right.
    Object.defineProperty(this, "session", { value: envelope.session ?? null });
  }
}

/** No usable answer: the network failed, the call timed out, or something else answered. */
export class NetworkError extends Error {
  constructor(kind, cause) {
    super(MESSAGES[kind], cause && { cause });
    this.name = "NetworkError";
    this.kind = kind;
    this.next = "retry";
  }
}

/** Google doesn't let people sign in inside another app's browser, such as KakaoTalk's. */
export class InAppBrowserError extends Error {
  constructor() {
    super("Google requires a real browser. Open this page in one.");
    this.name = "InAppBrowserError";
    this.next = "openInBrowser";
  }
}

/** The browser made no passkey, or found none. */
export class PasskeyError extends Error {
  constructor(kind, cause) {
    super(PASSKEY_MESSAGES[kind], cause && { cause });
    this.name = "PasskeyError";
    this.kind = kind;
    this.next = kind === "elsewhere" ? "report" : "fix";
  }
}

const PASSKEY_MESSAGES = {
  cancelled: "No passkey was chosen.",
  exists: "This device already has a passkey for this account.",
  elsewhere: "This page isn't of the passkeys' domain, or isn't served over https.",
  unsupported: "This browser has no passkeys.",
};
// WebAuthn's errors. For all else, a browser says no more than "not allowed", on purpose.
const PASSKEY_KINDS = { InvalidStateError: "exists", SecurityError: "elsewhere", NotSupportedError: "unsupported" };
// The WebAuthn request that is under way. Browsers allow one at a time.
let asking = null;

const MESSAGES = {
  lost: "The service can't be reached.",
  timeout: "The service took too long to answer.",
  garbled: "Something other than the service answered.",
};

/**
 * Keep the session until the page is closed or reloaded. This is the default because it leaves
 * nothing in storage: an injected script can act while the page is open, but can't read the refresh
 * token.
 */
export function memoryStore() {
  let value = null;
  return {
    get: () => value,
    set: (next) => {
      value = next;
    },
  };
}

/**
 * Keep the session until the tab is closed; it survives a reload. Any script on the origin can read
 * it. A duplicated tab gets a copy of the session, and one of the two has to sign in again.
 */
export function sessionStore(key = "accounts") {
  return webStore(() => globalThis.sessionStorage, key) ?? memoryStore();
}

/**
 * Keep the session in all tabs until sign-out. Any script on the origin can read it, in any tab, at
 * any time. A refresh token is valid for 30 days, but stops working 30 seconds after the client has
 * replaced it.
 */
export function localStore(key = "accounts") {
  const store = webStore(() => globalThis.localStorage, key);
  if (!store) return memoryStore();
  const watch = (listener) => {
    // Fires for changes made by other tabs; the key is null if the whole storage was cleared.
    addEventListener("storage", (event) => {
      if (event.storageArea === localStorage && [key, null].includes(event.key)) listener();
    });
  };
  return { ...store, lock: key, watch };
}

function webStore(storage, key) {
  try {
    storage().getItem(key);
  } catch {
    return null; // storage is blocked for this site
  }
  return {
    get: () => storage().getItem(key),
    set: (value) => {
      if (value === null) storage().removeItem(key);
      else storage().setItem(key, value);
    },
  };
}

/** One user's session with one API. */
export class Client {
  #url;
  #cookie; // whether the service keeps the refresh token in a cookie
  #store;
  #timeout;
  #onChange;
  #access = null; // {token, until}: kept in memory only, whatever the store
  #session; // the id of this page's session, or null
  #refreshing = null;
  #finishing = null;
  #signUp = null; // {session, until}: with the session, `confirm` signs in as well
  #queue = Promise.resolve();

  constructor(url, { session, store, timeout = TIMEOUT, onChange = () => {} } = {}) {
    this.#cookie = session === "cookie";
    store ??= this.#cookie ? localStore() : memoryStore();
    this.#url = new URL(url, globalThis.location?.href).href.replace(/\/+$/, "");
    this.#store = store;
    this.#timeout = timeout;
    this.#onChange = onChange;
    this.#session = this.#stored()?.id ?? null;
    store.watch?.(() => this.#follow());
  }

  /** Whether the store holds a session. The service may have ended it since. */
  get signedIn() {
    return this.#stored() !== null;
  }

  // Getting in

  async signUp(body) {
    const answer = await this.#post("/auth/sign-up", body);
    this.#signUp = answer && { session: answer.session, until: Date.now() + SIGN_UP };
  }

  resendCode(body) {
    return this.#post("/auth/resend-code", body);
  }

  /**
   * Resolves with whether this signed in as well. It does for 15 minutes on the page that signed up;
   * otherwise, sign-in is next.
   */
  async confirm(body) {
    const { session, until } = this.#signUp ?? { until: 0 };
    const signedIn = await this.#enter("/auth/confirm", Date.now() < until ? { session, ...body } : body);
    this.#signUp = null;
    return { signedIn };
  }

  async signIn(body) {
    await this.#enter("/auth/sign-in", body);
  }

  async challenge(body) {
    try {
      await this.#enter("/auth/challenge", body);
    } catch (error) {
      // This isn't a sign-up code: only a new sign-in produces another one.
      if (error.code === "code_expired") error.next = "signIn";
      throw error;
    }
  }

  // Without the password

  /**
   * E-mail a code to sign in with. Go on with `challenge`, with what this resolves with and the code.
   */
  async emailCode({ email }) {
    const { session } = await this.#post("/auth/email-code", { email });
    return { email, challenge: "EMAIL_OTP", session };
  }

  /**
   * Sign in with a passkey. With `autofill`, the browser offers it in the autofill of an input with
   * `autocomplete="username webauthn"`, and this waits until the person chooses it, or until the page
   * asks for another passkey. Rejects with a PasskeyError if none is chosen.
   */
  async signInWithPasskey({ email, autofill = false, signal }) {
    const { session, options } = await this.#post("/auth/passkeys/sign-in", { email });
    const credential = await passkey("get", options, { signal, ...(autofill && { mediation: "conditional" }) });
    await this.#enter("/auth/challenge", { email, challenge: "WEB_AUTHN", session, credential });
  }

  /** For `challenge` MFA_SETUP: go on with the session that this resolves with. */
  setUpChallenge(body) {
    return this.#post("/auth/challenge/setup", body);
  }

  // With Google

  /**
   * Sign up or in with Google: leave this page for Google's. The browser comes back to
   * `redirectUri`, one of the service's REDIRECT_URIS on this origin, where `finishGoogleSignIn` does
   * the rest. `returnTo` is a path of this origin that it will resolve with. Rejects with an
   * InAppBrowserError in a browser that Google refuses. Resolves only if the browser comes back to
   * the page as it is now, by Back.
   */
  async googleSignIn({ returnTo = "/", redirectUri = `${location.origin}/` } = {}) {
    if (IN_APP.test(navigator.userAgent)) throw new InAppBrowserError();
    const target = new URL(returnTo, location.origin);
    const path = target.pathname + target.search + target.hash;
    // A path that starts with // would lead to another host.
    if (target.origin !== location.origin || !/^\/(?!\/)/.test(path)) {
      throw new TypeError("returnTo must be a path of this origin.");
    }
    const { url, state, codeVerifier } = await this.#post("/auth/google/start", { redirectUri });
    const attempt = { state, codeVerifier, redirectUri, returnTo: path };
    sessionStorage.setItem(ATTEMPT, JSON.stringify(attempt)); // of this tab alone
    location.assign(url);
    await new Promise((resolve) => addEventListener("pageshow", resolve, { once: true }));
  }

  /**
   * Finish signing in with Google. Call it whenever the page loads: it resolves with `returnTo`, or
   * with null if the browser isn't coming back from Google. Callers of one page load share its
   * result.
   */
  finishGoogleSignIn() {
    this.#finishing ??= this.#finish();
    return this.#finishing;
  }

  async #finish() {
    const page = new URL(location.href);
    const answer = new URLSearchParams(page.search);
    const state = answer.get("state");
    if (!state?.startsWith(OUR_STATE)) return null;
    // Before the exchange: whatever happens now, neither can be used again.
    const attempt = takeAttempt();
    for (const name of ["code", "state", "error", "error_description"]) page.searchParams.delete(name);
    history.replaceState(history.state, "", page);
    // Somebody else's link, or a tab that didn't begin this: it would sign in another person.
    if (attempt?.state !== state) throw over("invalid_session", "This tab didn't begin this sign-in.");
    const { codeVerifier, redirectUri, returnTo } = attempt;
    const code = answer.get("code");
    const body = code
      ? { code, codeVerifier, redirectUri }
      : {
          error: answer.get("error") ?? "invalid_request",
          errorDescription: answer.get("error_description"),
        };
    try {
      await this.#enter("/auth/google/finish", body);
    } catch (error) {
      // A code works once, and this attempt is gone: start again.
      if (error.next === "retry") error.next = "signIn";
      throw error;
    }
    return returnTo;
  }

  // Staying in, and leaving

  /**
   * Replace the access token. Calls do this on their own; concurrent calls share one refresh.
   */
  refresh() {
    this.#refreshing ??= this.#locked(() => this.#renew()).finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  /**
   * Remove the session from this browser in any case. Rejects if the service can't be reached. Only
   * the service can remove a cookie: until it has, the store notes that the person has left.
   */
  signOut() {
    return this.#locked(async () => {
      const session = this.#stored();
      this.#keep(null);
      if (this.#cookie) await this.#leave();
      else if (session) await this.#post("/auth/sign-out", { refreshToken: session.refreshToken });
    });
  }

  async signOutEverywhere() {
    await this.#signed("POST", "/auth/sign-out-everywhere");
    await this.#locked(() => this.#keep(null));
  }

  // The password

  forgotPassword(body) {
    return this.#post("/auth/forgot-password", body);
  }

  /** Resolves with whether all sessions ended. With a second factor they stay open. */
  async resetPassword(body) {
    return (await this.#post("/auth/reset-password", body)) ?? { sessionsEnded: true };
  }

  changePassword(body) {
    return this.#signed("POST", "/auth/change-password", body);
  }

  // The account

  me() {
    return this.#signed("GET", "/auth/me");
  }

  updateMe(body) {
    return this.#signed("PATCH", "/auth/me", body);
  }

  /** Send a code to a new address. The old one counts until `verifyEmail`. */
  changeEmail(body) {
    return this.#signed("POST", "/auth/change-email", body);
  }

  verifyEmail(body) {
    return this.#signed("POST", "/auth/verify-email", body);
  }

  /** Make a passkey for the person who is signed in. Rejects with a PasskeyError if none is made. */
  async addPasskey({ signal } = {}) {
    const options = await this.#signed("POST", "/auth/passkeys/start");
    const credential = await passkey("create", options, { signal });
    return this.#signed("POST", "/auth/passkeys", { credential });
  }

  async passkeys() {
    return (await this.#signed("GET", "/auth/passkeys")).passkeys;
  }

  removePasskey({ id }) {
    return this.#signed("DELETE", `/auth/passkeys/${encodeURIComponent(id)}`);
  }

  async deleteMe() {
    await this.#signed("DELETE", "/auth/me");
    await this.#locked(() => this.#keep(null));
  }

  setUpMfa() {
    return this.#signed("POST", "/auth/mfa/setup");
  }

  verifyMfa(body) {
    return this.#signed("POST", "/auth/mfa/verify", body);
  }

  removeMfa() {
    return this.#signed("DELETE", "/auth/mfa");
  }

  /**
   * `fetch` with the access token, for your own routes. As with `fetch`, any status resolves. A path
   * is relative to the API's URL. Rejects with an ApiError if the session has ended, and with a
   * NetworkError where `fetch` would reject with a TypeError. Don't pass a stream as the body: the
   * request may be sent twice.
   */
  async fetch(url, init = {}) {
    const target = new URL(`${url}`.startsWith("/") ? this.#url + url : url, `${this.#url}/`);
    if (target.origin !== new URL(this.#url).origin) {
      throw new TypeError(`The access token is for ${this.#url} alone.`);
    }
    const token = await this.#token();
    const response = await send(target, init, token);
    if (!token || response.status !== 401 || (await codeOf(response)) !== "invalid_token") {
      return response;
    }
    // Another call may have replaced the token while this one was in flight.
    if (this.#access?.token === token) await this.refresh();
    return send(target, init, await this.#token());
  }

  async #post(path, body) {
    return bodyOf(await send(this.#url + path, this.#init("POST", body)));
  }

  async #signed(method, path, body) {
    if (!this.signedIn) throw over("invalid_token", "Please sign in first.");
    return bodyOf(await this.fetch(path, this.#init(method, body)));
  }

  #init(method, body) {
    return {
      method,
      ...(body && {
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      }),
      credentials: this.#cookie ? "include" : "omit",
      cache: "no-store",
      redirect: "error",
      signal: AbortSignal.timeout(this.#timeout),
    };
  }

  /** Return an access token that is fresh enough for a call, or null if nobody is signed in. */
  async #token() {
    if (this.#access && Date.now() < this.#access.until) return this.#access.token;
    if (!this.signedIn) return null;
    await this.refresh();
    return this.#access?.token ?? null;
  }

  /** Sign out of the cookie's session. If that fails, `#renew` tries again. */
  async #leave() {
    this.#store.set(LEFT);
    await this.#post("/auth/sign-out");
    this.#store.set(null);
  }

  async #renew() {
    // Read inside the lock: another tab may have just stored a newer token. (Its write can become
    // visible here slightly after the lock is released; the old token works for 30 more seconds.)
    const session = this.#stored();
    if (this.#store.get() === LEFT) await this.#leave();
    else if ((session?.id ?? null) === this.#session && (session || this.#cookie)) {
      // With a cookie, there may be a session that the store doesn't know: it may have been cleared.
      return this.#replace(session);
    }
    // Another tab signed out or signed in as another user: this call was not meant for that user.
    else this.#follow();
    throw over("invalid_refresh_token", "The session is over.");
  }

  async #replace(session) {
    const refreshToken = session?.refreshToken;
    let tokens;
    try {
      tokens = await this.#post("/auth/refresh", this.#cookie ? undefined : { refreshToken });
    } catch (error) {
      if (error.next !== "signIn") throw error; // may work later
      // Without Web Locks, another tab may have refreshed first.
      if (this.#stored()?.refreshToken !== refreshToken) return this.#renew();
      this.#keep(null);
      throw error;
    }
    // All pages share a cookie, but not every store: another page may have signed in somebody else.
    if (session?.sub && session.sub !== subOf(tokens)) {
      this.#keep(null);
      throw over("invalid_refresh_token", "The session is over.");
    }
    return this.#keep(session?.id ?? newId(), { RefreshToken: refreshToken, ...tokens });
  }

  /**
   * Sign in by a route, and return whether it gave tokens. No refresh may be under way: its answer
   * could set the cookie back.
   */
  #enter(path, body) {
    return this.#locked(async () => {
      const tokens = await this.#post(path, body);
      if (tokens) this.#keep(newId(), tokens);
      return Boolean(tokens);
    });
  }

  /** Run one action at a time. With Web Locks, this holds across all tabs that share the store. */
  #locked(action) {
    if (this.#store.lock && globalThis.navigator?.locks) {
      return navigator.locks.request(`accounts:${this.#store.lock}`, action);
    }
    // No Web Locks over plain http. Between tabs, we rely on the 30-second grace period for replaced
    // tokens.
    const done = this.#queue.then(action);
    this.#queue = done.catch(() => {});
    return done;
  }

  /**
   * Read {id, refreshToken} from the store, or null. Each sign-in has its own id. With a cookie, it is
   * {id, sub}: whose session this is.
   */
  #stored() {
    try {
      const session = JSON.parse(this.#store.get());
      return session?.id && (this.#cookie || session.refreshToken) ? session : null;
    } catch {
      return null; // something else wrote this key
    }
  }

  #keep(id, tokens) {
    this.#access = id && {
      token: tokens.AccessToken,
      until: Date.now() + tokens.ExpiresIn * 1000 - EARLY,
    };
    const kept = id && (this.#cookie ? { sub: subOf(tokens) } : { refreshToken: tokens.RefreshToken });
    this.#store.set(id && JSON.stringify({ id, ...kept }));
    this.#speakFor(id);
  }

  /** React to another tab's change. A refresh keeps the id; a new session has another one. */
  #follow() {
    const id = this.#stored()?.id ?? null;
    if (id !== this.#session) this.#access = null;
    this.#speakFor(id);
  }

  #speakFor(id) {
    if (id === this.#session) return;
    this.#session = id;
    queueMicrotask(() => this.#onChange(id !== null)); // an error thrown here must not fail our call
  }
}

async function send(url, init, token = null) {
  const headers = new Headers(init.headers);
  if (token) headers.set("Authorization", `Bearer ${token}`);
  try {
    return await fetch(url, { credentials: "omit", ...init, headers });
  } catch (cause) {
    throw unanswered(cause);
  }
}

/**
 * Return the envelope's body. Throws an ApiError if the envelope reports a failure, and a
 * NetworkError if the response is not an envelope.
 */
async function bodyOf(response) {
  let envelope;
  try {
    envelope = JSON.parse(await response.text());
  } catch (cause) {
    throw unanswered(cause);
  }
  if (envelope?.statusCode !== response.status) throw new NetworkError("garbled");
  if (response.ok) return envelope.body;
  if (typeof envelope.code !== "string") throw new NetworkError("garbled");
  const wait = response.headers.get("Retry-After");
  throw new ApiError(response.status, envelope, wait && Number(wait));
}

async function codeOf(response) {
  try {
    return (await response.clone().json()).code;
  } catch {
    return null;
  }
}

function unanswered(cause) {
  if (cause.name === "AbortError") return cause; // the caller aborted it
  const kind = { TimeoutError: "timeout", SyntaxError: "garbled" }[cause.name] ?? "lost";
  // A SyntaxError quotes the text that failed to parse, which may contain a token.
  return new NetworkError(kind, kind === "garbled" ? undefined : cause);
}

/** Let the browser make a passkey ("create") or sign with one ("get"). Return its answer as JSON. */
async function passkey(act, options, { signal, ...more }) {
  asking?.abort();
  asking = new AbortController();
  const end = AbortSignal.any([asking.signal, signal].filter(Boolean));
  try {
    const parse = { create: "parseCreationOptionsFromJSON", get: "parseRequestOptionsFromJSON" }[act];
    if (!globalThis.PublicKeyCredential?.[parse]) throw new PasskeyError("unsupported");
    const publicKey = PublicKeyCredential[parse](options);
    return (await navigator.credentials[act]({ publicKey, signal: end, ...more })).toJSON();
  } catch (cause) {
    if (cause instanceof PasskeyError) throw cause;
    throw new PasskeyError(PASSKEY_KINDS[cause.name] ?? "cancelled", cause);
  }
}

/** Return the attempt that this tab began, once, or null. */
function takeAttempt() {
  try {
    const attempt = JSON.parse(sessionStorage.getItem(ATTEMPT));
    sessionStorage.removeItem(ATTEMPT);
    return attempt;
  } catch {
    return null; // storage is blocked, or something else wrote this key
  }
}

/** Return whose tokens these are. */
function subOf({ AccessToken }) {
  return JSON.parse(atob(AccessToken.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))).sub;
}

function over(code, message) {
  return new ApiError(401, { code, message });
}

function nextByStatus(status) {
  const known = { 401: "signIn", 429: "wait", 502: "retry", 503: "retry", 504: "retry" };
  return known[status] ?? (status < 500 ? "fix" : "report");
}

function newId() {
  // crypto.randomUUID is only available over https.
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("");
}
