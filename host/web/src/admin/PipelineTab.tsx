import { Button, Group, Select, Stack } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import type { ObjectDefinition } from '~/api/client';
import { fieldOf } from '~/api/objects';
import { useWords } from '~/i18n/hooks';
import type { Pipeline } from '~/objects/layout';
import { Empty } from '~/ui/Empty';
import { ErrorBox } from '~/ui/ErrorBox';
import { moved } from '~/ui/OrderedNames';
import { toast } from '~/ui/toasts';
import { PlanReview } from './PlanReview';
import { StageCard } from './StageCard';
import { changeObject, useSchemaChange } from './schema';

/** The stages that records go through, and what each of them asks for. */
export function PipelineTab({ object }: { object: ObjectDefinition }) {
  const { t, label } = useWords();
  const pipelines = object.pipelines ?? [];
  const [chosen, setChosen] = useState(pipelines[0]?.name);
  const pipeline = pipelines.find((one) => one.name === chosen) ?? pipelines[0];
  return (
    <Stack>
      {pipelines.length > 1 && (
        <Select
          label={t('admin.pipeline')}
          allowDeselect={false}
          data={pipelines.map((one) => ({ value: one.name, label: label(one.label) }))}
          value={pipeline?.name ?? null}
          onChange={(next) => next && setChosen(next)}
          maw={320}
        />
      )}
      {pipeline ? (
        <PipelineForm key={pipeline.name} object={object} pipeline={pipeline} />
      ) : (
        <Empty title={t('admin.noPipeline')}>
          <NewPipeline object={object} />
        </Empty>
      )}
    </Stack>
  );
}

/** A pipeline over the options of a choice, in their order. */
function NewPipeline({ object }: { object: ObjectDefinition }) {
  const { t, label } = useWords();
  const choices = object.fields.filter((field) => field.type === 'choice' && !field.retired);
  const [chosen, setChosen] = useState<string | null>(choices[0]?.name ?? null);
  const schema = useSchemaChange(() => toast(t('admin.saved')));
  const field = choices.find(({ name }) => name === chosen);
  const add = () => {
    const stages = (field?.options ?? []).filter((option) => !option.retired).map(({ value }) => ({ value }));
    const pipeline = { name: field?.name, label: field?.label, stage: field?.name, stages };
    schema.change({ send: changeObject(object.name, { pipelines: [pipeline] }) });
  };
  return (
    <>
      <Select
        label={t('admin.stageField')}
        data={choices.map(({ name, label: words }) => ({ value: name, label: label(words) }))}
        value={chosen}
        onChange={setChosen}
      />
      <Button disabled={!field} loading={schema.busy} onClick={add}>
        {t('admin.addPipeline')}
      </Button>
      {schema.error !== null && <ErrorBox error={schema.error} />}
      <PlanReview schema={schema} />
    </>
  );
}

function PipelineForm({ object, pipeline }: { object: ObjectDefinition; pipeline: Pipeline }) {
  const { t, label } = useWords();
  const [draft, setDraft] = useState(pipeline);
  const schema = useSchemaChange(() => toast(t('admin.saved')));
  const changed = JSON.stringify(draft) !== JSON.stringify(pipeline);
  const options = (fieldOf(object, pipeline.stage)?.options ?? []).filter((option) => !option.retired);
  const left = options.filter(({ value }) => !draft.stages.some((stage) => stage.value === value));
  const setStages = (stages: Pipeline['stages']) => setDraft({ ...draft, stages });
  const save = () => {
    const pipelines = (object.pipelines ?? []).map((one) => (one.name === pipeline.name ? draft : one));
    schema.change({ send: changeObject(object.name, { pipelines }) });
  };
  return (
    <Stack>
      {draft.stages.map((stage, index) => (
        <StageCard
          key={stage.value}
          object={object}
          stage={stage}
          title={label(options.find(({ value }) => value === stage.value)?.label) || stage.value}
          index={index}
          last={draft.stages.length - 1}
          onChange={(next) => setStages(draft.stages.map((one, place) => (place === index ? next : one)))}
          onMove={(by) => setStages(moved(draft.stages, index, by))}
          onRemove={() => setStages(draft.stages.filter((_, place) => place !== index))}
        />
      ))}
      <Group>
        {left.map(({ value, label: words }) => (
          <Button
            key={value}
            size="xs"
            variant="default"
            leftSection={<IconPlus size={14} />}
            onClick={() => setStages([...draft.stages, { value }])}
          >
            {t('admin.addStage', { stage: label(words) })}
          </Button>
        ))}
      </Group>
      {schema.error !== null && <ErrorBox error={schema.error} />}
      <Group>
        <Button disabled={!changed} loading={schema.busy} onClick={save}>
          {t('save')}
        </Button>
        <Button variant="default" disabled={!changed} onClick={() => setDraft(pipeline)}>
          {t('admin.reset')}
        </Button>
      </Group>
      <PlanReview schema={schema} />
    </Stack>
  );
}
