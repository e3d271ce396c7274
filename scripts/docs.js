// Writes the generated pages of docs/ from the code (a test keeps them equal).
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { analyze } from '../dist/analyze.js';
import { causesReference } from '../dist/explain/catalogue.js';
import { rules } from '../dist/explain/rules/index.js';
import { columnReference } from '../dist/tables/tables.js';
import { evidenceKinds, measure } from './causes.js';
import { bundlesPage } from './samples.js';
import { textsPage } from './texts.js';

const docs = fileURLToPath(new URL('../docs/', import.meta.url));
writeFileSync(`${docs}texts.md`, textsPage());
writeFileSync(`${docs}columns.md`, columnReference());
writeFileSync(`${docs}causes.md`, causesReference(rules, await measure(analyze), evidenceKinds));
writeFileSync(fileURLToPath(new URL('../samples/bundle/README.md', import.meta.url)), bundlesPage());
