// Makes `src/api/generated.ts` from the description of the API that the server's own tests keep (one object stands there for all of them).
// `--check` only says whether the file is stale.
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import openapiTS, { astToString } from 'openapi-typescript';

const here = import.meta.dirname;
const description = resolve(here, '../../crates/http/tests/expected/openapi.json');
const target = resolve(here, '../src/api/generated.ts');

const text = readFileSync(description, 'utf8').replaceAll('/sea-ferries', '/{objects}').replaceAll('SeaFerry', 'AnyRecord');
const document = JSON.parse(text);
const system = document.components.schemas.AnyRecord.properties;
delete system.name;
document.components.schemas.AnyRecord.additionalProperties = true;
const fields = { type: 'object', additionalProperties: true };
Object.assign(document.components.schemas, { AnyRecordCreate: fields, AnyRecordUpdate: fields });
for (const [path, item] of Object.entries(document.paths)) {
  if (path.includes('{objects}')) {
    item.parameters = [{ name: 'objects', in: 'path', required: true, schema: { type: 'string' } }];
  }
}
const head = '// Made by `npm run types` from the description of the API. Not edited by hand.\n\n';
const made = head + astToString(await openapiTS(document, { emptyObjectsUnknown: true }));

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== made) {
    console.error('src/api/generated.ts is stale: npm run types');
    process.exit(1);
  }
} else {
  writeFileSync(target, made);
}
