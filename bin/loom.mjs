#!/usr/bin/env node
/**
 * Starts Loom on Node 24 or newer, whatever Node runs this file: written so that old versions can parse it.
 * The check comes before anything is imported, because a native module built for Node 24 kills older versions
 * without a word.
 */
import { spawn } from "child_process";
import { existsSync, readdirSync, statSync } from "fs";
import * as nodeModule from "module";
import { Socket } from "net";
import { dirname, join } from "path";
import { fileURLToPath, pathToFileURL } from "url";

const NODE_MAJOR_MIN = 24;
const EXIT_CONFIGURATION = 78;
const TERMINAL_SIGNALS = ["SIGINT", "SIGHUP", "SIGQUIT"];
const LIFELINE_FD = 3;
const LIFELINE_VARIABLE = "LOOM_LIFELINE_FD";
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const relaunched = process.env[LIFELINE_VARIABLE] !== undefined;

if (Number.parseInt(process.versions.node, 10) >= NODE_MAJOR_MIN) {
  startHere();
} else if (relaunched) {
  refuse();
} else {
  startOnBundledNode();
}

function startHere() {
  if (relaunched) followLauncher();
  nodeModule.enableCompileCache();
  const built = join(root, "dist", "loom", "main.js");
  void import(pathToFileURL(isFresh(built) ? built : join(root, "src", "main.ts")).href);
}

/**
 * Whether dist/ is what src/ says. Loading it takes a third of the time; an installed package has nothing else, since Node
 * runs .ts as it is, but not below node_modules.
 *
 * @param {string} built
 */
function isFresh(built) {
  if (!existsSync(built)) return false;
  const source = join(root, "src");
  if (!existsSync(source)) return true;
  const builtAt = statSync(built).mtimeMs;
  return statSync(join(root, "package-lock.json")).mtimeMs < builtAt && isOlder(source, builtAt);
}

/**
 * Folders count too: of a file that was taken away nothing else is newer.
 *
 * @param {string} folder
 * @param {number} time
 * @returns {boolean} whether nothing in it changed since then
 */
function isOlder(folder, time) {
  if (statSync(folder).mtimeMs >= time) return false;
  return readdirSync(folder, { withFileTypes: true }).every((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? isOlder(path, time) : statSync(path).mtimeMs < time;
  });
}

/** Dies with the launcher, also when that was killed and could pass nothing on: its end of the pipe closes. */
function followLauncher() {
  delete process.env[LIFELINE_VARIABLE];
  const lifeline = new Socket({ fd: LIFELINE_FD, readable: true, writable: false });
  lifeline.on("end", die).on("error", die).resume().unref();
}

function die() {
  process.kill(process.pid, "SIGKILL");
}

function startOnBundledNode() {
  const bundled = findBundledNode();
  if (bundled === undefined) {
    refuse();
    return;
  }
  const child = spawn(bundled, process.execArgv.concat(process.argv.slice(1)), {
    stdio: ["inherit", "inherit", "inherit", "pipe"],
    env: Object.assign({}, process.env, { [LIFELINE_VARIABLE]: String(LIFELINE_FD) }),
  });
  // A terminal sends its signals to the whole process group, so the child has these already.
  const onTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  for (const signal of ["SIGINT", "SIGHUP", "SIGQUIT", "SIGTERM", "SIGUSR2"]) {
    const sentToGroup = onTerminal && TERMINAL_SIGNALS.includes(signal);
    process.on(signal, () => sentToGroup || child.kill(/** @type {NodeJS.Signals} */ (signal)));
  }
  child.on("error", refuse);
  child.on("exit", (code, signal) => {
    if (signal === null) {
      process.exitCode = code === null ? 1 : code;
    } else {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    }
  });
}

function findBundledNode() {
  const name = `node-${process.platform}-${process.arch}`;
  try {
    const manifest = nodeModule.createRequire(import.meta.url).resolve(`${name}/package.json`);
    const binary = join(dirname(manifest), "bin", "node");
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}

function refuse() {
  process.stderr.write(
    `loom needs Node.js ${NODE_MAJOR_MIN} or newer; this is ${process.version} (${process.execPath}).\n` +
      `  In a checkout on Linux x64, run \`npm ci\` in ${root}: it brings Node ${NODE_MAJOR_MIN} along.\n` +
      `  Elsewhere, install Node ${NODE_MAJOR_MIN} (https://nodejs.org) and start loom with it.\n`,
  );
  process.exitCode = EXIT_CONFIGURATION;
}
