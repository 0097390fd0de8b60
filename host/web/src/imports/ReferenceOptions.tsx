import { Checkbox, Group, Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { answer, api, type ObjectDefinition, segmentOf } from '~/api/client';
import { fieldOf } from '~/api/objects';
import { useWords } from '~/i18n/hooks';
import { type ColumnMapping, keysOf, withKey } from './imports';

interface Props {
  readonly column: ColumnMapping;
  readonly target: ObjectDefinition;
  readonly samples: readonly string[];
  readonly onChange: (column: ColumnMapping) => void;
}

/** By which field the records that a column names are found, and whether those that are missing are made. */
export function ReferenceOptions({ column, target, samples, onChange }: Props) {
  const { t, label } = useWords();
  const keys = keysOf(target);
  const guess = useQuery({ ...keyQuery(target, keys, samples), enabled: column.reference === undefined && samples.length > 0 });
  const guessed = column.reference === undefined ? guess.data : undefined;
  useEffect(() => {
    if (guessed) {
      onChange(withKey(column, target, guessed, false));
    }
  }, [guessed, column, target, onChange]);
  const key = column.reference?.match ?? keys[0] ?? 'id';
  const create = column.reference?.create === true;
  return (
    <Group gap="xs" wrap="nowrap">
      <Select
        size="xs"
        w={150}
        aria-label={t('import.foundBy', { object: label(target.label) })}
        allowDeselect={false}
        data={keys.map((name) => ({ value: name, label: label(fieldOf(target, name)?.label) || t('import.recordId') }))}
        value={key}
        onChange={(next) => next && onChange(withKey(column, target, next, create))}
      />
      {key !== 'id' && (
        <Checkbox
          size="xs"
          label={t('import.makeMissing')}
          checked={create}
          onChange={(event) => onChange(withKey(column, target, key, event.currentTarget.checked))}
        />
      )}
    </Group>
  );
}

/** The key that most of the samples are known by; none where none is known. */
function keyQuery(target: ObjectDefinition, keys: readonly string[], samples: readonly string[]) {
  return {
    queryKey: ['records', target.name, 'key', keys, samples],
    queryFn: async ({ signal }: { signal: AbortSignal }) => {
      const counts = await Promise.all(
        keys.map(async (key) => {
          const body = {
            filter: { field: key, op: 'in', value: [...new Set(samples)] },
            fields: ['id'],
            limit: 1,
            count: 'exact' as const,
          };
          const params = { path: { objects: segmentOf(target) } };
          const found = await answer(api.POST('/api/v1/{objects}/search', { params, body, signal }));
          return { key, total: found.total ?? 0 };
        }),
      );
      const best = counts.reduce((most, one) => (one.total > most.total ? one : most));
      return best.total > 0 ? best.key : null;
    },
  };
}
