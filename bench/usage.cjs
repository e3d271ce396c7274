// With `node --require`: what the process took is appended to the file that $USAGE names when it ends.
const { appendFileSync } = require('node:fs');

process.once('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const line = { program: process.argv[1], peak: maxRSS * 1024, cpu: (userCPUTime + systemCPUTime) / 1e6 };
  appendFileSync(/** @type {string} */ (process.env.USAGE), `${JSON.stringify(line)}\n`);
});
