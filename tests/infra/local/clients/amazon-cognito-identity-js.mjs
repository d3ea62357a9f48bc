// amazon-cognito-identity-js, as an app uses it. `ask` gets codes and invitations from the test.

import { AuthenticationDetails, CognitoUser, CognitoUserPool } from "amazon-cognito-identity-js";

// Return the result of one call of the library, which takes either a function or an object with
// several. `done` is both. A further step of a sign-in results in its name.
const promised = (call) =>
  new Promise((resolve, reject) => {
    const done = (error, result) => (error ? reject(error) : resolve(result));
    Object.assign(done, { onSuccess: resolve, onFailure: reject, associateSecretCode: resolve });
    for (const step of ["newPasswordRequired", "mfaSetup", "totpRequired"]) {
      done[step] = () => resolve(step);
    }
    call(done);
  });

const failure = async (promise) => promise.then(() => "none", (error) => error.name);

function open({ endpoint, pool, client, flow, email }) {
  const users = new CognitoUserPool({ UserPoolId: pool, ClientId: client, endpoint });
  const person = () => {
    const user = new CognitoUser({ Username: email, Pool: users });
    user.setAuthenticationFlowType(flow);
    return user;
  };
  return { users, person };
}

const signIn = (user, Password) => {
  const details = new AuthenticationDetails({ Username: user.getUsername(), Password });
  return promised((done) => user.authenticateUser(details, done));
};

/** Live the whole life of an account, and return what failed and how. */
export async function live(settings, ask) {
  const { email, password } = settings;
  const { users, person } = open(settings);
  const failed = {};

  const signUp = (chosen) => promised((done) => users.signUp(email, chosen, [], [], done));
  const confirm = (code) => promised((done) => person().confirmRegistration(code, true, done));
  failed["weak password"] = await failure(signUp("weak-password"));
  await signUp(password);
  failed["taken address"] = await failure(signUp(password));
  failed["unconfirmed"] = await failure(signIn(person(), password));
  await promised((done) => person().resendConfirmationCode(done));
  failed["wrong code"] = await failure(confirm("wrong"));
  await confirm(await ask("code", email));

  failed["wrong password"] = await failure(signIn(person(), `${password}?`));
  const user = person();
  const session = await signIn(user, password);
  await promised((done) => user.refreshSession(session.getRefreshToken(), done));
  const name = [{ Name: "name", Value: "Ada" }];
  await promised((done) => user.updateAttributes(name, done));
  const attributes = await promised((done) => user.getUserAttributes(done));
  await promised((done) => user.deleteAttributes(["name"], done));

  const prefer = (Enabled) =>
    promised((done) => user.setUserMfaPreference(null, { Enabled, PreferredMfa: Enabled }, done));
  const verify = (code) => promised((done) => user.verifySoftwareToken(code, "phone", done));
  const secret = await promised((done) => user.associateSoftwareToken(done));
  failed["wrong first app code"] = await failure(verify("000000"));
  await verify(await ask("app", secret));
  await prefer(true);
  const other = person();
  const step = await signIn(other, password);
  const send = (code) => promised((done) => other.sendMFACode(code, done, "SOFTWARE_TOKEN_MFA"));
  failed["wrong app code"] = await failure(send("000000"));
  await send(await ask("app", secret));
  await prefer(false);

  const change = (old) => promised((done) => user.changePassword(old, `${password}2`, done));
  failed["wrong old password"] = await failure(change(`${password}?`));
  await change(password);
  const reset = (code) =>
    promised((done) => person().confirmPassword(code, `${password}3`, done));
  await promised((done) => person().forgotPassword(done));
  failed["wrong reset code"] = await failure(reset("000000"));
  await reset(await ask("code", email));

  await promised((done) => other.globalSignOut(done));
  failed["signed out"] = await failure(promised((done) => user.getUserAttributes(done)));
  const last = person();
  await signIn(last, `${password}3`);
  await promised((done) => last.signOut(done)); // revokes the refresh token
  await signIn(last, `${password}3`);
  await promised((done) => last.deleteUser(done));
  failed["deleted"] = await failure(signIn(person(), `${password}3`));

  const values = Object.fromEntries(attributes.map(({ Name, Value }) => [Name, Value]));
  return { failed, step, attributes: values };
}

/** Accept an invitation to a pool that requires a second factor, and return the steps. */
export async function join(settings, ask) {
  const user = open(settings).person();
  const steps = [await signIn(user, await ask("invitation", settings.email))];
  const { password } = settings;
  steps.push(await promised((done) => user.completeNewPasswordChallenge(password, {}, done)));
  const secret = await promised((done) => user.associateSoftwareToken(done));
  const code = await ask("app", secret);
  const session = await promised((done) => user.verifySoftwareToken(code, "phone", done));
  return { steps, signedInAs: session.getIdToken().payload.email };
}
