import type { AnyRecord } from '~/api/client';
import type { Included } from '~/fields/values';

/** The records that a record's references point at; an object with a field of that name has them under another. */
export function includedIn(record: AnyRecord): Included | undefined {
  const included = record._included ?? record.included;
  return typeof included === 'object' && included !== null ? (included as Included) : undefined;
}
