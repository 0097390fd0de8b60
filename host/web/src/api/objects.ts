import { useSuspenseQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { type Field, type ObjectDefinition, segmentOf } from './client';
import { objectsQuery } from './queries';

/** The objects of this server, by name and by the segment of their address. */
export interface Objects {
  readonly all: readonly ObjectDefinition[];
  byName(name: string | undefined): ObjectDefinition | undefined;
  bySegment(segment: string): ObjectDefinition | undefined;
}

export function useObjects(): Objects {
  const { data } = useSuspenseQuery(objectsQuery);
  return useMemo(() => index(data), [data]);
}

export function index(all: readonly ObjectDefinition[]): Objects {
  const names = new Map(all.map((object) => [object.name, object]));
  const segments = new Map(all.map((object) => [segmentOf(object), object]));
  return { all, byName: (name) => names.get(name ?? ''), bySegment: (segment) => segments.get(segment) };
}

/** The fields that everybody has, described like the others. The server sets them. */
const SYSTEM_FIELDS: readonly Field[] = [
  systemField('created_at', 'Created at', '创建时间', 'time'),
  systemField('updated_at', 'Changed at', '修改时间', 'time'),
];

function systemField(name: string, en: string, zh: string, type: Field['type']): Field {
  return {
    name,
    type,
    label: { en, 'zh-CN': zh },
    description: { en: '', 'zh-CN': '' },
    required: false,
    unique: false,
    indexed: name === 'updated_at',
    personal_data: false,
    computed: true,
    writable: false,
  };
}

/** The fields that are in use, those of the system last. */
export function fieldsOf(object: ObjectDefinition): readonly Field[] {
  return [...object.fields.filter((field) => !field.retired), ...SYSTEM_FIELDS];
}

export function fieldOf(object: ObjectDefinition, name: string): Field | undefined {
  return object.fields.find((field) => field.name === name) ?? SYSTEM_FIELDS.find((field) => field.name === name);
}
