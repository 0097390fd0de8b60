import {
  Button,
  Card,
  Group,
  Loader,
  MultiSelect,
  Select,
  SimpleGrid,
  Stack,
  Switch,
  Tabs,
  Text,
  Textarea,
  TextInput,
  Title,
} from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { forgetRecords } from '~/api/cache';
import { type AnyRecord, answer, api, type ObjectDefinition } from '~/api/client';
import { fieldErrors } from '~/api/errors';
import { useObjects } from '~/api/objects';
import { recordQuery } from '~/api/queries';
import { NotThere } from '~/components/NotThere';
import { useWords } from '~/i18n/hooks';
import { useDerivedFields } from '~/objects/views';
import { History } from '~/record/History';
import { ErrorBox } from '~/ui/ErrorBox';
import { toast, toastError } from '~/ui/toasts';
import { draftOf, fieldsOfDraft, nameOf, newRule, TRIGGERS, type Trigger, useRuleChange, withTrigger } from './rules';
import { TryRule } from './TryRule';
import { UndoRule } from './UndoRule';

const SourceEditor = lazy(() => import('./SourceEditor').then((module) => ({ default: module.SourceEditor })));

const route = getRouteApi('/rules/$id');

/** A rule: what it is about, its script, what it would do to a real record, its versions. */
export function RulePage() {
  const { id } = route.useParams();
  const rule = useObjects().byName('rule');
  if (!rule) {
    return <NotThere what="rules" />;
  }
  return id === 'new' ? <Editor key="new" rule={rule} saved={undefined} /> : <Saved key={id} rule={rule} id={id} />;
}

function Saved({ rule, id }: { rule: ObjectDefinition; id: string }) {
  const { t } = useWords();
  const asked = useQuery(recordQuery(rule, id));
  if (asked.isError) {
    return (
      <Stack p="md">
        <Title order={1} fz="h3">
          {t('rules.title')}
        </Title>
        <ErrorBox error={asked.error} onRetry={() => void asked.refetch()} />
      </Stack>
    );
  }
  return asked.data ? <Editor rule={rule} saved={asked.data} /> : <Loader m="md" aria-label={t('loading')} />;
}

