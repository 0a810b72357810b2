/** Programs that always need a person, whatever their arguments are: they act on the machine or on systems outside the workspace. */
import { asks, insists, type Risk } from "../finding.ts";
import { type Call, each, hasLetter, hasLong, type Program, type Programs, positionals } from "./program.ts";

function always(reason: string, risk: Risk): Program {
  return { judge: () => (risk === "critical" ? insists(reason, risk) : asks(reason, risk)) };
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
  apt: ["remove", "purge", "uninstall", "del", "autoremove", "autopurge", "dist-upgrade", "full-upgrade"],
};

function publishes(verbs: readonly string[]): Program {
  return {
    judge: (call) => {
      const words = positionals(call.args).map(({ text }) => text);
      const verb = (words[0] === "npm" ? words[1] : words[0]) ?? "";
      return verbs.includes(verb)
        ? asks(`runs "${call.name} ${verb}", which reaches beyond this workspace`, "high")
        : null;
    },
  };
}

function killsOwn(call: Call): boolean {
  const targets = positionals(call.args, new Set(["-s", "-n"]));
  return (
    call.args.some(({ text }) => /^-[lL]$/.test(text)) ||
    (targets.length > 0 && targets.every(({ text }) => text.startsWith("%")))
  );
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
    "mount umount swapon swapoff losetup renice loginctl insmod rmmod modprobe sysctl iptables ip6tables nft ufw firewall-cmd ifconfig chroot nsenter unshare",
    always("changes how this machine is set up", "high"),
  ),
  ...each(
    "useradd userdel usermod groupadd groupdel adduser deluser passwd chpasswd visudo chsh",
    always("changes the accounts of this machine", "high"),
  ),
  ...each("crontab at batch", always("schedules commands that outlive this task", "high")),
  ...each("eval", { judge: () => insists("builds a command out of text and runs it", "high") }),
  ...each("alias", always("changes what later words of the line mean", "medium")),
  ...each("chown chgrp chattr setfacl setcap", always("changes who owns files or may use them", "medium")),
  ...each("shred srm", always("destroys files beyond recovery", "high")),
  ...each("pkill killall skill", always("stops processes by name, which may be anyone's", "high")),
  ...each("kill-port fkill fuser", always("stops processes that this line did not start", "medium")),
  ...each("mail mailx mutt sendmail msmtp swaks", always("sends mail", "high")),
  ...each("lerna semantic-release release-it np changeset", {
    judge: ({ name, args }) =>
      /^(lerna|changeset)$/.test(name) && !args.some(({ text }) => text === "publish")
        ? null
        : asks(`runs "${name}", which publishes`, "high"),
  }),
  enable: { judge: ({ args }) => (hasLetter(args, "f") ? asks("loads code into the shell", "high") : null) },
  ...each("mvn gradle gradlew mvnw", publishes(["deploy", "publish", "uploadArchives"])),
  ...each("dpkg rpm snap", {
    judge: ({ name, args }) =>
      hasLetter(args, "ierPU") || args.some(({ text }) => /^(--?)?(install|remove|purge|erase|upgrade)$/.test(text))
        ? asks(`changes system packages with ${name}`, "high")
        : null,
  }),
  kill: {
    judge: (call) => (killsOwn(call) ? null : asks("stops processes that this line did not start", "medium")),
    paths: () => [],
  },
  ...each("dropdb dropuser", always("deletes a database or its user", "high")),
  ...each(
    "kubectl helm terraform tofu pulumi ansible ansible-playbook aws gcloud gsutil az doctl heroku fly flyctl vercel netlify wrangler firebase gh glab hub twine",
    always("acts on systems outside this machine", "high"),
  ),
  ...each("docker podman nerdctl docker-compose podman-compose vagrant", {
    judge: ({ name, args }) =>
      readOnlyDocker.has(positionals(args)[0]?.text ?? "")
        ? null
        : asks(`runs ${name}, which can reach everything on this machine`, "high"),
  }),
  ...each(
    "ssh-keygen ssh-add ssh-copy-id ssh-agent gpg gpg2 pass gopass security secret-tool keyctl vault op bw lpass",
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
