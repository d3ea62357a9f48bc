/**
 * Types for client.js. tests/infra/web/test_types.py compares the request and response types, up to
 * `Routes`, with the OpenAPI document. It reads them line by line: keep their layout.
 */

// Requests

export interface Credentials {
  email: string;
  password: string;
}

/** With `passwordless`, the password may be missing, if the user pool lets people sign in with codes. */
export interface SignUp {
  email: string;
  passwordless?: boolean;
  password?: string | null;
}

export interface Address {
  email: string;
}

/** `session` is what sign-up gave. The client adds it by itself. */
export interface Confirm {
  email: string;
  code: string;
  session?: string | null;
}

export interface Reset {
  email: string;
  code: string;
  password: string;
}

export interface Change {
  currentPassword: string;
  newPassword: string;
}

/** `challenge` and `session` from the ApiError, plus the field that its `needs` lists. */
export interface Challenge {
  email: string;
  challenge: string;
  session: string;
  code?: string | null;
  newPassword?: string | null;
  credential?: Record<string, unknown> | null;
}

/** What `navigator.credentials.create` made, by its `toJSON()`. */
export interface PasskeyCredential {
  credential: Record<string, unknown>;
}

/** `session` from the ApiError whose `challenge` is MFA_SETUP. */
export interface ChallengeSetup {
  email: string;
  session: string;
}

/** Nothing, if the service has SESSION_COOKIE. */
export interface Refresh {
  refreshToken?: string | null;
}

export interface GoogleStart {
  redirectUri: string;
}

/** Either `code`, `codeVerifier` and `redirectUri`, or `error` and perhaps `errorDescription`. */
export interface GoogleFinish {
  code?: string | null;
  codeVerifier?: string | null;
  redirectUri?: string | null;
  error?: string | null;
  errorDescription?: string | null;
}

export interface Profile {
  /** Null or an empty text removes it. */
  name: string | null;
}

export interface EmailCode {
  code: string;
}

export interface MfaCode {
  code: string;
}

// Responses

/** For the next step: confirm or challenge. */
export interface Session {
  session: string;
}

export interface PasskeyChallenge {
  session: string;
  options: Record<string, unknown>;
}

export interface Passkey {
  id: string;
  /** What Cognito calls it. */
  name: string | null;
  /** As in "2026-11-27T09:00:00Z". */
  createdAt: string;
}

export interface PasskeyList {
  passkeys: Passkey[];
}

export interface Tokens {
  AccessToken: string;
  /** Seconds. */
  ExpiresIn: number;
  TokenType: "Bearer";
  RefreshToken?: string | null;
  IdToken: string;
}

/** Keep `state` and `codeVerifier` in the tab, and open `url` in it. */
export interface GoogleAttempt {
  url: string;
  state: string;
  codeVerifier: string;
}

export interface SessionsAlive {
  sessionsEnded?: false;
}

export interface User {
  /** Never changes: use it as the key for a user's data. */
  sub: string;
  email: string | null;
  emailVerified: boolean;
  name: string | null;
  signsInWith: ("password" | "google" | "passkey")[];
  /** As of the last sign-in or refresh. */
  groups: string[];
  /** Whether sign-in requires a second factor. */
  mfa: boolean;
}

/** For an authenticator app: type in `secret`, or show `uri` as a QR code. */
export interface MfaSecret {
  secret: string;
  uri: string;
}

/** The same, and the session with which to answer the challenge. */
export interface ChallengeSecret {
  secret: string;
  uri: string;
  session: string;
}

export interface FieldError {
  field: string;
  message: string;
}

export interface Failed {
  statusCode: number;
  code: string;
  message: string;
  requestId: string;
  errors?: FieldError[] | null;
  challenge?: string | null;
  session?: string | null;
  needs?: string[] | null;
}

/** Codes that any route can return. */
export type CommonCode =
  | "invalid_request"
  | "origin_not_allowed"
  | "body_too_large"
  | "unsupported_media_type"
  | "too_many_requests"
  | "rejected"
  | "misconfigured"
  | "internal_error"
  | "unavailable";