function Editor({ rule, saved }: { rule: ObjectDefinition; saved: AnyRecord | undefined }) {
  const { t, label, language } = useWords();
  const navigate = useNavigate();
  const objects = useObjects();
  const [draft, setDraft] = useState(() => (saved ? draftOf(saved) : newRule('account')));
  const object = objects.byName(draft.object);
  const set = (change: Partial<typeof draft>) => setDraft((old) => ({ ...old, ...change }));
  const changed = !saved || JSON.stringify(draftOf(saved)) !== JSON.stringify(draft);
  const toggle = useRuleChange();
  const save = useMutation({
    mutationFn: () =>
      saved
        ? answer(
            api.PATCH('/api/v1/{objects}/{id}', {
              params: { path: { objects: 'rules', id: saved.id } },
              body: fieldsOfDraft(draft),
            }),
          )
        : answer(
            api.POST('/api/v1/{objects}', {
              params: { path: { objects: 'rules' } },
              body: { ...fieldsOfDraft(draft), enabled: false },
            }),
          ),
    onSuccess: async (record) => {
      toast(t('record.saved'));
      await forgetRecords('rule');
      if (!saved) {
        void navigate({ to: '/rules/$id', params: { id: record.id } });
      }
    },
  });
  const errors = fieldErrors(save.error);
  return (
    <Stack p="md">
      <Group justify="space-between">
        <Title order={1} fz="h3">
          {saved ? nameOf(saved, language) : t('rules.create')}
        </Title>
        <Group>
          {saved && (
            <Switch
              label={saved.enabled === true ? t('rules.on') : t('rules.off')}
              aria-label={t('rules.enabledOf', { name: nameOf(saved, language) })}
              checked={saved.enabled === true}
              disabled={changed}
              onChange={(event) =>
                toggle.mutate({ id: saved.id, change: { enabled: event.currentTarget.checked } }, { onError: toastError })
              }
            />
          )}
          <Button loading={save.isPending} disabled={!changed || draft.name.trim() === ''} onClick={() => save.mutate()}>
            {t('save')}
          </Button>
        </Group>
      </Group>
      {save.isError && <ErrorBox error={save.error} />}
      <SimpleGrid cols={{ base: 1, lg: 2 }}>
        <Stack>
          <Card withBorder>
            <Stack gap="sm">
              <SimpleGrid cols={{ base: 1, sm: 2 }}>
                <TextInput
                  label={t('rules.name')}
                  required
                  value={draft.name}
                  error={errors.name}
                  onChange={(event) => set({ name: event.currentTarget.value })}
                />
                <TextInput
                  label={t('rules.nameZh')}
                  value={draft.name_zh}
                  onChange={(event) => set({ name_zh: event.currentTarget.value })}
                />
                <Select
                  label={t('rules.object')}
                  searchable
                  allowDeselect={false}
                  data={objects.all
                    .filter((object) => !object.retired)
                    .map((object) => ({ value: object.name, label: label(object.plural_label) }))}
                  value={draft.object}
                  error={errors.object}
                  onChange={(chosen) => chosen && set({ object: chosen, watches: null, when_fields: [] })}
                />
                <Select
                  label={t('rules.when')}
                  allowDeselect={false}
                  data={TRIGGERS.map((trigger) => ({ value: trigger, label: t(`rules.trigger.${trigger}`) }))}
                  value={draft.trigger}
                  onChange={(chosen) => setDraft((old) => withTrigger(old, (chosen ?? 'before_save') as Trigger))}
                />
              </SimpleGrid>
              {object && draft.trigger === 'transition' ? (
                <Watches object={object} value={draft.watches} error={errors.watches} onChange={(watches) => set({ watches })} />
              ) : (
                <MultiSelect
                  label={t('rules.fields')}
                  description={t('rules.fieldsHint')}
                  searchable
                  clearable
                  data={(object?.fields ?? [])
                    .filter((field) => !field.retired)
                    .map((field) => ({ value: field.name, label: label(field.label) }))}
                  value={[...draft.when_fields]}
                  onChange={(when_fields) => set({ when_fields })}
                />
              )}
              <Switch
                label={t('rules.personal')}
                description={t('rules.personalHint')}
                checked={draft.reads_personal_data}
                onChange={(event) => set({ reads_personal_data: event.currentTarget.checked })}
              />
              <Textarea
                label={t('rules.description')}
                autosize
                minRows={1}
                maxRows={4}
                value={draft.description}
                onChange={(event) => set({ description: event.currentTarget.value })}
              />
            </Stack>
          </Card>
          <Card withBorder padding="xs">
            <Text fz="sm" fw={600} mb={4} component="h2">
              {t('rules.source')}
            </Text>
            <Suspense fallback={<Loader aria-label={t('loading')} />}>
              <SourceEditor
                label={t('rules.source')}
                source={draft.source}
                onChange={(source) => set({ source })}
                object={object}
                trigger={draft.trigger}
              />
            </Suspense>
            {errors.source && (
              <Text fz="sm" c="var(--mantine-color-error)" role="alert">
                {errors.source}
              </Text>
            )}
          </Card>
        </Stack>
        <Tabs defaultValue="try" keepMounted={false}>
          <Tabs.List>
            <Tabs.Tab value="try">{t('rules.try')}</Tabs.Tab>
            {saved && <Tabs.Tab value="versions">{t('rules.versions')}</Tabs.Tab>}
            {saved && <Tabs.Tab value="undo">{t('rules.undo')}</Tabs.Tab>}
          </Tabs.List>
          <Tabs.Panel value="try" pt="md">
            {object && <TryRule object={object} draft={draft} />}
          </Tabs.Panel>
          {saved && (
            <Tabs.Panel value="versions" pt="md">
              <History object={rule} id={saved.id} />
            </Tabs.Panel>
          )}
          {saved && (
            <Tabs.Panel value="undo" pt="md">
              <UndoRule id={saved.id} />
            </Tabs.Panel>
          )}
        </Tabs>
      </SimpleGrid>
    </Stack>
  );
}

interface WatchesProps {
  readonly object: ObjectDefinition;
  readonly value: string | null;
  readonly error: string | undefined;
  readonly onChange: (value: string | null) => void;
}

function Watches({ object, value, error, onChange }: WatchesProps) {
  const { t, label } = useWords();
  const fields = useDerivedFields(object);
  const known = fields.map((field) => ({ value: field.name, label: `${label(field.label)} (${field.name})` }));
  const data = value && !fields.some((field) => field.name === value) ? [{ value, label: value }, ...known] : known;
  return (
    <Select
      label={t('rules.watches')}
      searchable
      required
      data={data}
      value={value}
      error={error}
      onChange={onChange}
      nothingFoundMessage={t('nothingFound')}
    />
  );
}
