// aws-jwt-verify, as a back end uses it, with the keys of the local Cognito.

import { CognitoJwtVerifier } from "aws-jwt-verify";
import { SimpleJwksCache } from "aws-jwt-verify/jwk";

/** Return the claims of a token, or the name of the error. */
export async function verify({ endpoint, pool, client, use, token }) {
  // The verifier derives the keys' address from the pool's id, and fetches over https only.
  const here = (uri) => new URL(new URL(uri).pathname, endpoint);
  const fetcher = { fetch: async (uri) => (await fetch(here(uri))).arrayBuffer() };
  const verifier = CognitoJwtVerifier.create(
    { userPoolId: pool, clientId: client, tokenUse: use },
    { jwksCache: new SimpleJwksCache({ fetcher }) },
  );
  return verifier.verify(token).catch((error) => error.constructor.name);
}
