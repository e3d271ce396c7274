/** `ADDRESS:PORT` as ss, netstat, tcpdrop and others print it. */
import type { Endpoint } from '../../../model/address.ts';
import type { Interner } from './interner.ts';
import { parsePort } from './services.ts';

/** What addresses and host names are made of, zone, wildcard and brackets included, and of a placeholder in their place (`<client>`): nothing that hurts a terminal. */
const ADDRESS = /^(?:[\w.:*%-]{1,255}|\[[\w.:*%-]{1,253}\]|<[\w.:-]{1,64}>)$/;

/** Whether a text can be an address or a host name. */
export function isAddressText(text: string): boolean {
  return ADDRESS.test(text);
}

/**
 * Splits at the last colon, because most tools print IPv6 without brackets. `*` and `*:*` are wildcards: ss writes
 * `*` for both families. A `%interface` suffix is dropped. Null when there is no port.
 */
export function parseEndpoint(text: string, interner: Interner): Endpoint | null {
  const colon = text.lastIndexOf(':');
  if (colon <= 0) return null;
  const port = parsePort(text.slice(colon + 1));
  if (port < 0) return null;
  let address = text.slice(0, colon);
  const zone = address.indexOf('%');
  if (zone >= 0) address = address.slice(0, zone) + (address.endsWith(']') ? ']' : '');
  if (!isAddressText(address)) return null;
  return { address: interner.address(address), port };
}
