// Writes the generated pages of docs/ from the code (a test keeps them equal).
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { columnReference } from '../dist/report/tables.js';

const docs = fileURLToPath(new URL('../docs/', import.meta.url));
writeFileSync(`${docs}columns.md`, columnReference());
