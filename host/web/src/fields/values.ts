// What the values of fields look like on the wire. A value comes from the server, but a definition may have changed since: a value that does not
// fit its type is shown as text, never trusted.
import type { AnyRecord, Field, Money, ObjectDefinition } from '~/api/client';

/** Records that came along with others, by plural and id. */
export type Included = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;

export function isMoney(value: unknown): value is Money {
  return typeof value === 'object' && value !== null && 'amount' in value && 'currency' in value;
}

export function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
}

export function asText(value: unknown): string {
  if (value === null || value === undefined) {
    return '';
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

export function titleOf(object: ObjectDefinition, record: AnyRecord | Readonly<Record<string, unknown>>): string {
  return asText(record[object.title]);
}

/** The option of a choice, where it still is one. */
export function optionOf(field: Field, value: unknown) {
  return (field.options ?? field.of?.options)?.find((option) => option.value === value);
}

/** Whether two values are the same to a person who edits them. */
export function same(a: unknown, b: unknown): boolean {
  return (isEmpty(a) && isEmpty(b)) || JSON.stringify(a) === JSON.stringify(b);
}

/** What of `draft` differs from `record`: the change to save. An emptied field is null. */
export function changesOf(record: Readonly<Record<string, unknown>>, draft: Readonly<Record<string, unknown>>) {
  const changed = Object.entries(draft).filter(([name, value]) => !same(record[name], value));
  return Object.fromEntries(changed.map(([name, value]) => [name, isEmpty(value) ? null : value]));
}
