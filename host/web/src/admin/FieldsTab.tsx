import { Anchor, Badge, Button, Drawer, Group, Stack, Table } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import type { Field, ObjectDefinition } from '~/api/client';
import { useObjects } from '~/api/objects';
import { useWords } from '~/i18n/hooks';
import { WideTable } from '~/ui/WideTable';
import { FieldForm } from './FieldForm';
import { OriginBadge } from './OriginBadge';

/** The fields of an object; those out of use stay readable and come last. */
export function FieldsTab({ object }: { object: ObjectDefinition }) {
  const { t, label } = useWords();
  const [edited, setEdited] = useState<Field | 'new'>();
  const ordered = object.fields.toSorted((a, b) => Number(a.retired ?? false) - Number(b.retired ?? false));
  return (
    <Stack>
      <Group>
        <Button leftSection={<IconPlus size={16} />} onClick={() => setEdited('new')}>
          {t('admin.addField')}
        </Button>
      </Group>
      <WideTable minWidth={760} head={[t('admin.label'), t('admin.name'), t('admin.type'), t('admin.rules'), t('admin.from')]}>
        {ordered.map((field) => (
          <Table.Tr key={field.name} opacity={field.retired ? 0.75 : 1}>
            <Table.Td>
              {field.retired ? (
                label(field.label)
              ) : (
                <Anchor inherit component="button" type="button" onClick={() => setEdited(field)}>
                  {label(field.label)}
                </Anchor>
              )}
            </Table.Td>
            <Table.Td>{field.name}</Table.Td>
            <Table.Td>
              <TypeOf field={field} />
            </Table.Td>
            <Table.Td>
              <Group gap={4}>
                {(['required', 'unique', 'indexed', 'personal_data', 'computed', 'retired'] as const)
                  .filter((flag) => field[flag])
                  .map((flag) => (
                    <Badge key={flag} variant="default" size="sm" tt="none">
                      {t(`admin.flag.${flag}`)}
                    </Badge>
                  ))}
              </Group>
            </Table.Td>
            <Table.Td>
              <OriginBadge origin={field.origin} />
            </Table.Td>
          </Table.Tr>
        ))}
      </WideTable>
      <Drawer
        opened={edited !== undefined}
        onClose={() => setEdited(undefined)}
        position="right"
        size="lg"
        title={edited === 'new' || !edited ? t('admin.addField') : label(edited.label)}
        closeButtonProps={{ 'aria-label': t('close') }}
      >
        {edited && (
          <FieldForm object={object} field={edited === 'new' ? undefined : edited} onClose={() => setEdited(undefined)} />
        )}
      </Drawer>
    </Stack>
  );
}

function TypeOf({ field }: { field: Field }) {
  const { t, label } = useWords();
  const objects = useObjects();
  const to = field.object ?? field.of?.object;
  const target = to && label(objects.byName(to)?.label);
  return <>{[t(`admin.types.${field.type}`), target].filter(Boolean).join(' → ')}</>;
}
