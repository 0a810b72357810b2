/**
 * The system calls that no command in the sandbox needs, as a filter for the kernel: calls that look into other processes,
 * mount, load code into the kernel, open new namespaces or get at keys. Classic BPF, put together here, per architecture.
 */

interface Architecture {
  /** AUDIT_ARCH_… of linux/audit.h */
  readonly audit: number;
  readonly clone: number;
  readonly clone3: number;
  readonly refused: readonly number[];
}

/** Numbers that x86-64 and arm64 share: open_tree to fspick, mount_setattr, io_uring, pidfd_getfd. */
const common = [425, 426, 427, 428, 429, 430, 431, 432, 433, 438, 442];

/**
 * In this order: ptrace process_vm_readv process_vm_writev kcmp mount umount2 pivot_root setns unshare bpf perf_event_open
 * userfaultfd add_key request_key keyctl open_by_handle_at kexec_load kexec_file_load init_module finit_module delete_module
 * reboot swapon swapoff acct quotactl settimeofday clock_settime syslog, and on x86-64 iopl ioperm.
 */
const architectures: Readonly<Record<string, Architecture>> = {
  x64: {
    audit: 0xc000003e,
    clone: 56,
    clone3: 435,
    refused: [
      101, 310, 311, 312, 165, 166, 155, 308, 272, 321, 298, 323, 248, 249, 250, 304, 246, 320, 175, 313, 176, 169, 167,
      168, 163, 179, 164, 227, 103, 172, 173,
    ],
  },
  arm64: {
    audit: 0xc00000b7,
    clone: 220,
    clone3: 435,
    refused: [
      117, 270, 271, 272, 40, 39, 41, 268, 97, 280, 241, 282, 217, 218, 219, 265, 104, 294, 105, 273, 106, 142, 224,
      225, 89, 60, 170, 112, 116,
    ],
  },
};

/** Every CLONE_NEW… flag that `clone` knows. */
const newNamespaces = 0x7e020000;
/** Above it on x86-64: the calls of x32, which nobody uses and which would go round the list. */
const x32 = 0x40000000;
const [eperm, enosys] = [1, 38];
/** Places in `struct seccomp_data`. */
const at = { number: 0, architecture: 4, firstArgument: 16 };
const code = { load: 0x20, equal: 0x15, atLeast: 0x35, anyBit: 0x45, answer: 0x06 };
const answers = { kill: 0x80000000, allow: 0x7fff0000, errno: 0x00050000 };

type Step = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

/** @returns the filter as `struct sock_filter[]`, or null where the numbers of this architecture are not known */
export function seccompFilter(architecture: string): Uint8Array | null {
  const known = architectures[architecture];
  return known === undefined ? null : encoded(stepsOf(known));
}

function stepsOf({ audit, clone, clone3, refused }: Architecture): readonly Step[] {
  const numbers = [...common, ...refused];
  // Jumps count from the next step; the answers stand at the end, in this order.
  const tail: readonly Step[] = [
    [code.load, 0, 0, at.firstArgument],
    [code.anyBit, 1, 0, newNamespaces],
    [code.answer, 0, 0, answers.allow],
    [code.answer, 0, 0, answers.errno | eperm],
    [code.answer, 0, 0, answers.errno | enosys],
    [code.answer, 0, 0, answers.allow],
  ];
  const [toFlags, toRefusal, toUnknown, toAllow] = [0, 3, 4, 5];
  const body: readonly (readonly [code: number, value: number, target: number])[] = [
    [code.atLeast, x32, toRefusal],
    ...numbers.map((number) => [code.equal, number, toRefusal] as const),
    [code.equal, clone3, toUnknown],
    [code.equal, clone, toFlags],
  ];
  const jumps = body.map(([what, value, target], index): Step => {
    const isLast = index === body.length - 1;
    const past = body.length - 1 - index;
    return [what, past + target, isLast ? toAllow : 0, value];
  });
  return [
    [code.load, 0, 0, at.architecture],
    [code.equal, 1, 0, audit],
    [code.answer, 0, 0, answers.kill],
    [code.load, 0, 0, at.number],
    ...jumps,
    ...tail,
  ];
}

function encoded(steps: readonly Step[]): Uint8Array {
  const bytes = Buffer.alloc(steps.length * 8);
  for (const [index, [what, ifTrue, ifFalse, value]] of steps.entries()) {
    const place = index * 8;
    bytes.writeUInt16LE(what, place);
    bytes.writeUInt8(ifTrue, place + 2);
    bytes.writeUInt8(ifFalse, place + 3);
    bytes.writeUInt32LE(value >>> 0, place + 4);
  }
  return bytes;
}
