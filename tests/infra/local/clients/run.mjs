// Run a function of a client's module: `node run.mjs MODULE FUNCTION SETTINGS`. Each line of output
// is a question or, at the end, the result; each line of input answers a question. All are JSON.

import { createInterface } from "node:readline";

const [module, name, settings] = process.argv.slice(2);
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function ask(...question) {
  console.log(JSON.stringify({ question }));
  return JSON.parse((await answers.next()).value);
}

const client = await import(`./${module}.mjs`);
const result = await client[name](JSON.parse(settings), ask);
console.log(JSON.stringify({ result }));
process.exit();
