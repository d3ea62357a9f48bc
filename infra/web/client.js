/**
 * Accounts, from a browser: a method for each route, and a `fetch` that is signed in.
 *
 * Copy this file, and client.d.ts beside it. It needs nothing else, and logs nothing.
 *
 *     const client = new Client("https://api.example.com", { store: sessionStore() });
 *     await client.signIn({ email, password });
 *     const diary = await client.fetch("/diary");
 *
 * Every method rejects with an ApiError (the service said no) or a NetworkError (it said nothing).
 */

// An access token is replaced this long before it expires, so that it lives to the call's end.
const EARLY = 60_000; // ms
// Longer than the 29 s after which API Gateway answers by itself.
const TIMEOUT = 30_000; // ms

/** What to do about each code; for a code that isn't here, its status decides. */
export const NEXT = {
  already_confirmed: "signIn",
  body_too_large: "report",
  challenge_required: "challenge",
  code_expired: "resendCode",
  code_mismatch: "fix",
  email_not_sent: "retry",
  email_taken: "signIn",
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
  password_reset_required: "forgotPassword",
  refresh_token_reused: "signIn",
  rejected: "fix",
  too_many_requests: "wait",
  unavailable: "retry",
  unsupported_challenge: "report",
  unsupported_media_type: "report",
  user_not_confirmed: "confirm",
};

/** The service's own answer to what it would not do. Decide by `code` or `next`. */
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
    // Whoever has it is half signed in: it stays out of what error reporters collect.
    Object.defineProperty(this, "session", { value: envelope.session ?? null });
  }
}

/** No answer that counts: the network is gone, it took too long, or something else answered. */
export class NetworkError extends Error {
  constructor(kind, cause) {
    super(MESSAGES[kind], cause && { cause });
    this.name = "NetworkError";
    this.kind = kind;
    this.next = "retry";
  }
}

const MESSAGES = {
  lost: "The service can't be reached.",
  timeout: "The service took too long to answer.",
  garbled: "Something other than the service answered.",
};

/**
 * Keeps the session until the page is left. The default, as nothing else outlives a page that ran
 * somebody else's script: that script can act while it runs, but takes nothing home from a storage.
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
 * Keeps it until the tab is closed, so also across a reload. Any script that runs on the origin can
 * read it. A tab that the browser duplicates has a copy, and one of the two must sign in again.
 */
export function sessionStore(key = "accounts") {
  return webStore(() => globalThis.sessionStorage, key) ?? memoryStore();
}

/**
 * Keeps it until sign-out, for every tab. Any script that runs on the origin, in any tab, can read
 * it at any time. It lives for 30 days, but dies half a minute after the client has replaced it.
 */
export function localStore(key = "accounts") {
  const store = webStore(() => globalThis.localStorage, key);
  if (!store) return memoryStore();
  const watch = (listener) => {
    // The other tabs' changes; `null` says that all was cleared.
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
    return null; // the person allows this site no storage
  }
  return {
    get: () => storage().getItem(key),
    set: (value) => {
      if (value === null) storage().removeItem(key);
      else storage().setItem(key, value);
    },
  };
}

/** One person's session with one API. */
export class Client {
  #url;
  #store;
  #timeout;
  #onChange;
  #access = null; // {token, until}: in memory alone, whatever the store
  #session; // the id of the session that this page speaks for, or null
  #refreshing = null;
  #queue = Promise.resolve();

