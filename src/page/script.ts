/**
 * What runs in the reader's browser, when scripts are allowed: search, order and pages for the table of connections,
 * and finer handling of the lanes. The functions are put into the page as they are compiled, so those of one file may
 * use each other and the browser, and nothing else. Text reaches the page through textContent alone.
 */
import { LANES_FUNCTIONS } from './script-lanes.ts';
import { TABLE_FUNCTIONS } from './script-table.ts';

/** The whole script. Its hash stands in the page's content security policy. */
export const SCRIPT = `'use strict';
${[...TABLE_FUNCTIONS, ...LANES_FUNCTIONS].map(String).join('\n')}
document.documentElement.classList.add('enhanced');
enhanceTable();
enhanceLanes();
`;
