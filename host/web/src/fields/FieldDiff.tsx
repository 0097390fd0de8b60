import { Table } from '@mantine/core';
import type { ObjectDefinition } from '~/api/client';
import { fieldOf } from '~/api/objects';
import { useWords } from '~/i18n/hooks';
import { FieldValue } from './FieldValue';

interface Props {
  readonly object: ObjectDefinition;
  /** Before and after, by the name of the field. */
  readonly fields: unknown;
}

/** What a change made of the fields of a record. */
export function FieldDiff({ object, fields }: Props) {
  const { t, label } = useWords();
  const entries = Object.entries((fields ?? {}) as Record<string, { before: unknown; after: unknown }>);
  if (entries.length === 0) {
    return null;
  }
  return (
    <Table mt="xs" layout="fixed" fz="xs">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t('conflict.field')}</Table.Th>
          <Table.Th>{t('history.before')}</Table.Th>
          <Table.Th>{t('history.after')}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {entries.map(([name, { before, after }]) => {
          const field = fieldOf(object, name);
          return (
            <Table.Tr key={name}>
              <Table.Td>{field ? label(field.label) : name}</Table.Td>
              <Table.Td>{field ? <FieldValue field={field} value={before} /> : String(before)}</Table.Td>
              <Table.Td>{field ? <FieldValue field={field} value={after} /> : String(after)}</Table.Td>
            </Table.Tr>
          );
        })}
      </Table.Tbody>
    </Table>
  );
}