  constructor(url, { store = memoryStore(), timeout = TIMEOUT, onChange = () => {} } = {}) {
    this.#url = new URL(url, globalThis.location?.href).href.replace(/\/+$/, "");
    this.#store = store;
    this.#timeout = timeout;
    this.#onChange = onChange;
    this.#session = this.#stored()?.id ?? null;
    store.watch?.(() => this.#follow());
  }

  /** Whether there is a session, as far as is known here. */
  get signedIn() {
    return this.#stored() !== null;
  }

  // Getting in

  signUp(body) {
    return this.#post("/auth/sign-up", body);
  }

  resendCode(body) {
    return this.#post("/auth/resend-code", body);
  }

  confirm(body) {
    return this.#post("/auth/confirm", body);
  }

  async signIn(body) {
    await this.#begin(await this.#post("/auth/sign-in", body));
  }

  async challenge(body) {
    try {
      await this.#begin(await this.#post("/auth/challenge", body));
    } catch (error) {
      // Here the code isn't sign-up's: only signing in anew brings another.
      if (error.code === "code_expired") error.next = "signIn";
      throw error;
    }
  }

  // Staying in, and leaving

  /**
   * Replace the access token. Calls do so by themselves; many at once share one refresh.
   */
  refresh() {
    this.#refreshing ??= this.#locked(() => this.#renew()).finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  /** Forgets the session here in any case; rejects if the service could not be told. */
  signOut() {
    return this.#locked(async () => {
      const session = this.#stored();
      this.#keep(null);
      if (session) await this.#post("/auth/sign-out", { refreshToken: session.refreshToken });
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

  /** Gives whether all sessions ended, which those of an account with a second factor don't. */
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
   * `fetch` for routes of your own, with the access token: any status is an answer, as it is for
   * `fetch`. A path is taken below the API's address. Rejects with an ApiError if the session turns
   * out to be over, and with a NetworkError instead of a TypeError. A body that is a stream can't be
   * sent twice, so don't give one.
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
    // Somebody else's call may have replaced it while this one was on its way.
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
      cache: "no-store",
      redirect: "error",
      signal: AbortSignal.timeout(this.#timeout),
    };
  }

  /** The access token, fresh enough for a call; null when nobody is signed in. */
  async #token() {
    if (this.#access && Date.now() < this.#access.until) return this.#access.token;
    if (!this.signedIn) return null;
    await this.refresh();
    return this.#access?.token ?? null;
  }

  async #renew() {
    // Read here, inside the lock: another tab may just have put a newer token there. (What it wrote
    // can reach this tab a moment after the lock does: the old one works for half a minute more.)
    const session = this.#stored();
    if (!session || session.id !== this.#session) {
      // Another tab signed out, or signed somebody else in: this call was not meant for them.
      this.#follow();
      throw over("invalid_refresh_token", "The session is over.");
    }
    const { id, refreshToken } = session;
    let tokens;
    try {
      tokens = await this.#post("/auth/refresh", { refreshToken });
    } catch (error) {
      if (error.next !== "signIn") throw error; // may well work later
      // Where tabs can't wait for each other, another may have been faster.
      if (this.#stored()?.refreshToken !== refreshToken) return this.#renew();
      this.#keep(null);
      throw error;
    }
    return this.#keep(id, { RefreshToken: refreshToken, ...tokens });
  }

  #begin(tokens) {
    return this.#locked(() => this.#keep(newId(), tokens));
  }

  /** One at a time: in all tabs that share the store, where the browser has Web Locks. */
  #locked(action) {
    if (this.#store.lock && globalThis.navigator?.locks) {
      return navigator.locks.request(`accounts:${this.#store.lock}`, action);
    }
    // Plain http has none. Between tabs, the half minute for which a replaced token works must do.
    const done = this.#queue.then(action);
    this.#queue = done.catch(() => {});
    return done;
  }

  /** What the store holds: {id, refreshToken}, or null. The id tells one sign-in from another. */
  #stored() {
    try {
      const session = JSON.parse(this.#store.get());
      return session?.id && session.refreshToken ? session : null;
    } catch {
      return null; // somebody else's
    }
  }

  #keep(id, tokens) {
    this.#access = id && {
      token: tokens.AccessToken,
      until: Date.now() + tokens.ExpiresIn * 1000 - EARLY,
    };
    this.#store.set(id && JSON.stringify({ id, refreshToken: tokens.RefreshToken }));
    this.#speakFor(id);
  }

  /** Another tab changed the store: a refresh is nothing new, but another session is. */
  #follow() {
    const id = this.#stored()?.id ?? null;
    if (id !== this.#session) this.#access = null;
    this.#speakFor(id);
  }

  #speakFor(id) {
    if (id === this.#session) return;
    this.#session = id;
    queueMicrotask(() => this.#onChange(id !== null)); // what it throws is no failure of ours
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

/** The envelope's body. Throws an ApiError if it tells of a failure, NetworkError if it is none. */
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
  if (cause.name === "AbortError") return cause; // the caller's own doing
  const kind = { TimeoutError: "timeout", SyntaxError: "garbled" }[cause.name] ?? "lost";
  // What fails to parse is quoted in the error, and may hold a token.
  return new NetworkError(kind, kind === "garbled" ? undefined : cause);
}

function over(code, message) {
  return new ApiError(401, { code, message });
}

function nextByStatus(status) {
  const known = { 401: "signIn", 429: "wait", 502: "retry", 503: "retry", 504: "retry" };
  return known[status] ?? (status < 500 ? "fix" : "report");
}

function newId() {
  // crypto.randomUUID would need https.
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("");
}
