// aws-amplify, as an app uses it. `ask` gets codes and invitations from the test.

import { Amplify } from "aws-amplify";
import * as auth from "aws-amplify/auth";

const failure = async (promise) => promise.then(() => "none", (error) => error.name);

function open({ endpoint, pool, client, flow, email }) {
  const Cognito = { userPoolId: pool, userPoolClientId: client, userPoolEndpoint: endpoint };
  Amplify.configure({ Auth: { Cognito } });
  return async (password) => {
    const options = { authFlowType: flow };
    return (await auth.signIn({ username: email, password, options })).nextStep;
  };
}

/** Live the whole life of an account, and return what failed and how. */
export async function live(settings, ask) {
  const { email: username, password } = settings;
  const signIn = open(settings);
  const failed = {};

  const confirm = (confirmationCode) => auth.confirmSignUp({ username, confirmationCode });
  failed["weak password"] = await failure(auth.signUp({ username, password: "weak-password" }));
  await auth.signUp({ username, password });
  failed["taken address"] = await failure(auth.signUp({ username, password }));
  // Amplify turns Cognito's exception into a step.
  const unconfirmed = (await signIn(password)).signInStep;
  failed["unconfirmed"] = unconfirmed === "CONFIRM_SIGN_UP" ? "UserNotConfirmedException" : unconfirmed;
  await auth.resendSignUpCode({ username });
  failed["wrong code"] = await failure(confirm("wrong"));
  await confirm(await ask("code", username));

  failed["wrong password"] = await failure(signIn(`${password}?`));
  await signIn(password);
  await auth.fetchAuthSession({ forceRefresh: true });
  await auth.updateUserAttributes({ userAttributes: { name: "Ada" } });
  const attributes = await auth.fetchUserAttributes();
  await auth.deleteUserAttributes({ userAttributeKeys: ["name"] });

  const secret = (await auth.setUpTOTP()).sharedSecret;
  failed["wrong first app code"] = await failure(auth.verifyTOTPSetup({ code: "000000" }));
  await auth.verifyTOTPSetup({ code: await ask("app", secret) });
  await auth.updateMFAPreference({ totp: "PREFERRED" });
  await auth.signOut(); // revokes the refresh token
  const step = (await signIn(password)).signInStep;
  const send = (challengeResponse) => auth.confirmSignIn({ challengeResponse });
  failed["wrong app code"] = await failure(send("000000"));
  await send(await ask("app", secret));
  await auth.updateMFAPreference({ totp: "DISABLED" });

  const change = (oldPassword) => auth.updatePassword({ oldPassword, newPassword: `${password}2` });
  failed["wrong old password"] = await failure(change(`${password}?`));
  await change(password);
  const reset = (confirmationCode) =>
    auth.confirmResetPassword({ username, confirmationCode, newPassword: `${password}3` });
  await auth.resetPassword({ username });
  failed["wrong reset code"] = await failure(reset("000000"));
  await reset(await ask("code", username));

  await auth.signOut({ global: true });
  failed["signed out"] = await failure(auth.fetchUserAttributes());
  await signIn(`${password}3`);
  await auth.deleteUser();
  failed["deleted"] = await failure(signIn(`${password}3`));
  return { failed, step, attributes };
}

/** Accept an invitation to a pool that requires a second factor, and return the steps. */
export async function join(settings, ask) {
  const signIn = open(settings);
  const steps = [(await signIn(await ask("invitation", settings.email))).signInStep];
  const { nextStep } = await auth.confirmSignIn({ challengeResponse: settings.password });
  steps.push(nextStep.signInStep);
  const secret = nextStep.totpSetupDetails.sharedSecret;
  await auth.confirmSignIn({ challengeResponse: await ask("app", secret) });
  const { tokens } = await auth.fetchAuthSession();
  return { steps, signedInAs: tokens.idToken.payload.email };
}

/**
 * Sign up, confirm at the second try, and go on as `autoSignIn` says. Amplify doesn't pass the
 * session of SignUp to ConfirmSignUp, so Cognito lets it choose a factor.
 */
export async function begin(settings, ask) {
  open(settings);
  const { email: username, password } = settings;
  const options = { autoSignIn: { authFlowType: "USER_AUTH" } };
  await auth.signUp({ username, password, options });
  const confirm = (confirmationCode) => auth.confirmSignUp({ username, confirmationCode });
  const failed = await failure(confirm("wrong"));
  const steps = [(await confirm(await ask("code", username))).nextStep.signUpStep];
  steps.push((await auth.autoSignIn()).nextStep.signInStep);
  const choose = (challengeResponse) => auth.confirmSignIn({ challengeResponse });
  steps.push((await choose("PASSWORD")).nextStep.signInStep);
  steps.push((await choose(password)).nextStep.signInStep);
  const { tokens } = await auth.fetchAuthSession();
  return { failed, steps, signedInAs: tokens.idToken.payload.email };
}
