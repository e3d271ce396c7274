/** `\ttcp_drop+0x1`, `        b'tcp_drop+0x1'`, `tcp_v4_rcv+123 [kernel]`: one frame of a printed kernel stack. */
const FRAME =
  /^\s+(?:b['"])?([A-Za-z_][\w.$]{0,127}|\[unknown\]|0x[0-9a-f]{8,16})(?:\+(?:0x)?[0-9a-f]{1,8})?(?: \[\w{1,64}\])?['"]?\s*$/;

/** Name of the function without its offset; null when the line is no stack frame. */
export function parseStackFrame(line: string): string | null {
  return FRAME.exec(line)?.[1] ?? null;
}