/** Every route: its request, the body in its envelope, and its codes beyond CommonCode. */
export interface Routes {
  "POST /auth/sign-up": {
    takes: SignUp;
    gives: Session | undefined;
    fails: "email_taken" | "invalid_password" | "invalid_email" | "email_not_sent";
  };
  "POST /auth/resend-code": {
    takes: Address;
    gives: undefined;
    fails: "invalid_email" | "email_not_sent";
  };
  "POST /auth/confirm": {
    takes: Confirm;
    gives: Tokens | undefined;
    fails: "code_mismatch" | "code_expired" | "already_confirmed";
  };
  "POST /auth/sign-in": {
    takes: Credentials;
    gives: Tokens;
    fails:
      | "invalid_credentials"
      | "invalid_password"
      | "user_not_confirmed"
      | "password_reset_required"
      | "challenge_required";
  };
  "POST /auth/email-code": {
    takes: Address;
    gives: Session;
    fails: "invalid_email" | "email_not_sent";
  };
  "POST /auth/challenge": {
    takes: Challenge;
    gives: Tokens;
    fails:
      | "unsupported_challenge"
      | "invalid_session"
      | "code_mismatch"
      | "code_expired"
      | "invalid_password"
      | "challenge_required"
      | "user_not_confirmed"
      | "password_reset_required"
      | "mfa_not_set_up"
      | "passkey_rejected";
  };
  "POST /auth/challenge/setup": {
    takes: ChallengeSetup;
    gives: ChallengeSecret;
    fails: "invalid_session";
  };
  "POST /auth/passkeys/start": {
    takes: undefined;
    gives: Record<string, unknown>;
    fails:
      | "invalid_token"
      | "reauthentication_required"
      | "passkeys_not_set_up"
      | "too_many_passkeys"
      | "signs_in_with_google"
      | "password_reset_required";
  };
  "POST /auth/passkeys": {
    takes: PasskeyCredential;
    gives: undefined;
    fails:
      | "invalid_token"
      | "passkey_rejected"
      | "passkey_not_supported"
      | "passkeys_not_set_up"
      | "too_many_passkeys"
      | "password_reset_required";
  };
  "GET /auth/passkeys": {
    takes: undefined;
    gives: PasskeyList;
    fails: "invalid_token" | "password_reset_required";
  };
  "DELETE /auth/passkeys/{passkey}": {
    takes: undefined;
    gives: undefined;
    fails: "invalid_token" | "reauthentication_required" | "passkey_not_found" | "password_reset_required";
  };
  "POST /auth/passkeys/sign-in": {
    takes: Address;
    gives: PasskeyChallenge;
    fails: "passkey_not_found" | "passkeys_not_set_up";
  };
  "POST /auth/google/start": {
    takes: GoogleStart;
    gives: GoogleAttempt;
    fails: "google_not_set_up" | "redirect_not_allowed";
  };
  "POST /auth/google/finish": {
    takes: GoogleFinish;
    gives: Tokens;
    fails:
      | "google_not_set_up"
      | "redirect_not_allowed"
      | "sign_in_cancelled"
      | "email_taken"
      | "email_not_verified"
      | "invalid_session"
      | "google_failed";
  };
  "POST /auth/refresh": {
    takes: Refresh;
    gives: Tokens;
    fails: "invalid_refresh_token" | "refresh_token_reused";
  };
  "POST /auth/sign-out": {
    takes: Refresh;
    gives: undefined;
    fails: "invalid_refresh_token";
  };
  "POST /auth/sign-out-everywhere": {
    takes: undefined;
    gives: undefined;
    fails: "invalid_token";
  };
  "POST /auth/forgot-password": {
    takes: Address;
    gives: undefined;
    fails: "invalid_email" | "email_not_sent";
  };
  "POST /auth/reset-password": {
    takes: Reset;
    gives: SessionsAlive | undefined;
    fails: "code_mismatch" | "invalid_password";
  };
  "POST /auth/change-password": {
    takes: Change;
    gives: undefined;
    fails: "invalid_token" | "invalid_credentials" | "invalid_password" | "signs_in_with_google";
  };
  "GET /auth/me": {
    takes: undefined;
    gives: User;
    fails: "invalid_token";
  };
  "PATCH /auth/me": {
    takes: Profile;
    gives: User;
    fails: "invalid_token";
  };
  "POST /auth/change-email": {
    takes: Address;
    gives: undefined;
    fails:
      | "invalid_token"
      | "reauthentication_required"
      | "invalid_email"
      | "email_taken"
      | "email_not_sent"
      | "signs_in_with_google";
  };
  "POST /auth/verify-email": {
    takes: EmailCode;
    gives: undefined;
    fails: "invalid_token" | "code_mismatch" | "code_expired" | "email_taken";
  };
  "DELETE /auth/me": {
    takes: undefined;
    gives: undefined;
    fails: "invalid_token" | "reauthentication_required";
  };
  "POST /auth/mfa/setup": {
    takes: undefined;
    gives: MfaSecret;
    fails: "invalid_token" | "reauthentication_required" | "signs_in_with_google";
  };
  "POST /auth/mfa/verify": {
    takes: MfaCode;
    gives: undefined;
    fails: "invalid_token" | "code_mismatch" | "mfa_not_set_up" | "signs_in_with_google";
  };
  "DELETE /auth/mfa": {
    takes: undefined;
    gives: undefined;
    fails: "invalid_token" | "reauthentication_required" | "signs_in_with_google";
  };
}

/** Every code of the service. Your own routes may add others. */
export type Code =
  | CommonCode
  | Routes[keyof Routes]["fails"]
  | "forbidden" // of your own routes
  | "not_found"
  | "method_not_allowed";

// The client

/** What to do about a failure. */
export type Next =
  | "fix" // let the user correct the input
  | "retry" // soon
  | "wait" // `retryAfter` seconds, then retry
  | "signIn"
  | "confirm"
  | "resendCode"
  | "challenge"
  | "forgotPassword"
  | "setUpMfa"
  | "report"; // to the operators of the service, with `requestId`

