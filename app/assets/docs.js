"use strict";
// Starts Swagger UI on the OpenAPI document beside this page.

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

SwaggerUIBundle({
  // Relative to the page, whose address only the browser knows for certain.
  url: new URL("openapi.json", location.href).href,
  dom_id: "#docs",
  deepLinking: true, // each route has an address of its own, to be sent to a colleague
  displayRequestDuration: true,
  defaultModelsExpandDepth: -1, // the schemas stand with the routes that use them
  defaultModelRendering: "example",
  persistAuthorization: false, // a token that is kept can be taken: it is gone with the page
  validatorUrl: null, // else Swagger UI sends the document to a server of its makers
});
