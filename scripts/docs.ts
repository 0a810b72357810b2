/** Writes what is made from tables: `loom.example.toml` from the configuration's keys, `docs/events.md` from the event schemas. */
import { writeFileSync } from "node:fs";
import { exampleToml } from "../src/config/example.ts";
import { eventsPage } from "./events-page.ts";

writeFileSync(new URL("../loom.example.toml", import.meta.url), exampleToml());
writeFileSync(new URL("../docs/events.md", import.meta.url), eventsPage());
