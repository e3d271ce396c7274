/** `ADDRESS:PORT` as ss, netstat, tcpdrop and others print it. */
import type { Endpoint } from '../../../model/address.ts';
import type { Interner } from './interner.ts';
import { parsePort } from './services.ts';

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
  if (address === '') return null;
  return { address: interner.address(address), port };
}
