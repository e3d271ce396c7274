// The script of the page as the compiler left it. What joins modules to one file gives names that several use another number: the
// page would be another with each way of joining them.
export async function pageScript(root) {
  const { SCRIPT } = await import(`${root}dist/page/script.js`);
  const contents = `export const SCRIPT = ${JSON.stringify(SCRIPT)};`;
  return {
    name: 'page script',
    setup: ({ onLoad }) => onLoad({ filter: /\/page\/script\.[jt]s$/ }, () => ({ contents })),
  };
}
