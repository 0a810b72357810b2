/** Programs that always need a person, whatever their arguments are: they act on the machine or on systems outside the workspace. */
import type { Risk } from "../finding.ts";
import { asks, type Call, each, hasLetter, hasLong, type Program, type Programs, positionals } from "./program.ts";

function always(reason: string, risk: Risk): Program {
  return { judge: () => asks(reason, risk) };
}

const readOnlyDocker: ReadonlySet<string> = new Set(["ps", "images", "version", "info", "logs", "inspect"]);

/** Package managers: installing is part of the work, taking away or handing to others is not. */
const publishing: Readonly<Record<string, readonly string[]>> = {
  npm: [
    "publish",
    "unpublish",
    "login",
    "logout",
    "adduser",
    "token",
    "owner",
    "deprecate",
    "access",
    "dist-tag",
    "profile",
  ],
  cargo: ["publish", "yank", "login", "logout", "owner"],
  gem: ["push", "yank", "signin", "owner"],
  pip: ["uninstall"],
  apt: ["remove", "purge", "autoremove", "autopurge", "dist-upgrade", "full-upgrade"],
};

function publishes(verbs: readonly string[]): Program {
  return {
    judge: (call) => {
      const verb = positionals(call.args)[0]?.text ?? "";
      return verbs.includes(verb)
        ? asks(`runs "${call.name} ${verb}", which reaches beyond this workspace`, "high")
        : null;
    },
  };
}

function killsOwn(call: Call): boolean {
  const targets = positionals(call.args, new Set(["-s", "-n"]));
  return hasLetter(call.args, "lL") || (targets.length > 0 && targets.every(({ text }) => text.startsWith("%")));
}

export const refusedPrograms: Programs = {
  ...each("sudo doas su pkexec runuser run0 gosu", always("runs commands as another user", "critical")),
  ...each(
    "mkfs fdisk sfdisk parted wipefs mkswap cryptsetup lvremove vgremove blkdiscard",
    always("changes disks or file systems", "critical"),
  ),
  ...each("shutdown reboot halt poweroff init telinit", always("stops or restarts this machine", "critical")),
  ...each("systemctl service launchctl rc-service", always("controls services of this machine", "high")),
  ...each(
    "mount umount insmod rmmod modprobe sysctl iptables ip6tables nft ufw firewall-cmd ifconfig chroot nsenter unshare",
    always("changes how this machine is set up", "high"),
  ),
  ...each(
    "useradd userdel usermod groupadd groupdel adduser deluser passwd chpasswd visudo chsh",
    always("changes the accounts of this machine", "high"),
  ),
  ...each("crontab at batch", always("schedules commands that outlive this task", "high")),
  ...each("eval", always("builds a command out of text and runs it", "high")),
  ...each("alias", always("changes what later words of the line mean", "medium")),
  ...each("chown chgrp chattr setfacl setcap", always("changes who owns files or may use them", "medium")),
  ...each("shred srm", always("destroys files beyond recovery", "high")),
  ...each("pkill killall skill", always("stops processes by name, which may be anyone's", "high")),
  kill: {
    judge: (call) => (killsOwn(call) ? null : asks("stops processes that this line did not start", "medium")),
    paths: () => [],
  },
  ...each("dropdb dropuser", always("deletes a database or its user", "high")),
  ...each(
    "kubectl helm terraform tofu pulumi ansible ansible-playbook aws gcloud gsutil az doctl heroku fly flyctl vercel netlify wrangler firebase gh glab hub twine",
    always("acts on systems outside this machine", "high"),
  ),
  ...each("docker podman nerdctl", {
    judge: ({ name, args }) =>
      readOnlyDocker.has(positionals(args)[0]?.text ?? "")
        ? null
        : asks(`runs ${name}, which can reach everything on this machine`, "high"),
  }),
  ...each(
    "ssh-keygen ssh-add ssh-copy-id ssh-agent gpg gpg2 pass security",
    always("handles keys of the person", "high"),
  ),
  ...each("osascript open xdg-open screen tmux", always("acts in the person's session", "medium")),
  ...each("vi vim nvim ed ex emacs", always("opens an editor, which needs a terminal and can run commands", "medium")),
  ...each("npm pnpm yarn bun", publishes(publishing["npm"] ?? [])),
  pip: publishes(publishing["pip"] ?? []),
  cargo: publishes(publishing["cargo"] ?? []),
  gem: publishes(publishing["gem"] ?? []),
  ...each("apt apt-get aptitude dnf yum apk brew", publishes(publishing["apt"] ?? [])),
  ...each("poetry uv flit hatch", publishes(["publish"])),
  pacman: {
    judge: ({ args }) =>
      hasLetter(args, "R") || hasLong(args, "remove") ? asks("removes system packages", "high") : null,
  },
};
