import { Button, Card, Group, Select, Stack } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import type { ObjectDefinition } from '~/api/client';
import { fieldsOf } from '~/api/objects';
import { apiNameOf } from '~/fields/apiName';
import { useWords } from '~/i18n/hooks';
import type { Layout } from '~/objects/layout';
import { Empty } from '~/ui/Empty';
import { ErrorBox } from '~/ui/ErrorBox';
import { filledLabel, LabelInputs, NO_LABEL } from '~/ui/LabelInputs';
import { Moves, moved, OrderedNames } from '~/ui/OrderedNames';
import { toast } from '~/ui/toasts';
import { PlanReview } from './PlanReview';
import { RelatedLists } from './RelatedLists';
import { changeObject, useSchemaChange } from './schema';

type Section = NonNullable<Layout['sections']>[number];

/** What a record's page and a list show, in which order. The first layout whose condition a record meets is used. */
export function LayoutTab({ object }: { object: ObjectDefinition }) {
  const { t, label } = useWords();
  const layouts = object.layouts ?? [];
  const [chosen, setChosen] = useState(layouts[0]?.name);
  const layout = layouts.find((one) => one.name === chosen) ?? layouts[0];
  const schema = useSchemaChange(() => toast(t('admin.saved')));
  const standard: Layout = { name: 'standard', label: { en: 'Standard', 'zh-CN': '标准布局' }, columns: [object.title] };
  return (
    <Stack>
      {layouts.length > 1 && (
        <Select
          label={t('admin.layout')}
          allowDeselect={false}
          data={layouts.map((one) => ({ value: one.name, label: label(one.label) }))}
          value={layout?.name ?? null}
          onChange={(next) => next && setChosen(next)}
          maw={320}
        />
      )}
      {layout ? (
        <LayoutForm key={layout.name} object={object} layout={layout} />
      ) : (
        <Empty title={t('admin.noLayout')}>
          <Button
            loading={schema.busy}
            onClick={() => schema.change({ send: changeObject(object.name, { layouts: [standard] }) })}
          >
            {t('admin.addLayout')}
          </Button>
        </Empty>
      )}
      {schema.error !== null && <ErrorBox error={schema.error} />}
      <PlanReview schema={schema} />
    </Stack>
  );
}

function LayoutForm({ object, layout }: { object: ObjectDefinition; layout: Layout }) {
  const { t, label } = useWords();
  const [draft, setDraft] = useState(layout);
  const schema = useSchemaChange(() => toast(t('admin.saved')));
  const changed = JSON.stringify(draft) !== JSON.stringify(layout);
  const fields = fieldsOf(object).map((field) => ({ value: field.name, label: label(field.label) }));
  const sections = draft.sections ?? [];
  const setSections = (next: readonly Section[]) => setDraft({ ...draft, sections: [...next] });
  const inSections = new Set(sections.flatMap((section) => section.fields));
  const save = () => {
    const named = (draft.sections ?? []).map((section, place) => ({
      ...section,
      label: filledLabel(section.label),
      name: section.name || apiNameOf(section.label) || `section_${place + 1}`,
    }));
    const next = { ...draft, ...(draft.sections && { sections: named }) };
    const layouts = (object.layouts ?? []).map((one) => (one.name === layout.name ? next : one));
    schema.change({ send: changeObject(object.name, { layouts }), onDone: () => setDraft(next) });
  };
  return (
    <Stack>
      <Card withBorder>
        <OrderedNames
          label={t('admin.listColumns')}
          names={draft.columns ?? []}
          options={fields}
          onChange={(columns) => setDraft({ ...draft, columns })}
        />
      </Card>
      {sections.map((section, index) => (
        <Card key={index} withBorder component="section" aria-label={label(section.label)}>
          <Group align="flex-end" wrap="nowrap">
            <Moves
              name={label(section.label) || String(index + 1)}
              index={index}
              last={sections.length - 1}
              onMove={(by) => setSections(moved(sections, index, by))}
              onRemove={() => setSections(sections.filter((_, place) => place !== index))}
            />
            <LabelInputs
              title={t('admin.section')}
              value={section.label}
              onChange={(next) => setSections(sections.map((one, place) => (place === index ? { ...one, label: next } : one)))}
            />
          </Group>
          <OrderedNames
            label={t('admin.sectionFields', { section: label(section.label) })}
            names={section.fields}
            options={fields.filter(({ value }) => section.fields.includes(value) || !inSections.has(value))}
            onChange={(names) => setSections(sections.map((one, place) => (place === index ? { ...one, fields: names } : one)))}
          />
        </Card>
      ))}
      <Group>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconPlus size={14} />}
          onClick={() => setSections([...sections, { name: '', label: NO_LABEL, fields: [] }])}
        >
          {t('admin.addSection')}
        </Button>
      </Group>
      <RelatedLists object={object} related={draft.related ?? []} onChange={(related) => setDraft({ ...draft, related })} />
      {schema.error !== null && <ErrorBox error={schema.error} />}
      <Group>
        <Button disabled={!changed} loading={schema.busy} onClick={save}>
          {t('save')}
        </Button>
        <Button variant="default" disabled={!changed} onClick={() => setDraft(layout)}>
          {t('admin.reset')}
        </Button>
      </Group>
      <PlanReview schema={schema} />
    </Stack>
  );
}
