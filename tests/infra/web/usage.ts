// A team's program that uses client.d.ts. test_types.py compiles it; nothing runs it.

import {
  ApiError,
  Client,
  InAppBrowserError,
  NetworkError,
  localStore,
  sessionStore,
} from "../../../infra/web/client.js";
import type { Code, Next, Store, User } from "../../../infra/web/client.js";

const client = new Client("https://api.example.com/v1", {
  store: sessionStore(),
  timeout: 10_000,
  onChange: (signedIn) => console.log(signedIn),
});

export async function main(email: string, password: string): Promise<User | null> {
  await client.signUp({ email, password });
  // @ts-expect-error - a field is missing
  await client.confirm({ email });
  try {
    await client.signIn({ email, password });
  } catch (error) {
    if (error instanceof NetworkError || error instanceof InAppBrowserError) return null;
    if (!(error instanceof ApiError)) throw error;
    const next: Next = error.next;
    if (next === "challenge" && error.challenge && error.session) {
      await client.challenge({ email, challenge: error.challenge, session: error.session, code: "1" });
    }
    if (next === "setUpMfa" && error.challenge && error.session) {
      const { uri, session } = await client.setUpChallenge({ email, session: error.session });
      console.log(uri);
      await client.challenge({ email, challenge: error.challenge, session, code: "1" });
    }
    const known: Code = "email_taken";
    // @ts-expect-error - no such code
    const unknown: Code = "email_stolen";
    if (error.code === known || error.code === unknown || error.code === "diary_full") {
      console.log(error.retryAfter ?? 0, error.errors.map(({ field }) => field));
    }
  }
  await client.googleSignIn({ returnTo: "/diary" });
  const path: string | null = await client.finishGoogleSignIn();
  if (path) location.assign(path);
  const { sessionsEnded } = await client.resetPassword({ email, code: "1", password });
  const diary: Response = await client.fetch("/diary", { method: "POST", body: "{}" });
  return sessionsEnded && diary.ok ? client.me() : null;
}

const own: Store = { get: () => null, set: (value: string | null) => void value };
export const clients = [own, localStore("diary")].map((store) => new Client("/api", { store }));
