/* A real OpenID Connect provider for the tests of sign-on: node oidc-provider, which is certified by the OpenID
   Foundation. Only its sign-in form is ours: a user name, and whether a second step was asked for.

   node sign_on_provider.mjs '{"redirect": ["http://…/sign-on/answer"], "home": ["http://…/"]}' prints its address. */

import { once } from "node:events";
import { createServer } from "node:http";
import Provider from "oidc-provider";

const wanted = JSON.parse(process.argv[2]);
const server = createServer();
server.listen(wanted.port ?? 0, "127.0.0.1");
await once(server, "listening");
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "fieldapp",
      client_secret: "a secret for the tests of sign-on",
      redirect_uris: wanted.redirect,
      post_logout_redirect_uris: wanted.home,
    },
  ],
  cookies: { keys: ["a key for the cookies of the tests"] },
  // Others may have the same address, or take it over: nothing here may open anybody's account by it.
  claims: { openid: ["sub", "oid", "amr", "email", "email_verified"] },
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true } },
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_ctx, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      oid: `object-${id}`,
      email: `${id}@example.org`,
      email_verified: true,
    }),
  }),
  // Nobody is asked whether they allow it, as within one organization.
  loadExistingGrant: async (ctx) => {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope("openid");
    await grant.save();
    return grant;
  },
});

const FORM = `<!doctype html><html lang="en"><title>City account</title><h1>City account</h1><form method="post">
<p><label>Name <input name="name"></label></p>
<p><label><input type="checkbox" name="second"> with a second step</label></p>
<p><button>Let me in</button> <button name="cancel" value="yes">Cancel</button></p></form></html>`;

async function interact(request, response) {
  if (request.method === "GET") {
    response.setHeader("Content-Type", "text/html; charset=utf-8");
    response.end(FORM);
    return;
  }
  let body = "";
  for await (const piece of request) body += piece;
  const typed = new URLSearchParams(body);
  const amr = typed.get("second") ? ["pwd", "mfa"] : ["pwd"];
  const result = typed.get("cancel")
    ? { error: "access_denied" }
    : { login: { accountId: typed.get("name"), amr } };
  await provider.interactionFinished(request, response, result);
}

const answer = provider.callback();
server.on("request", (request, response) => {
  if (request.url.startsWith("/interaction/")) {
    interact(request, response).catch(() => response.destroy());
  } else {
    answer(request, response);
  }
});
console.log(issuer);
