import { Anchor, Button, Drawer, Group, Stack, Table, Text, TextInput } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useObjects } from '~/api/objects';
import { apiNameOf } from '~/fields/apiName';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import { filledLabel, LabelInputs, NO_LABEL } from '~/ui/LabelInputs';
import { Page } from '~/ui/Page';
import { toast } from '~/ui/toasts';
import { WideTable } from '~/ui/WideTable';
import { OriginBadge } from './OriginBadge';
import { PlanReview } from './PlanReview';
import { addObject, useSchemaChange } from './schema';

/** Every object: what the company keeps records of. */
export function ObjectsPage() {
  const { t, label, formats } = useWords();
  const objects = useObjects();
  const [creating, setCreating] = useState(false);
  const ordered = objects.all.toSorted((a, b) => label(a.plural_label).localeCompare(label(b.plural_label)));
  return (
    <Page
      title={t('admin.objects')}
      what={t('admin.objectsWhat')}
      actions={
        <>
          <Button variant="default" renderRoot={(props) => <Link to="/admin/schema" {...props} />}>
            {t('admin.versions')}
          </Button>
          <Button leftSection={<IconPlus size={16} />} onClick={() => setCreating(true)}>
            {t('admin.addObject')}
          </Button>
        </>
      }
    >
      <WideTable
        minWidth={560}
        head={[t('admin.label'), t('admin.name'), t('admin.from'), t('admin.fieldsCount'), t('admin.pipelinesCount')]}
      >
        {ordered.map((object) => (
          <Table.Tr key={object.name}>
            <Table.Td>
              <Anchor
                inherit
                renderRoot={(props) => <Link to="/admin/objects/$name" params={{ name: object.name }} {...props} />}
              >
                {label(object.plural_label)}
              </Anchor>
              {object.retired && (
                <Text span fz="xs" c="dimmed">
                  {' '}
                  {t('admin.retired')}
                </Text>
              )}
            </Table.Td>
            <Table.Td>{object.name}</Table.Td>
            <Table.Td>
              <OriginBadge origin={object.origin} />
            </Table.Td>
            <Table.Td>{formats.number(object.fields.filter((field) => !field.retired).length)}</Table.Td>
            <Table.Td>{formats.number(object.pipelines?.length ?? 0)}</Table.Td>
          </Table.Tr>
        ))}
      </WideTable>
      <Drawer
        opened={creating}
        onClose={() => setCreating(false)}
        position="right"
        title={t('admin.addObject')}
        closeButtonProps={{ 'aria-label': t('close') }}
      >
        {creating && <NewObject onClose={() => setCreating(false)} />}
      </Drawer>
    </Page>
  );
}

/** Which field is what a record is called by is asked as well: the first field of the object. */
function NewObject({ onClose }: { onClose: () => void }) {
  const { t } = useWords();
  const navigate = useNavigate();
  const [label, setLabel] = useState(NO_LABEL);
  const [plural, setPlural] = useState(NO_LABEL);
  const [title, setTitle] = useState({ en: 'Name', 'zh-CN': '名称' });
  const [typed, setName] = useState<string>();
  const name = typed ?? apiNameOf(label);
  const schema = useSchemaChange(() => toast(t('admin.saved')));
  const save = () => {
    const plurals = filledLabel({ en: plural.en || `${label.en}s`, 'zh-CN': plural['zh-CN'] || label['zh-CN'] });
    const field = { name: apiNameOf(title) || 'name', type: 'text', required: true, indexed: true, label: filledLabel(title) };
    schema.change({
      send: addObject({
        name,
        plural: pluralOf(name),
        label: filledLabel(label),
        plural_label: plurals,
        title: field.name,
        fields: [field],
        layouts: [
          { name: 'standard', label: { en: 'Standard', 'zh-CN': '标准布局' }, columns: [field.name], sort: '-created_at' },
        ],
      }),
      onDone: () => {
        onClose();
        void navigate({ to: '/admin/objects/$name', params: { name } });
      },
    });
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <Stack>
        <LabelInputs title={t('admin.label')} value={label} onChange={setLabel} required autoFocus />
        <LabelInputs title={t('admin.plural')} value={plural} onChange={setPlural} />
        <TextInput
          label={t('admin.name')}
          description={t('admin.nameWhat')}
          value={name}
          required
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <LabelInputs title={t('admin.titleField')} value={title} onChange={setTitle} required />
        {schema.error !== null && <ErrorBox error={schema.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
          <Button type="submit" loading={schema.busy} disabled={name === ''}>
            {t('create')}
          </Button>
        </Group>
      </Stack>
      <PlanReview schema={schema} />
    </form>
  );
}

/** The last part of the object's address; English plurals that are not regular can be set in the definition. */
function pluralOf(name: string): string {
  return /(s|x|z|ch|sh)$/.test(name) ? `${name}es` : name.endsWith('y') ? `${name.slice(0, -1)}ies` : `${name}s`;
}
