import { Anchor, Button, Group, Menu, Modal, Skeleton, Stack, Tabs, Text, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconDots, IconEdit, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, Navigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { forgetRecords } from '~/api/cache';
import { type AnyRecord, type ObjectDefinition, segmentOf } from '~/api/client';
import { ApiError } from '~/api/errors';
import { useObjects } from '~/api/objects';
import { recordQuery, serverQuery } from '~/api/queries';
import { NotThere } from '~/components/NotThere';
import { remember } from '~/components/recent';
import { useShortcuts } from '~/components/shortcuts';
import { titleOf } from '~/fields/values';
import { useWords } from '~/i18n/hooks';
import { layoutOf } from '~/objects/layout';
import { useDelete } from '~/objects/save';
import { ErrorBox } from '~/ui/ErrorBox';
import { toast } from '~/ui/toasts';
import { Details } from './Details';
import { Files } from './Files';
import { History } from './History';
import { includedIn } from './included';
import { KeyFields } from './KeyFields';
import classes from './RecordPage.module.css';
import { Related } from './Related';
import { StagePath } from './StagePath';
import { Standing } from './Standing';
import { Steps } from './Steps';
import { Timeline } from './Timeline';

const route = getRouteApi('/objects/$objects/$id');

export const TABS = ['timeline', 'details', 'files', 'history'] as const;
export type Tab = (typeof TABS)[number];

/** One record: who it is, what happened, what belongs to it. */
export function RecordPage() {
  const { objects: segment, id } = route.useParams();
  const object = useObjects().bySegment(segment);
  if (object?.name === 'rule') {
    return <Navigate to="/rules/$id" params={{ id }} replace />;
  }
  return object ? <OneRecord key={id} object={object} id={id} /> : <NotThere what={segment} />;
}

function OneRecord({ object, id }: { object: ObjectDefinition; id: string }) {
  const { t, label } = useWords();
  const navigate = route.useNavigate();
  const asked = useQuery(recordQuery(object, id));
  const record = asked.data;
  const title = record ? titleOf(object, record) || record.id.slice(0, 8) : '';
  useEffect(() => {
    if (record) {
      document.title = `${title} · Trellis`;
      remember({ object: object.name, id: record.id, title });
      // What was merged answers as what it became.
      if (record.id !== id) {
        void navigate({ params: { objects: segmentOf(object), id: record.id }, replace: true });
      }
    }
  }, [record, title, id, object, navigate]);
  if (asked.isError && !record) {
    const gone = asked.error instanceof ApiError && [404, 410].includes(asked.error.status);
    return (
      <Stack p="md">
        <Title order={1} fz="h3">
          {label(object.label)}
        </Title>
        <ErrorBox error={asked.error} onRetry={gone ? undefined : () => void asked.refetch()}>
          <Button
            size="xs"
            variant="default"
            renderRoot={(props) => <Link to="/objects/$objects" params={{ objects: segmentOf(object) }} {...props} />}
          >
            {t('record.toList', { object: label(object.plural_label) })}
          </Button>
        </ErrorBox>
      </Stack>
    );
  }
  if (!record) {
    return (
      <Stack p="md" aria-busy aria-label={t('loading')}>
        <Skeleton h={40} w="40%" />
        <Skeleton h={200} />
      </Stack>
    );
  }
  return <Shown object={object} record={record} title={title} />;
}

function Shown({ object, record, title }: { object: ObjectDefinition; record: AnyRecord; title: string }) {
  const { t, label, formats } = useWords();
  const { tab = 'timeline' } = route.useSearch();
  const navigate = route.useNavigate();
  const [editing, setEditing] = useState(false);
  const [deleting, asker] = useDisclosure(false);
  const remove = useDelete(object);
  const server = useQuery(serverQuery);
  const currency = server.data?.base_currency ?? 'USD';
  const layout = layoutOf(object, record);
  const included = includedIn(record);
  const open = (next: string | null) =>
    void navigate({ search: next === 'timeline' || !next ? {} : { tab: next as Tab }, replace: true });
  const edit = () => {
    open('details');
    setEditing(true);
  };
  const canEdit = !object.append_only && object.fields.some((field) => field.writable);
  useShortcuts(canEdit ? { e: edit } : {});
  return (
    <Stack p="md" gap="md">
      <Group justify="space-between" align="flex-start" wrap="nowrap">
        <div style={{ minWidth: 0 }}>
          <Anchor
            fz="sm"
            c="dimmed"
            renderRoot={(props) => <Link to="/objects/$objects" params={{ objects: segmentOf(object) }} {...props} />}
          >
            {label(object.plural_label)}
          </Anchor>
          <Title order={1} fz="h3" lineClamp={2}>
            {title}
          </Title>
          {record.updated_at && (
            <Text fz="xs" c="dimmed">
              {t('record.changed', { when: formats.ago(record.updated_at) })}
            </Text>
          )}
        </div>
        <Group gap="xs" wrap="nowrap">
          <Steps object={object} id={record.id} />
          {canEdit && !editing && (
            <Button leftSection={<IconEdit size={16} />} onClick={edit}>
              {t('edit')}
            </Button>
          )}
          <Menu position="bottom-end">
            <Menu.Target>
              <Button variant="default" px="xs" aria-label={t('record.actions')}>
                <IconDots size={16} />
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item color="red" leftSection={<IconTrash size={16} />} onClick={asker.open}>
                {t('record.delete')}
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </Group>
      </Group>
      <StagePath object={object} record={record} currency={currency} />
      <div className={classes.columns}>
        <aside className={classes.side} aria-label={t('record.identity')}>
          <Stack>
            {object.has_columns && <Standing object={object} record={record} />}
            <KeyFields object={object} record={record} layout={layout} included={included} />
          </Stack>
        </aside>
        <div className={classes.main}>
          <Tabs value={tab} onChange={open} keepMounted={false}>
            <Tabs.List>
              {TABS.map((name) => (
                <Tabs.Tab key={name} value={name}>
                  {t(`record.tab.${name}`)}
                </Tabs.Tab>
              ))}
            </Tabs.List>
            <Tabs.Panel value="timeline" pt="md">
              <Timeline object={object} record={record} />
            </Tabs.Panel>
            <Tabs.Panel value="details" pt="md">
              <Details {...{ object, record, layout, included, currency, editing }} onEdit={setEditing} />
            </Tabs.Panel>
            <Tabs.Panel value="files" pt="md">
              <Files object={object} id={record.id} />
            </Tabs.Panel>
            <Tabs.Panel value="history" pt="md">
              <History object={object} id={record.id} />
            </Tabs.Panel>
          </Tabs>
        </div>
        <aside className={classes.side} aria-label={t('record.related')}>
          <Related object={object} record={record} layout={layout} currency={currency} />
        </aside>
      </div>
      <Modal
        opened={deleting}
        onClose={asker.close}
        title={t('record.deleteTitle', { record: title })}
        closeButtonProps={{ 'aria-label': t('close') }}
      >
        <Stack>
          <Text fz="sm">{t('record.deleteText')}</Text>
          {remove.isError && <ErrorBox error={remove.error} />}
          <Group justify="flex-end">
            <Button variant="default" data-autofocus onClick={asker.close}>
              {t('cancel')}
            </Button>
            <Button
              color="red"
              loading={remove.isPending}
              onClick={() =>
                remove.mutate(record.id, {
                  onSuccess: () => {
                    toast(t('record.deleted'));
                    void forgetRecords(object.name);
                    void navigate({ to: '/objects/$objects', params: { objects: segmentOf(object) } });
                  },
                })
              }
            >
              {t('record.delete')}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </Stack>
  );
}
