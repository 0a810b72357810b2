/** Profiles of models in SQLite: read where they are asked for, written by the writer's job. What is in them is the models' own affair. */
import type { Database } from "better-sqlite3";
import { isJsonObject, type JsonObject, parseJson } from "../lib/json.ts";
import type { Profiles } from "../ports/profiles.ts";
import { failureOf, guarded } from "./failures.ts";

/** Says what went wrong, or null. */
export interface ProfileJobs {
  keepProfile(key: string, profile: JsonObject): Error | null;
}

/** The same for who asks: done at once, or answered by another thread. */
type ProfileWriter = {
  readonly [J in keyof ProfileJobs]: (...args: Parameters<ProfileJobs[J]>) => Error | null | Promise<Error | null>;
};

export function createProfileJobs(connection: Database): ProfileJobs {
  const put = connection.prepare(
    "INSERT INTO model_profile (key, profile) VALUES (?, ?) ON CONFLICT DO UPDATE SET profile = excluded.profile",
  );
  return {
    keepProfile: (key, profile) => failureOf("keep a model's profile", () => put.run(key, JSON.stringify(profile))),
  };
}

export function createProfiles(connection: Database, writer: ProfileWriter): Profiles {
  const select = connection.prepare<[string], { readonly profile: string }>(
    "SELECT profile FROM model_profile WHERE key = ?",
  );
  return {
    find: (key) => {
      const row = guarded("read a model's profile", () => select.get(key));
      const value = row === undefined ? null : parseJson(row.profile);
      return isJsonObject(value) ? value : null;
    },
    keep: async (key, profile) => {
      const failure = await writer.keepProfile(key, profile);
      if (failure !== null) throw failure;
    },
  };
}
