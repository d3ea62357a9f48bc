// Write the most used passwords, one a line, the most used first. The list is in lower case.
import { writeFileSync } from "node:fs";
import { dictionary } from "@zxcvbn-ts/language-common";

const MOST_USED = 10_000;
const SHORTEST = 6; // characters: no user pool accepts fewer

const used = dictionary["passwords-common"].slice(0, MOST_USED);
writeFileSync(process.argv[2], used.filter((each) => each.length >= SHORTEST).join("\n") + "\n");
