/** Turns what the file system throws into errors that name the path and say what to do. */
import { LoomError } from "../lib/errors.ts";

/** Error numbers that speak about the path itself, not about the disk. */
const aboutThePath: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EBUSY: "it is in use",
  EEXIST: "something stands there already",
  EINVAL: "not a valid path",
  EISDIR: "it is a folder",
  ELOOP: "it runs through a symbolic link",
  ENAMETOOLONG: "a name in it is too long",
  ENOTDIR: "a part of it is not a folder",
  ENOTEMPTY: "the folder is not empty",
  ENXIO: "it is not a regular file",
  EPERM: "not permitted",
  EROFS: "the file system is read-only",
};

export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

export function isMissing(error: unknown): boolean {
  return errnoOf(error) === "ENOENT";
}

export function pathRefused(path: string, reason: string, hint?: string): LoomError {
  return new LoomError(
    "path_refused",
    `Path "${shown(path)}" is refused: ${reason}`,
    hint === undefined ? {} : { hint },
  );
}

export function notFound(path: string): LoomError {
  return new LoomError("not_found", `Path not found: ${shown(path)}`, { hint: "list_directory shows what is there" });
}

/** @returns the error to throw for `error`, met while `action` ("read", "write") was done to `path` */
export function failureOf(error: unknown, action: string, path: string): unknown {
  if (error instanceof LoomError) return error;
  const errno = errnoOf(error);
  if (errno === undefined) return error;
  if (errno === "ENOENT") return notFound(path);
  const reason = aboutThePath[errno];
  const message = `Cannot ${action} "${shown(path)}": ${reason ?? errno}`;
  return reason === undefined
    ? new LoomError("workspace_unusable", message, { cause: error, hint: "Look at the disk: is it full or failing?" })
    : new LoomError("path_refused", message, { cause: error });
}

/** A path fit for a message: no control characters, not longer than a line. */
function shown(path: string): string {
  const plain = path.replaceAll(/\p{Cc}/gu, "�");
  return plain.length > 200 ? `${plain.slice(0, 200)}…` : plain;
}
