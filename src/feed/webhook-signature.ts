/** Signatures of webhooks as Standard Webhooks 1.0.0 wants them, and whose secret signs for which receiver. */
import { Webhook } from "standardwebhooks";

export interface SigningSecrets {
  /** `whsec_…`; two with a space between while one takes the place of the other: both sign. */
  readonly secret: string;
  /** The same for receivers at and below an address. */
  readonly ofEndpoints: Readonly<Record<string, string>>;
}

export interface Message {
  readonly id: string;
  /** Unix seconds, as in `webhook-timestamp`. */
  readonly timestamp: number;
  /** As it is sent, byte for byte. */
  readonly body: string;
}

/** @returns the value of `webhook-signature` for a message to `url` */
export type Sign = (url: string, message: Message) => string;

export function createSigner({ secret, ofEndpoints }: SigningSecrets): Sign {
  const general = hooksOf(secret);
  const endpoints = Object.entries(ofEndpoints)
    .map(([address, own]) => ({ address: new URL(address), hooks: hooksOf(own) }))
    .sort((a, b) => b.address.pathname.length - a.address.pathname.length);
  return (url, { id, timestamp, body }) => {
    const to = URL.parse(url);
    const hooks = endpoints.find(({ address }) => to !== null && isWithin(to, address))?.hooks ?? general;
    return hooks.map((hook) => hook.sign(id, new Date(timestamp * 1000), body)).join(" ");
  };
}

function hooksOf(secrets: string): Webhook[] {
  return secrets.split(" ").map((secret) => new Webhook(secret));
}

function isWithin(url: URL, address: URL): boolean {
  const folder = address.pathname.replace(/\/?$/, "/");
  return url.origin === address.origin && `${url.pathname}/`.startsWith(folder);
}
