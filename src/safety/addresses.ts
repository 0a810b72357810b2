/** Which network addresses a request may dial, by class. Pure; names are resolved elsewhere. */
import ipaddr from "ipaddr.js";

/** Addresses at which clouds hand out credentials: refused even where private ones are allowed. */
const metadataAddresses: ReadonlySet<string> = new Set(["169.254.169.254", "100.100.100.200", "fd00:ec2::254"]);
const privateClasses: ReadonlySet<string> = new Set(["loopback", "private", "uniqueLocal", "carrierGradeNat"]);

/**
 * @param address an IP address in any form that a resolver returns
 * @returns why it must not be dialled ("loopback", "metadata" …), or null
 */
export function forbiddenClass(address: string, options: { readonly allowPrivate: boolean }): string | null {
  if (!ipaddr.isValid(address)) return "unreadable";
  const parsed = plain(ipaddr.parse(address.split("%")[0] ?? ""));
  if (parsed === null) return "translated";
  if (metadataAddresses.has(parsed.toString())) return "metadata";
  const range = parsed.range();
  if (range === "unicast" || (options.allowPrivate && privateClasses.has(range))) return null;
  return range;
}

/** An IPv4 address inside an IPv6 one is judged as the IPv4 address; null where the form itself is out of place. */
function plain(address: ipaddr.IPv4 | ipaddr.IPv6): ipaddr.IPv4 | ipaddr.IPv6 | null {
  if (address.kind() === "ipv4") return address;
  const { parts } = ipaddr.IPv6.parse(address.toString());
  const range = address.range();
  if (range === "ipv4Mapped") return v4(parts[6], parts[7]);
  if (range === "6to4") return v4(parts[1], parts[2]);
  // Only the well-known prefix is translated for everyone; 64:ff9b:1::/48 leads into someone's own network.
  if (range === "rfc6052") return parts[2] === 0 ? v4(parts[6], parts[7]) : null;
  return address;
}

function v4(high = 0, low = 0): ipaddr.IPv4 {
  return new ipaddr.IPv4([high >> 8, high & 255, low >> 8, low & 255]);
}