export const NEXT: Readonly<Record<Code, Next>>;

export class ApiError extends Error {
  readonly name: "ApiError";
  /** The HTTP status. */
  readonly status: number;
  readonly code: Code | (string & {});
  /** Null if the client found that there is no session and sent no request. */
  readonly requestId: string | null;
  readonly errors: readonly FieldError[];
  readonly challenge: string | null;
  readonly session: string | null;
  readonly needs: readonly ("code" | "newPassword" | "credential" | (string & {}))[];
  /** Seconds. */
  readonly retryAfter: number | null;
  readonly next: Next;
}

export class NetworkError extends Error {
  readonly name: "NetworkError";
  readonly kind: "lost" | "timeout" | "garbled";
  readonly next: "retry";
}

/** Google refuses browsers inside other apps. Offer to open the page in a browser. */
export class InAppBrowserError extends Error {
  readonly name: "InAppBrowserError";
  readonly next: "openInBrowser";
}

/** The browser made no passkey, or found none. */
export class PasskeyError extends Error {
  readonly name: "PasskeyError";
  /** "cancelled" also stands for all that WebAuthn doesn't tell, such as a device without a passkey. */
  readonly kind: "cancelled" | "exists" | "elsewhere" | "unsupported";
  readonly next: "fix" | "report";
}

/** Where the session is kept between calls. The value is opaque: only the client reads it. */
export interface Store {
  get(): string | null;
  set(value: string | null): void;
  /** The name of the Web Lock that serialises refreshes across tabs sharing this store. */
  lock?: string;
  /** Call `listener` whenever another tab changes the store. */
  watch?(listener: () => void): void;
}

export function memoryStore(): Store;
export function sessionStore(key?: string): Store;
export function localStore(key?: string): Store;

export interface Options {
  /** "cookie" if the service has SESSION_COOKIE. The store then keeps no secret. */
  session?: "cookie";
  /** Default: memoryStore(), or, with a cookie, localStore(). */
  store?: Store;
  /** Timeout of a call in milliseconds. Default: 30,000. Does not apply to `fetch`. */
  timeout?: number;
  /** Called when a session begins or ends, in this tab or another. */
  onChange?(signedIn: boolean): void;
}

export interface GoogleOptions {
  /** A path of this origin to resolve `finishGoogleSignIn` with. Default: "/". */
  returnTo?: string;
  /** Where the browser comes back to: one of REDIRECT_URIS. Default: the origin and "/". */
  redirectUri?: string;
}

export interface PasskeySignIn {
  email: string;
  /** Offer the passkey in the autofill of an input with `autocomplete="username webauthn"`. */
  autofill?: boolean;
  /** Ends the browser's prompt. */
  signal?: AbortSignal;
}

/** What `challenge` takes, together with the code. */
export interface EmailCodeStep {
  email: string;
  challenge: "EMAIL_OTP";
  session: string;
}

export class Client {
  /** `url`: the API's URL, including the stage if there is one. */
  constructor(url: string | URL, options?: Options);
  readonly signedIn: boolean;
  signUp(body: SignUp): Promise<void>;
  resendCode(body: Address): Promise<void>;
  /** Signs in as well for 15 minutes on the page that signed up. Otherwise, sign in next. */
  confirm(body: Confirm): Promise<{ signedIn: boolean }>;
  signIn(body: Credentials): Promise<void>;
  challenge(body: Challenge): Promise<void>;
  /** E-mails a code to sign in with. */
  emailCode(body: Address): Promise<EmailCodeStep>;
  signInWithPasskey(options: PasskeySignIn): Promise<void>;
  setUpChallenge(body: ChallengeSetup): Promise<ChallengeSecret>;
  /** The page is left, so that the promise settles only if this fails or on Back. */
  googleSignIn(options?: GoogleOptions): Promise<void>;
  /** Resolves with `returnTo`, or with null if the browser isn't coming back from Google. */
  finishGoogleSignIn(): Promise<string | null>;
  refresh(): Promise<void>;
  signOut(): Promise<void>;
  signOutEverywhere(): Promise<void>;
  forgotPassword(body: Address): Promise<void>;
  resetPassword(body: Reset): Promise<{ sessionsEnded: boolean }>;
  changePassword(body: Change): Promise<void>;
  me(): Promise<User>;
  updateMe(body: Profile): Promise<User>;
  /** Sends a code to a new address. The old one counts until `verifyEmail`. */
  changeEmail(body: Address): Promise<void>;
  verifyEmail(body: EmailCode): Promise<void>;
  /** Makes a passkey. The person must have signed in within the last 5 minutes. */
  addPasskey(options?: { signal?: AbortSignal }): Promise<void>;
  passkeys(): Promise<Passkey[]>;
  removePasskey(passkey: { id: string }): Promise<void>;
  deleteMe(): Promise<void>;
  setUpMfa(): Promise<MfaSecret>;
  verifyMfa(body: MfaCode): Promise<void>;
  removeMfa(): Promise<void>;
  fetch(url: string | URL, init?: RequestInit): Promise<Response>;
}
