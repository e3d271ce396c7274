/** Cells of lines about plain connections. */
import type { PlainConnection } from '../model/plain.ts';
import { encodeCell } from './csv.ts';
import { csvCell } from './csv-lines.ts';
import { visible } from './escape.ts';

const ADDRESS = /^[0-9a-f.:]*$/;

/** Addresses are plain; where one stands for a name, it may be anything. */
function addressCell(address: string): string {
  return ADDRESS.test(address) ? address : csvCell(address);
}

/** client_ip to server_port. */
export function endsOf(c: PlainConnection): string {
  return `${addressCell(c.clientAddress)},${c.clientPort},${addressCell(c.serverAddress)},${c.serverPort}`;
}

export function seconds(ns: number | null): string {
  return ns === null ? '' : encodeCell(ns / 1e9);
}

/** As it stands in a cell between quotes. */
export function inQuotes(text: string): string {
  return visible(text).replaceAll('"', '""');
}
