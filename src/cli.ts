#!/usr/bin/env node
/** The process of a command line: its heap, signals, and the end of who reads it. */
import { err } from './command/console.ts';
import { EXIT_OK, EXIT_OUTPUT, reasonOf } from './command/faults.ts';
import { main } from './command/main.ts';
import { endOnSignals } from './platform/interrupt.ts';
import { growHeapBy } from './platform/process.ts';

// V8 lets a heap grow to twice what is alive or more before it looks for garbage. Of a gigabyte of packets that is
// hundreds of megabytes; a fifth costs a tenth more time. Beside logs more stays alive, and more may come on top (command/analyze.ts).
growHeapBy(20);

// behind the terminal's ^C, or on a line that shows progress
endOnSignals(() => process.stderr.isTTY && process.stderr.write('\n'));
process.stdout.on('error', (error: Error & { code?: string }) => {
  // the reader of a pipe has gone (`| head`): nothing is left to say
  if (error.code === 'EPIPE') process.exit(EXIT_OK);
  err(`tcpautopsy: standard output could not be written: ${reasonOf(error)}`);
  process.exit(EXIT_OUTPUT);
});

// not awaited here: the one executable file holds it as CommonJS
void main(process.argv.slice(2)).then((status) => {
  process.exitCode = status;
});
