import type { AnyRecord, Field, ObjectDefinition, Schemas } from '~/api/client';
import { fieldOf } from '~/api/objects';

export type Layout = Schemas['Layout'];
export type Pipeline = Schemas['Pipeline'];

/** The layout that a record is shown by: the first whose condition it meets. Conditions that are more than `field is value` are the server's to judge. */
export function layoutOf(object: ObjectDefinition, record: AnyRecord): Layout | undefined {
  return object.layouts?.find((layout) => !layout.when || meets(layout.when, record));
}

function meets(filter: unknown, record: AnyRecord): boolean {
  if (typeof filter !== 'object' || filter === null || !('field' in filter)) {
    return false;
  }
  const { field, op = 'eq', value } = filter as { field: string; op?: string; value?: unknown };
  return op === 'eq' ? record[field] === value : op === 'in' && Array.isArray(value) && value.includes(record[field]);
}

export interface Section {
  readonly name: string;
  readonly label: Schemas['Label'] | undefined;
  readonly fields: readonly Field[];
}

/** The sections of a record's page; fields that none names come last. */
export function sectionsOf(object: ObjectDefinition, layout: Layout | undefined): Section[] {
  const sections = (layout?.sections ?? []).map(({ name, label, fields }) => ({
    name,
    label,
    fields: fields.map((field) => fieldOf(object, field)).filter((field): field is Field => !!field && !field.retired),
  }));
  const named = new Set(sections.flatMap((section) => section.fields.map((field) => field.name)));
  const rest = object.fields.filter((field) => !field.retired && !named.has(field.name));
  return rest.length ? [...sections, { name: 'rest', label: undefined, fields: rest }] : sections;
}

/** What a new record is asked for first, and what may wait. */
export function fieldsToCreate(object: ObjectDefinition, start: Readonly<Record<string, unknown>>) {
  const ordered = sectionsOf(object, object.layouts?.find((layout) => !layout.when) ?? object.layouts?.[0]).flatMap(
    (section) => section.fields,
  );
  const writable = ordered.filter((field) => field.writable);
  const isFirst = (field: Field) => field.required || field.name === object.title || field.name in start;
  const columns = new Set(object.layouts?.at(-1)?.columns ?? []);
  const first = writable.filter((field) => isFirst(field) || columns.has(field.name));
  return { first, others: writable.filter((field) => !first.includes(field)) };
}

/** The pipeline that a record goes through. */
export function pipelineOf(object: ObjectDefinition, record: AnyRecord): Pipeline | undefined {
  return object.pipelines?.find((pipeline) => !pipeline.when || meets(pipeline.when, record));
}
